"""Stand-ins for the services that `rotators/providers` describes, built from the answers in their references."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from tests.api_key.site import Asked, Site

Answer = tuple[int, Any]
ADMIN = "the-admins-own-key-0123456789"


class Known(Site):
    """
    Attributes:
        admin: the admin's secret, where it needs one.
        owned: whether there is one key at a time for each of two places, and not a list of keys.
    """

    admin: ClassVar[dict[str, str]] = {}
    listed = True

    def value(self) -> dict[str, Any]:
        """Return a secret's first value, with a key made by hand."""
        raise NotImplementedError

    def holds(self, value: dict[str, Any]) -> bool:
        """Say whether the key of a value works."""
        raise NotImplementedError

    def id_of(self, value: dict[str, Any]) -> str:
        raise NotImplementedError


class SendGrid(Known):
    scopes: ClassVar[list[str]] = ["mail.send", "api_keys.create", "api_keys.read", "api_keys.delete"]

    def value(self) -> dict[str, Any]:
        made, key = self.add("by hand", scopes=self.scopes)
        return {"provider": "sendgrid", "api_key": key, "api_key_id": made, "note": 1}

    def holds(self, value: dict[str, Any]) -> bool:
        return self.opens(value["api_key"]) and self.keys[value["api_key_id"]].more["scopes"] == self.scopes

    def id_of(self, value: dict[str, Any]) -> str:
        return str(value["api_key_id"])

    def answer(self, asked: Asked) -> Answer:
        if not self.opens(asked.bearer):
            return 401, {"errors": [{"field": None, "message": "authorization required"}]}
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["v3", "scopes"]:
                return 200, {"scopes": self.scopes}
            case "GET", ["v3", "api_keys"]:
                return 200, {"result": [{"name": key.name, "api_key_id": made} for made, key in self.keys.items()]}
            case "GET", ["v3", "api_keys", made] if made in self.keys:
                key = self.keys[made]
                return 200, {"api_key_id": made, "name": key.name, "scopes": key.more["scopes"]}
            case "POST", ["v3", "api_keys"]:
                if len(self.keys) >= min(100, self.most):
                    return 403, {"errors": [{"message": "maximum number of keys"}]}
                said = asked.json
                made, value = self.add(said["name"], scopes=said.get("scopes", ["everything"]))
                return 201, {"api_key": value, "api_key_id": made, "name": said["name"], "scopes": said.get("scopes")}
            case "DELETE", ["v3", "api_keys", made] if made in self.keys:
                del self.keys[made]
                return 204, b""
        return 404, {"errors": [{"message": "not found"}]}


class Datadog(Known):
    admin: ClassVar[dict[str, str]] = {
        "provider": "datadog",
        "site": "datadoghq.eu",
        "api_key": ADMIN,
        "application_key": "app" + ADMIN,
    }

    def value(self) -> dict[str, Any]:
        made, key = self.add("by hand")
        return {"provider": "datadog", "site": "datadoghq.eu", "api_key": key, "key_id": made}

    def holds(self, value: dict[str, Any]) -> bool:
        return self.opens(value["api_key"])

    def id_of(self, value: dict[str, Any]) -> str:
        return str(value["key_id"])

    def answer(self, asked: Asked) -> Answer:
        key = asked.headers.get("dd-api-key", "")
        if asked.path == "/api/v1/validate":
            return (200, {"valid": True}) if self.opens(key) else (403, {"errors": ["Forbidden"]})
        if (key, asked.headers.get("dd-application-key")) != (ADMIN, "app" + ADMIN):
            return 403, {"errors": ["Forbidden"]}
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["api", "v2", "api_keys"]:
                size, number = int(asked.query["page[size]"]), int(asked.query["page[number]"])
                page = list(self.keys.items())[size * number : size * (number + 1)]
                return 200, {
                    "data": [{"type": "api_keys", "id": made, "attributes": {"name": key.name}} for made, key in page],
                    "meta": {"page": {"total_filtered_count": len(self.keys)}, "max_allowed": 50},
                }
            case "POST", ["api", "v2", "api_keys"]:
                data = asked.json["data"]
                assert data["type"] == "api_keys"
                if any(key.name == data["attributes"]["name"] for key in self.keys.values()):
                    return 409, {"errors": ["name is taken"]}
                made, value = self.add(data["attributes"]["name"])
                return 201, {
                    "data": {"type": "api_keys", "id": made, "attributes": {**data["attributes"], "key": value}}
                }
            case "DELETE", ["api", "v2", "api_keys", made] if made in self.keys:
                del self.keys[made]
                return 204, b""
        return 404, {"errors": ["not found"]}


class OpenAIAdmin(Known):
    def value(self) -> dict[str, Any]:
        made, key = self.add("by hand")
        return {"provider": "openai-admin", "api_key": key, "key_id": made}

    def holds(self, value: dict[str, Any]) -> bool:
        return self.opens(value["api_key"])

    def id_of(self, value: dict[str, Any]) -> str:
        return str(value["key_id"])

    def answer(self, asked: Asked) -> Answer:
        if not self.opens(asked.bearer):
            return 401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
        kind = "organization.admin_api_key"
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["v1", "organization", "admin_api_keys"]:
                names = list(self.keys)
                start = names.index(asked.query["after"]) + 1 if "after" in asked.query else 0
                page = names[start : start + min(2, int(asked.query["limit"]))]
                data = [
                    {"object": kind, "id": made, "name": self.keys[made].name, "redacted_value": "sk…"} for made in page
                ]
                more = bool(page) and page[-1] != names[-1]
                return 200, {"object": "list", "data": data, "has_more": more, "last_id": page[-1] if page else None}
            case "POST", ["v1", "organization", "admin_api_keys"]:
                made, value = self.add(asked.json["name"])
                return 200, {"object": kind, "id": made, "name": asked.json["name"], "value": value}
            case "DELETE", ["v1", "organization", "admin_api_keys", made] if made in self.keys:
                del self.keys[made]
                return 200, {"id": made, "object": f"{kind}.deleted", "deleted": True}
        return 404, {"error": {"message": "not found"}}


class OpenRouter(Known):
    admin: ClassVar[dict[str, str]] = {"provider": "openrouter", "api_key": ADMIN}

    def value(self) -> dict[str, Any]:
        made, key = self.add("by hand", limit=5, limit_reset=None)
        return {"provider": "openrouter", "api_key": key, "hash": made}

    def holds(self, value: dict[str, Any]) -> bool:
        return self.opens(value["api_key"]) and self.keys[value["hash"]].more == {"limit": 5, "limit_reset": None}

    def id_of(self, value: dict[str, Any]) -> str:
        return str(value["hash"])

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/api/v1/key":
            known = self.opens(asked.bearer)
            return (200, {"data": {"label": "sk-or-v1-…"}}) if known else (401, {"error": {"code": 401}})
        if asked.bearer != ADMIN:
            return 401, {"error": {"code": 401}}
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["api", "v1", "keys"]:
                page = list(self.keys.items())[int(asked.query.get("offset", 0)) :][:100]
                return 200, {"data": [{"hash": made, "name": key.name} for made, key in page]}
            case "GET", ["api", "v1", "keys", made] if made in self.keys:
                return 200, {"data": {"hash": made, "name": self.keys[made].name, **self.keys[made].more}}
            case "POST", ["api", "v1", "keys"]:
                said = asked.json
                made, value = self.add(said.pop("name"), **said)
                return 201, {"key": value, "data": {"hash": made, **said}}
            case "DELETE", ["api", "v1", "keys", made] if made in self.keys:
                del self.keys[made]
                return 200, {"deleted": True}
        return 404, {"error": {"code": 404}}


class ConfluentCloud(Known):
    admin: ClassVar[dict[str, str]] = {"provider": "confluent-cloud", "api_key": "ADMINID", "api_secret": ADMIN}

    def value(self) -> dict[str, Any]:
        made, key = self.add("by hand", owner="sa-1")
        return {"provider": "confluent-cloud", "owner": "sa-1", "api_key": made, "api_secret": key}

    def holds(self, value: dict[str, Any]) -> bool:
        return self.opens(value["api_secret"])

    def id_of(self, value: dict[str, Any]) -> str:
        return str(value["api_key"])

    def answer(self, asked: Asked) -> Answer:
        made, value = asked.basic
        if asked.path == "/org/v2/environments":
            known = made in self.keys and self.keys[made].value == value and self.opens(value)
            return (200, {"data": []}) if known else (401, {"errors": [{"status": "401"}]})
        if (made, value) != ("ADMINID", ADMIN):
            return 401, {"errors": [{"status": "401"}]}
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["iam", "v2", "api-keys"]:
                mine = [
                    made
                    for made, key in self.keys.items()
                    if key.more.get("owner", "sa-1") == asked.query["spec.owner"]
                ]
                start = int(asked.query.get("page_token", 0))
                data = [
                    {"id": made, "spec": {"display_name": self.keys[made].name}} for made in mine[start : start + 2]
                ]
                following = f"{self.url}{asked.path}?page_token={start + 2}&spec.owner=sa-1"
                return 200, {"data": data, "metadata": {"next": following if mine[start + 2 :] else None}}
            case "POST", ["iam", "v2", "api-keys"]:
                spec = asked.json["spec"]
                assert spec["resource"] == {"id": "cloud"}
                made, value = self.add(spec["display_name"], owner=spec["owner"]["id"])
                return 202, {"id": made, "spec": {**spec, "secret": value}}
            case "DELETE", ["iam", "v2", "api-keys", made] if made in self.keys:
                del self.keys[made]
                return 204, b""
        return 404, {"errors": []}


class Twilio(Known):
    """Two places; promoting the second ends the first at once."""

    listed = False

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = f"token-{secrets.token_hex(16)}", ""

    def value(self) -> dict[str, Any]:
        return {"provider": "twilio-auth-token", "account_sid": "AC0", "auth_token": self.first}

    def holds(self, value: dict[str, Any]) -> bool:
        return value["auth_token"] in {self.first, self.second}

    def answer(self, asked: Asked) -> Answer:
        if asked.basic[0] != "AC0" or asked.basic[1] not in {self.first, self.second} - {""}:
            return 401, {"code": 20003, "status": 401}
        match asked.method, asked.path:
            case "GET", "/2010-04-01/Accounts/AC0.json":
                return 200, {"sid": "AC0", "auth_token": self.first}
            case "POST", "/v1/AuthTokens/Secondary":
                if self.second:
                    return 400, {"code": 20001}
                self.second = f"token-{secrets.token_hex(16)}"
                return 201, {"account_sid": "AC0", "secondary_auth_token": self.second}
            case "DELETE", "/v1/AuthTokens/Secondary" if self.second:
                self.second = ""
                return 204, b""
            case "POST", "/v1/AuthTokens/Promote" if self.second:
                self.first, self.second = self.second, ""
                return 200, {"account_sid": "AC0", "auth_token": self.first}
        return 404, {"code": 20404}


class Paddle(Known):
    """A key rotates itself; its new value ends the old one a while after its first use."""

    listed = False

    def __init__(self) -> None:
        super().__init__()
        self.active, self.pending, self.old = f"pdl-{secrets.token_hex(16)}", "", ""

    def value(self) -> dict[str, Any]:
        return {"provider": "paddle", "api_key": self.active, "api_key_id": "apikey_1"}

    def holds(self, value: dict[str, Any]) -> bool:
        return value["api_key"] in {self.active, self.pending, self.old}

    def answer(self, asked: Asked) -> Answer:
        if asked.bearer not in {self.active, self.pending, self.old} - {""}:
            return 401, {"error": {"code": "authentication_malformed"}}
        if asked.bearer == self.pending:
            self.old, self.active, self.pending = self.active, self.pending, ""
        match asked.method, asked.path:
            case "GET", "/api-keys/apikey_1":
                return 200, {"data": {"id": "apikey_1"}}
            case "POST", "/api-keys/apikey_1/rotations":
                assert asked.json == {"grace_period_seconds": 86400}
                self.pending = f"pdl-{secrets.token_hex(16)}"
                return 201, {"data": {"new_key": self.pending}}
        return 404, {"error": {"code": "not_found"}}


class AzureRegistry(Known):
    """Two passwords, each replaced by itself; an application logs in first."""

    listed = False
    admin: ClassVar[dict[str, str]] = {
        "provider": "azure-container-registry",
        "tenant": "t1",
        "client_id": "c1",
        "client_secret": ADMIN,
    }
    place = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.ContainerRegistry/registries/r1/"

    def __init__(self) -> None:
        super().__init__()
        self.passwords = {name: f"pw-{secrets.token_hex(16)}" for name in ("password", "password2")}
        self.token = f"token-{secrets.token_hex(16)}"

    def value(self) -> dict[str, Any]:
        return {
            "provider": "azure-container-registry", "subscription": "s1", "group": "g1", "registry": "r1", "username": "r1",
            "password": self.passwords["password"], "slot": "password",
        }  # fmt: skip

    def holds(self, value: dict[str, Any]) -> bool:
        return bool(self.passwords[value["slot"]] == value["password"])

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/v2/":
            user, password = asked.basic
            return (200, {}) if user == "r1" and password in self.passwords.values() else (401, {"errors": []})
        if asked.path == "/t1/oauth2/v2.0/token":
            form = asked.form
            assert form["grant_type"] == "client_credentials"
            assert form["scope"] == "https://management.azure.com/.default"
            right = (form["client_id"], form["client_secret"]) == ("c1", ADMIN)
            return (
                (200, {"access_token": self.token, "expires_in": 3599}) if right else (401, {"error": "invalid_client"})
            )
        if asked.bearer != self.token:
            return 401, {"error": {"code": "InvalidAuthenticationToken"}}
        assert asked.query["api-version"] == "2023-07-01"
        if asked.path == f"{self.place}regenerateCredential":
            self.passwords[asked.json["name"]] = f"pw-{secrets.token_hex(16)}"
        elif asked.path != f"{self.place}listCredentials":
            return 404, {"error": {"code": "ResourceNotFound"}}
        return 200, {"username": "r1", "passwords": [{"name": n, "value": v} for n, v in self.passwords.items()]}


KNOWN: dict[str, type[Known]] = {
    "sendgrid": SendGrid,
    "datadog": Datadog,
    "openai-admin": OpenAIAdmin,
    "openrouter": OpenRouter,
    "confluent-cloud": ConfluentCloud,
    "twilio-auth-token": Twilio,
    "paddle": Paddle,
    "azure-container-registry": AzureRegistry,
}
