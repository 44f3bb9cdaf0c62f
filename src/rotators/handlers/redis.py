"""``rotators.handlers.redis.handler``: rotates passwords of Redis and Valkey users."""

from __future__ import annotations

from rotators.engine_rotator import EngineRotator
from rotators.engines.redis import Redis

handler = EngineRotator(Redis())
