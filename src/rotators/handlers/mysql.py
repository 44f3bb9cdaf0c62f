"""``rotators.handlers.mysql.handler``: rotates MySQL and MariaDB credentials, each by its own strategy."""

from __future__ import annotations

from rotators.engine_rotator import EngineRotator
from rotators.engines.mysql import MySQL

handler = EngineRotator(MySQL())
