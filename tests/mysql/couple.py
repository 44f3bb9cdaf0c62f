"""A world in which an admin rotates a pair of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mysql_world import MySQLWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from rotators.testing import SecretsManager


class Couple(MySQLWorld):
    """A pair of users; at first there is the base alone."""

    def __init__(
        self, server: Mysqld, service: SecretsManager, *, admin: dict[str, Any] | None = None, **how: Any
    ) -> None:
        super().__init__(server, service, **how)
        self.admin = self.with_admin(**(admin or {}))

    @property
    def name(self) -> str:
        """The base's account, as a statement names it."""
        return self.at(self.host)

    @property
    def clone(self) -> str:
        """The clone's account at the base's host, as a statement names it."""
        return self.at(self.host, clone=True)

    def at(self, host: str, *, clone: bool = False) -> str:
        """An account at a host, as a statement names it."""
        user = self.username + ("_clone" if clone else "")
        return f"`{user.replace('`', '``')}`@`{host}`"

    def stored(self, account: str) -> str:
        """What SHOW CREATE USER says of an account."""
        return str(self.execute(f"SHOW CREATE USER {account}")[0][0])

    def demands(self, account: str) -> str:
        """What it says from REQUIRE on, notes taken out."""
        text = self.stored(account)
        begin = min(
            (text.index(word) for word in (" REQUIRE ", " WITH MAX", " PASSWORD EXPIRE", " ACCOUNT ") if word in text),
            default=None,
        )
        return "" if begin is None else text[begin:].split(" ATTRIBUTE ")[0]

    def hosts(self) -> list[str]:
        """The hosts at which the clone has accounts."""
        rows = self.execute(f"SELECT Host FROM mysql.user WHERE User = '{self.username}_clone' ORDER BY Host")
        return [str(host) for (host,) in rows]

    def run(self, token: str, *steps: str) -> None:
        """Run steps of a rotation."""
        for step in steps or ("createSecret", "setSecret", "testSecret", "finishSecret"):
            self.step(step, token)

    def abandon(self, token: str) -> None:
        """Take a rotation's label off."""
        client = self.service.client()
        client.update_secret_version_stage(SecretId=self.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token)

    def rename(self, username: str) -> None:
        """Give the base another name."""
        to = f"`{username.replace('`', '``')}`@`{self.host}`"
        self.execute(f"RENAME USER {self.name} TO {to}")
        self.username = username
        self.put_current({**self.value(), "username": username})

    def grants(self, account: str) -> set[str]:
        """What SHOW GRANTS says, names taken out: the test's own reading, none of ours."""
        rows = {str(row) for (row,) in self.execute(f"SHOW GRANTS FOR {account}")}
        return {
            row.split(" IDENTIFIED BY PASSWORD ")[0].split(" IDENTIFIED VIA ")[0].replace(account, "?") for row in rows
        }

    def grant(self, *tails: str, to: str | None = None) -> None:
        """Grant to the base, or to another account."""
        self.execute(*(f"GRANT {tail.replace('?', to or self.name)}" for tail in tails))

    def equal(self) -> bool:
        """Say whether base and clone have the same rights."""
        return self.grants(self.name) == self.grants(self.clone)


@pytest.fixture
def couple(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Couple]:
    """Make a world: `couple(server, plugin=…, host=…, any key of the secret=…)`."""

    def make(server: Mysqld, **how: Any) -> Couple:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        return Couple(server, service, **how)

    return make
