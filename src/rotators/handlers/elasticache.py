"""``rotators.handlers.elasticache.handler``: rotates passwords of ElastiCache and MemoryDB users."""

from __future__ import annotations

from rotators.engine_rotator import EngineRotator
from rotators.engines.elasticache import ElastiCache

handler = EngineRotator(ElastiCache())
