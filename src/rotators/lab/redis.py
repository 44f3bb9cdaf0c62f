"""A private Redis server, for tests."""

from __future__ import annotations

import secrets
import shutil
from signal import SIGKILL, SIGTERM
from typing import TYPE_CHECKING, Any, Self

from rotators.lab import LabError
from rotators.lab.place import Place
from rotators.lab.process import Signals
from rotators.lab.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ADMIN = "lab_admin"


class Redis(Server):
    """A private Redis server on 127.0.0.1, over TLS only; the user ``default`` is off. Made by `start`.

    >>> with Redis.start() as server:
    ...     server.execute("ACL", "SETUSER", "app", "on", ">a", "~*", "+@all")
    ...     secret = server.secret("app", "a")
    """

    product = "Redis"
    engine = "redis"
    signals = Signals(SIGTERM, SIGKILL)

    def __init__(self, place: Place, host: str, *, tls: bool) -> None:
        super().__init__(place, host, tls=tls)
        self.superuser_password = secrets.token_urlsafe(18)
        self._aclfile = True
        self._settings: dict[str, str] = {}

    @classmethod
    def find(cls) -> str:
        """The system's Redis or Valkey. Raises `LabError`, naming the command that installs one."""
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            raise LabError(
                "no Redis server on this machine. Install one:\n"
                "    apt-get install -y --no-install-recommends redis-server          (Debian, Ubuntu)"
            )
        return found

    @classmethod
    def start(
        cls,
        directory: Path | None = None,
        *,
        tls: bool = True,
        aclfile: bool = True,
        settings: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> Self:
        """Start a server.

        `directory`: where to keep everything (default: a temporary one, removed by `stop`). `aclfile`: whether users are kept
        in a file of their own; else in redis.conf. `settings`: more of redis.conf.

        Raises `LabError`, with the last words of the server's log, if it does not start.
        """
        cls.find()
        place = Place(directory)
        with place.removed_if_it_fails():
            server = cls(place, host, tls=tls)
            server._aclfile, server._settings = aclfile, dict(settings or {})
            place.data.mkdir(exist_ok=True)
            server._write_files()
            place.account.own(place.data)
            server._listen()
        return server

    def execute(self, *command: str, username: str = ADMIN, password: str | None = None) -> Any:
        """Run a command as a user, by default as one that may do everything; returns what redis-py makes of the answer."""
        import redis  # noqa: PLC0415 - an extra

        client = redis.Redis(
            host=self.host,
            port=self.port,
            username=username,
            password=self.superuser_password if password is None else password,
            ssl=self.tls,
            ssl_ca_certs=str(self.ca_bundle) if self.tls else None,
            protocol=2,
            single_connection_client=True,
        )
        with client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    def _write_files(self) -> None:
        users = [
            "user default off",
            f"user {ADMIN} on >{self.superuser_password} ~* &* +@all",
        ]
        if self._aclfile:
            (self.data / "users.acl").write_text("".join(f"{line}\n" for line in users))
        (self.data / "users.conf").write_text("".join(f"{line}\n" for line in users))

    def _command(self) -> Sequence[str]:
        conf = self.data / "redis.conf"
        lines = {
            "bind": self.host,
            "dir": str(self.data),
            "save": '""',
            "appendonly": "no",
            "logfile": '""',
            "daemonize": "no",
            "port": "0" if self.tls else str(self.port),
        }
        if self.certificate:
            certificate, key = self.certificate
            lines |= {
                "tls-port": str(self.port),
                "tls-cert-file": str(certificate),
                "tls-key-file": str(key),
                "tls-ca-cert-file": str(self.ca_bundle),
                "tls-auth-clients": "no",
            }
        lines |= self._settings
        if not conf.exists():  # the server writes it anew, when it is asked to
            users = (
                [f"aclfile {self.data / 'users.acl'}"]
                if self._aclfile
                else (self.data / "users.conf").read_text().splitlines()
            )
            conf.write_text(
                "".join(f"{name} {value}\n" for name, value in lines.items()) + "".join(f"{line}\n" for line in users)
            )
            self._place.account.own(self.data)
        return [self.find(), str(conf)]

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C"}

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 - all servers are asked in this way
        return "Ready to accept connections" in self._said()
