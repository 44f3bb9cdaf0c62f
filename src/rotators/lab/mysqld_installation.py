"""Where this machine keeps a MariaDB or a MySQL server."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self

from rotators.lab.account import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = "/usr/sbin:/usr/bin:/usr/libexec:/usr/local/sbin:/usr/local/bin:/usr/local/mysql/bin"


@dataclass(frozen=True)
class MysqldInstallation:
    """One server's programs: its command line begins with `server`, then `--no-defaults`, then `options`."""

    product: str
    version: str
    server: tuple[str, ...]
    options: tuple[str, ...] = ()

    @classmethod
    def at(cls, *server: str, options: tuple[str, ...] = ()) -> Self | None:
        """The installation whose server is called so; None if it does not run on this machine, as our account."""
        told = _version(server, Account.for_servers())
        match = re.search(r"Ver (\d[\w.]*)", told)
        if match is None:
            return None
        return cls("MariaDB" if "MariaDB" in told else "MySQL", match[1], server, options)

    def command(self, *options: tuple[str, str]) -> list[str]:
        """The server's command line, with these options."""
        return [*self.server, "--no-defaults", *self.options, *(f"--{name}={value}" for name, value in options)]

    @classmethod
    def installed(cls, product: str) -> Self | None:
        """The first of that product among the system's programs."""
        found = (cls.at(program) for program in _programs("mariadbd", "mysqld"))
        return next((each for each in found if each and each.product == product), None)


def program(*names: str) -> str | None:
    """The path of one of the system's programs, the first name that there is: PATH first, then where systems put it."""
    return next(_programs(*names), None)


def _programs(*names: str) -> Iterator[str]:
    for name in names:
        for path in (None, _PLACES):
            if found := shutil.which(name, path=path):
                yield found


@cache
def _version(server: tuple[str, ...], account: Account) -> str:
    """What `mysqld --version` says when that account asks."""
    command = [*server, "--no-defaults", "--version"]
    try:
        return subprocess.run(command, cwd="/", check=False, capture_output=True, text=True, **account.run_as).stdout
    except OSError:
        return ""
