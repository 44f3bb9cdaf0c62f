"""``rotators.handlers.database.handler``: rotates every database secret, by the engine that it names."""

from __future__ import annotations

from rotators.engine_rotator import EngineRotator
from rotators.engines.database import Database

handler = EngineRotator(Database())
