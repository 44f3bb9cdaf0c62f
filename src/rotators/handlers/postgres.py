"""``rotators.handlers.postgres.handler``: rotates PostgreSQL credentials, each by its own strategy."""

from __future__ import annotations

from rotators.engine_rotator import EngineRotator
from rotators.engines.postgres import Postgres

handler = EngineRotator(Postgres())
