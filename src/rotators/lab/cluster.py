"""A PostgreSQL data directory: made by initdb or pg_basebackup, configured."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.lab import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.lab.account import Account
    from rotators.lab.installation import Installation

SUPERUSER = "postgres"

# A server that may lose everything at a power cut is quick.
QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",
    "autovacuum": "off",
    "log_connections": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


def environment() -> dict[str, str]:
    """Ours without what would talk to PostgreSQL's programs behind our back, and with English messages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def run(account: Account, *command: str, **more: str) -> None:
    """Run one of PostgreSQL's programs as `account`; `more` is added to its environment."""
    done = subprocess.run(
        command, cwd="/", check=False, capture_output=True, text=True, env=environment() | more, **account.run_as
    )
    if done.returncode != 0:
        raise LabError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def create(data: Path, account: Account, installation: Installation) -> str:
    """Run initdb; returns the superuser's password."""
    password = secrets.token_urlsafe(18)
    file = data.with_name("initial-password")
    file.touch(mode=0o600)
    file.write_text(password + "\n")
    account.own(file)
    try:
        run(
            account,
            installation.program("initdb"),
            *("-D", str(data), "-U", SUPERUSER, f"--pwfile={file}", "-A", "scram-sha-256"),
            *("-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"),
        )
    finally:
        file.unlink()
    return password


def configure(data: Path, account: Account, settings: Mapping[str, str], hba: str) -> None:
    """Write postgresql.conf and pg_hba.conf anew: initdb's own hold nothing the lab wants."""
    lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    for name, text in (("postgresql.conf", "\n".join(lines)), ("pg_hba.conf", hba)):
        (data / name).write_text(text + "\n")
        account.own(data / name)


def _quoted(value: str) -> str:
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
