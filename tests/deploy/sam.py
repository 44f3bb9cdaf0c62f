"""The SAM CLI, and where it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
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

_VALIDATE = """
import contextlib, io, json, sys
from samcli.cli.main import cli

found = {}
for template in sys.argv[1:]:
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            cli.main(["validate", "--lint", "-t", template], prog_name="sam")
        except SystemExit as ended:
            code = ended.code
    if code != 0:
        found[template] = said.getvalue()
json.dump(found, sys.stdout)
"""


def complaints(sam: Path, *templates: Path) -> dict[str, str]:
    """What `sam validate --lint` says of each template that it does not accept, in one process: to start SAM takes seconds."""
    told = subprocess.run(
        [sam.with_name("python"), "-c", _VALIDATE, *templates],
        check=True, capture_output=True, text=True, cwd=ROOT, env=environment(),
    )  # fmt: skip
    found: dict[str, str] = json.loads(told.stdout)
    return found


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
