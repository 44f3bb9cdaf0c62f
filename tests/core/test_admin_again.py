"""An admin that is refused is read once more: it may just have been rotated."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, EngineRotator, Secret, SecretStore
from rotators.testing import rotation_event
from tests.core.test_admin import ADMIN, APP

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.testing import SecretsManager


class Doors:
    """An engine of doors: who opens one may set the key of any other."""

    name = "doors"

    def __init__(self, **keys: str) -> None:
        self.keys = keys
        self.logins: list[tuple[str, bool]] = []

    def resource(self, secret: Secret) -> dict[str, str]:
        return {"username": str(secret["username"])}

    def test(self, secret: Secret) -> None:
        opened = self.keys.get(secret["username"]) == secret["password"]
        self.logins.append((secret["username"], opened))
        if not opened:
            raise CredentialRejected("wrong key")

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        self.test(by)
        self.keys[secret["username"]] = secret["password"]

    def same_rights(self, secret: Secret, like: Secret) -> None: ...


class Behind:
    """A client to which somebody else's change of the admin's secret shows at the second read."""

    def __init__(self, client: Any, admin: str, reads: int, then: Callable[[], None]) -> None:
        self._client, self._admin, self._reads, self._then = client, admin, reads, then
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_secret_value(self, **query: Any) -> Any:
        answer = self._client.get_secret_value(**query)
        if query["SecretId"] == self._admin:
            self.read += 1
            if self.read == self._reads:
                self._then()
        return answer


@pytest.mark.parametrize("strategy", ["alternating", "single"])
@pytest.mark.parametrize("rotated", [True, False])
def test_a_refused_admin_is_read_once_more(
    service: SecretsManager, monkeypatch: pytest.MonkeyPatch, strategy: str, rotated: bool
) -> None:
    """The admin's secret is rotated between our read of it and the login."""
    monkeypatch.setenv("ROTATORS_STRATEGY", strategy)
    client = service.client()
    doors = Doors(app="app-Canary" if strategy == "alternating" else "by-hand", admin="admin-Canary")
    arn = client.create_secret(Name="admin", SecretString=json.dumps({**ADMIN, "host": "db"}))["ARN"]

    def rotate() -> None:
        doors.keys["admin"] = "newer-Canary"
        if rotated:
            client.put_secret_value(
                SecretId=arn, SecretString=json.dumps({**ADMIN, "password": "newer-Canary", "host": "db"})
            )

    behind = Behind(client, arn, 1, rotate)
    handler = EngineRotator(doors, store=SecretStore(behind))
    app = client.create_secret(Name="app", SecretString=json.dumps({**APP, "masterarn": arn}))["ARN"]
    token = str(uuid.uuid4())
    service.put_placeholder(app, token)
    handler(rotation_event("createSecret", app, token))
    doors.logins.clear()
    if rotated:
        handler(rotation_event("setSecret", app, token))
        assert [entry for entry in doors.logins if entry[0] == "admin"] == [("admin", False), ("admin", True)]
        handler(rotation_event("testSecret", app, token))
    else:
        with pytest.raises(CredentialRejected, match="admin of masterarn") as caught:
            handler(rotation_event("setSecret", app, token))
        assert [entry for entry in doors.logins if entry[0] == "admin"] == [("admin", False)], (
            "the same is not tried twice"
        )
        assert "Canary" not in str(caught.value)
    assert behind.read == 2
