"""
IAM and STS over HTTP on loopback, with the rules that matter here, which moto has not.

moto's STS lets any key in: unknown, deleted, inactive, or with a wrong secret part; its IAM knows of a key's use at once, and
lists on one page. Here requests are verified as AWS does it (Signature Version 4), a key may be known late or listed late, what IAM
knows of its use lags behind, and an answer may be lost after the work is done.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

from tests.iam.xml import answer, refusal, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT, OTHER = "123456789012", "210987654321"


@dataclass
class Key:
    id: str
    secret: str
    created: float
    known: float
    active: bool = True
    uses: list[tuple[float, str]] = field(default_factory=list)


@dataclass
class User:
    account: str
    name: str
    path: str = "/"
    admin: bool = False
    manages_itself: bool = False
    stranger: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:{self.stranger or f'user{self.path}{self.name}'}"


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str = "said so") -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


class IAM:
    """
    Attributes:
        ahead: seconds that its clock is ahead of ours: time passes by raising it.
        late: seconds until a new key is known to STS; unlisted: calls of ListAccessKeys until it is listed.
        lag: seconds that what it knows of a key's use is behind.
        page: how many entries one answer holds.
        faults: (action, status, code, whether the work is done before) of answers to come; a code of '' never answers.
        denied: actions that nobody may do.
        asked: (service, action, who, parameters) of each call that was answered by its rules.
        most_ever: the most keys that any user ever had.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users: dict[tuple[str, str], User] = {}
        #: What the function's role signs with: the environment's, see tests/conftest.py.
        self.role = ("test", "test")
        self.ahead, self.late, self.lag, self.unlisted = 0.0, 0.0, 0.0, 0
        self.page, self.rejected, self.most_ever = 100, 0, 0
        self.faults: list[tuple[str, int, str, bool]] = []
        self.denied: set[str] = set()
        self.asked: list[tuple[str, str, str, dict[str, str]]] = []
        self.skewed = self.down = False
        self._hidden: dict[str, int] = {}
        self._silent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._silent.set()
        self._server.shutdown()
        self._server.server_close()

    # -- what a test does by hand ------------------------------------------------------------------------------------

    def user(self, name: str, *, account: str = ACCOUNT, **more: Any) -> User:
        return self.users.setdefault((account, name), User(account, name, **more))

    def key(self, user: User) -> Key:
        """Make a key as a person does."""
        with self.lock:
            if len(user.keys) >= 2:
                raise Refused(409, "LimitExceeded")
            made = Key(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), self.now(), time.monotonic())
            user.keys[made.id] = made
            self.most_ever = max(self.most_ever, len(user.keys))
            return made

    def opens(self, key_id: str, secret: str) -> bool:
        return any(
            key.secret == secret and key.active and key.known <= time.monotonic()
            for user in self.users.values()
            for key in [user.keys.get(key_id)]
            if key is not None
        )

    def now(self) -> float:
        return time.time() + self.ahead

    def calls(self, service: str = "iam") -> list[str]:
        return [action for of, action, _, _ in self.asked if of == service]

    # -- HTTP --------------------------------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        iam = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for the client's ACK of its headers

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status, text = 200, iam._request({k.lower(): v for k, v in self.headers.items()}, body)
                except Refused as refused:
                    status, text = refused.status, refusal(refused.code, refused.text)
                    if not refused.code:
                        iam._silent.wait(30)
                        self.close_connection = True
                        return
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(iam.now())

            def log_message(self, *_: Any) -> None: ...

        return Handler

    def _request(self, headers: dict[str, str], body: bytes) -> bytes:
        query = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        action = query["Action"]
        with self.lock:
            if self.down:
                raise Refused(503, "ServiceUnavailable")
            fault = next((fault for fault in self.faults if fault[0] in {action, ""}), None)
            if fault is not None:
                self.faults.remove(fault)
                if not fault[3]:
                    raise Refused(fault[1], fault[2])
            service, caller = self._signed_by(headers, body)
            self.asked.append((service, action, caller.name if isinstance(caller, User) else caller, query))
            if action in self.denied:
                raise Refused(403, "AccessDenied", "User is not authorized")
            text = self._identity(caller) if service == "sts" else self._iam(action, caller, query)
            if fault is not None:
                raise Refused(fault[1], fault[2])
            return text

    def _signed_by(self, headers: dict[str, str], body: bytes) -> tuple[str, User | str]:
        """Verify the signature; return the service it is for and who signed."""
        parts = dict(part.strip().split("=", 1) for part in headers["authorization"].partition(" ")[2].split(","))
        key_id, date, region, service, _ = parts["Credential"].split("/")
        if self.skewed:
            raise Refused(403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than …")
        caller: User | str = "role"
        secret, key = self.role[1], None
        if key_id != self.role[0]:
            caller, key = self._holder(key_id)
            secret = key.secret
        names = parts["SignedHeaders"].split(";")
        lines = ["POST", "/", "", *(f"{name}:{headers[name].strip()}" for name in names), "", ";".join(names)]
        canonical = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
        scope = f"{date}/{region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = f"AWS4{secret}".encode()
        for part in (*scope.split("/"), text):
            signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(signature.hex(), parts["Signature"]):
            self.rejected += 1
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if key is not None:
            key.uses.append((self.now(), service))
        return service, caller

    def _holder(self, key_id: str) -> tuple[User, Key]:
        for user in self.users.values():
            key = user.keys.get(key_id)
            if key is not None and key.active and key.known <= time.monotonic():
                return user, key
        self.rejected += 1
        raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")

    # -- the actions -------------------------------------------------------------------------------------------------

    def _identity(self, caller: User | str) -> bytes:
        arn = caller.arn if isinstance(caller, User) else f"arn:aws:sts::{ACCOUNT}:assumed-role/rotation/function"
        return answer("GetCallerIdentity", {"Arn": arn, "UserId": "AIDAEXAMPLE", "Account": arn.split(":")[4]}, "sts")

    def _iam(self, action: str, caller: User | str, query: dict[str, str]) -> bytes:
        account = caller.account if isinstance(caller, User) else ACCOUNT
        if action == "GetAccessKeyLastUsed":
            user = next(
                (u for u in self.users.values() if query["AccessKeyId"] in u.keys and u.account == account), None
            )
        else:
            user = self.users.get((account, query["UserName"]))
        if isinstance(caller, User) and not caller.admin and not (caller is user and caller.manages_itself):
            raise Refused(403, "AccessDenied", "User is not authorized")
        if user is None:
            raise Refused(404, "NoSuchEntity")
        does: dict[str, Callable[[User, dict[str, str]], Any]] = {
            "ListAccessKeys": self._list_keys,
            "CreateAccessKey": self._create,
            "UpdateAccessKey": self._update,
            "DeleteAccessKey": self._delete,
            "GetAccessKeyLastUsed": self._last_used,
            "ListUserTags": self._list_tags,
            "TagUser": self._tag,
            "UntagUser": self._untag,
        }
        return answer(action, does[action](user, query), "iam")

    def _paged(self, what: str, entries: list[Any], query: dict[str, str]) -> dict[str, Any]:
        begin = int(query.get("Marker", 0))
        more = begin + self.page < len(entries)
        found: dict[str, Any] = {what: entries[begin : begin + self.page], "IsTruncated": str(more).lower()}
        return found | ({"Marker": str(begin + self.page)} if more else {})

    def _list_keys(self, user: User, query: dict[str, str]) -> Any:
        entries = []
        for key in user.keys.values():
            if self._hidden.get(key.id, 0) > 0:
                self._hidden[key.id] -= 1
                continue
            status = "Active" if key.active else "Inactive"
            entry = {"UserName": user.name, "AccessKeyId": key.id, "Status": status, "CreateDate": stamp(key.created)}
            entries.append(entry)
        return self._paged("AccessKeyMetadata", entries, query)

    def _create(self, user: User, _: dict[str, str]) -> Any:
        made = self.key(user)
        made.known += self.late
        self._hidden[made.id] = self.unlisted
        named = {"UserName": user.name, "AccessKeyId": made.id, "Status": "Active"}
        return {"AccessKey": {**named, "SecretAccessKey": made.secret, "CreateDate": stamp(made.created)}}

    def _of(self, user: User, query: dict[str, str]) -> Key:
        if query["AccessKeyId"] not in user.keys:
            raise Refused(404, "NoSuchEntity")
        return user.keys[query["AccessKeyId"]]

    def _update(self, user: User, query: dict[str, str]) -> None:
        self._of(user, query).active = query["Status"] == "Active"

    def _delete(self, user: User, query: dict[str, str]) -> None:
        del user.keys[self._of(user, query).id]

    def _last_used(self, user: User, query: dict[str, str]) -> Any:
        known = [use for use in self._of(user, query).uses if use[0] <= self.now() - self.lag]
        if not known:
            return {"UserName": user.name, "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
        at, service = max(known)
        used = {"LastUsedDate": stamp(at), "ServiceName": service, "Region": "eu-central-1"}
        return {"UserName": user.name, "AccessKeyLastUsed": used}

    def _list_tags(self, user: User, query: dict[str, str]) -> Any:
        return self._paged("Tags", [{"Key": key, "Value": value} for key, value in user.tags.items()], query)

    def _tag(self, user: User, query: dict[str, str]) -> None:
        if len(user.tags) >= 50 and query["Tags.member.1.Key"] not in user.tags:
            raise Refused(409, "LimitExceeded")
        user.tags[query["Tags.member.1.Key"]] = query["Tags.member.1.Value"]

    def _untag(self, user: User, query: dict[str, str]) -> None:
        user.tags.pop(query["TagKeys.member.1"], None)
