"""The SAM CLI, and where it is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
#: What an artifact is built for, to run here.
PYTHON = "{}.{}".format(*sys.version_info[:2])
#: Each function's logical id, and the name that its handler has and that ends its own.
FUNCTIONS = {
    "DatabaseRotation": "database",
    "PostgresRotation": "postgres",
    "MySQLRotation": "mysql",
    "ApiKeyRotation": "api-key",
    "AccessKeyRotation": "access-key",
    "RedisRotation": "redis",
    "CacheUserRotation": "cache-user",
}
#: Those whose admins' servers RDS knows.
DATABASES = ("DatabaseRotation", "PostgresRotation", "MySQLRotation")


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would have SAM ask the network who we are."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return (
        ours | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"} | more
    )


def find_sam() -> Path | None:
    """The pinned one of `make test`, else the one on PATH."""
    pinned = ROOT / ".tools/sam/bin/sam"
    found = str(pinned) if pinned.exists() else shutil.which("sam")
    return Path(found).resolve() if found else None
