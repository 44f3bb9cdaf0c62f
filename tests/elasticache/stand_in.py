"""
ElastiCache's and MemoryDB's users over HTTP on loopback, by their API references, and stricter than moto, which knows no ModifyUser.

A modification takes a while: the user is "modifying" for as many questions as a test says, refuses another one, and only then do its
passwords change at a real Redis server. So what opens there is what the services would have let in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.elasticache.wires import answer, refusal, request

if TYPE_CHECKING:
    from rotators.lab.redis import Redis

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "eu-west-1"


@dataclass
class User:
    service: str
    id: str
    name: str
    passwords: list[str]
    access: str = "on ~app:* +@read"
    kind: str = "password"
    account: str = ACCOUNT
    region: str = REGION
    status: str = "active"
    coming: list[str] = field(default_factory=list)
    left: int = 0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        part = "user:" if self.service == "elasticache" else "user/"
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{part}{self.id}"


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str = "said so") -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


class Cache:
    """
    Attributes:
        slow: how many DescribeUsers a modification takes.
        lost: modifications that do not reach the server, though the user is active afterwards.
        faults: (action, status, code, whether the work is done before) of answers to come; a code of '' never answers.
        denied: actions that the role may not do.
        asked: (service, action, parameters) of each call that was answered by the rules.
    """

    def __init__(self, server: Redis | None) -> None:
        self.server, self.users = server, dict[tuple[str, str], User]()
        self.lock = threading.RLock()
        self.slow, self.lost, self.down = 2, 0, False
        self.faults: list[tuple[str, int, str, bool]] = []
        self.denied: set[str] = set()
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._silent = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._silent.set()
        self._http.shutdown()
        self._http.server_close()

    # -- what a test does by hand ------------------------------------------------------------------------------------

    def user(self, service: str, name: str, *passwords: str, **more: Any) -> User:
        """Make a user, as CreateUser does."""
        user = User(service, more.pop("id", name), name, list(passwords), **more)
        if not passwords:
            user.kind = more.get("kind", "no-password")
        self.users[service, user.id.lower()] = user
        self.apply(user)
        return user

    def apply(self, user: User) -> None:
        """Let the server know it."""
        if self.server is not None:
            words = [f">{password}" for password in user.passwords] or ["nopass"] * (user.kind == "no-password")
            access = user.access.split()
            self.server.execute("ACL", "SETUSER", user.name, "resetpass", "-@all", *access, *words)

    def actions(self) -> list[str]:
        return [action for _, action, _ in self.asked]

    # -- HTTP --------------------------------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cache = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for the client's ACK of its headers

            def do_POST(self) -> None:
                headers = {key.lower(): value for key, value in self.headers.items()}
                body = self.rfile.read(int(headers["content-length"]))
                action, parameters = request(headers, body)
                try:
                    status, (kind, text) = 200, answer(headers, action, cache._done(headers, action, parameters))
                except Refused as refused:
                    if not refused.code:
                        cache._silent.wait(30)
                        self.close_connection = True
                        return
                    status, (kind, text) = refused.status, refusal(headers, refused.code, refused.text)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None: ...

        return Handler

    def _done(self, headers: dict[str, str], action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        _, _, region, service, _ = headers["authorization"].partition("Credential=")[2].split(",")[0].split("/")
        with self.lock:
            if self.down:
                raise Refused(503, "ServiceUnavailable")
            fault = next((fault for fault in self.faults if fault[0] == action), None)
            if fault is not None:
                self.faults.remove(fault)
                if not fault[3]:
                    raise Refused(fault[1], fault[2])
            self.asked.append((service, action, parameters))
            if action in self.denied:
                raise Refused(403, "AccessDenied" if service == "elasticache" else "AccessDeniedException")
            does = {
                "DescribeUsers": self._describe,
                "ModifyUser": self._modify,
                "UpdateUser": self._modify,
                "ListTagsForResource": self._tags,
                "ListTags": self._tags,
                "AddTagsToResource": self._tag,
                "TagResource": self._tag,
            }
            result = does[action](self._of(service, region, parameters), parameters)
            if fault is not None:
                raise Refused(fault[1], fault[2])
            return result

    def _of(self, service: str, region: str, parameters: dict[str, Any]) -> User:
        arn = parameters.get("ResourceName") or parameters.get("ResourceArn")
        named = parameters.get("UserId" if service == "elasticache" else "UserName", "")
        for user in self.users.values():
            if (
                user.service == service
                and user.region == region
                and (user.arn == arn or user.id.lower() == named.lower())
            ):
                return user
        fault = "" if service == "elasticache" else "Fault"
        raise Refused(404, f"UserNotFound{fault}", f"User {named or arn} not found.")

    def _describe(self, user: User, _: dict[str, Any]) -> dict[str, Any]:
        if user.status == "modifying":
            user.left -= 1
            if user.left <= 0:
                user.status, user.passwords, user.kind = "active", user.coming, "password"
                if self.lost:
                    self.lost -= 1
                else:
                    self.apply(user)
        return {"Users": [self._shown(user)]}

    def _shown(self, user: User) -> dict[str, Any]:
        count = {"PasswordCount": len(user.passwords)} if user.kind == "password" else {}
        named = {"UserId": user.id, "UserName": user.name} if user.service == "elasticache" else {"Name": user.name}
        more = {"Status": user.status, "AccessString": user.access, "ARN": user.arn}
        return {**named, **more, "Authentication": {"Type": user.kind, **count}}

    def _modify(self, user: User, parameters: dict[str, Any]) -> dict[str, Any]:
        elasticache = user.service == "elasticache"
        passwords = parameters["Passwords"] if elasticache else parameters["AuthenticationMode"]["Passwords"]
        if user.status != "active":
            code = "InvalidUserState" + ("" if elasticache else "Fault")
            raise Refused(400, code, f"User {user.id} has status {user.status}. Only active users can be modified.")
        end = "" if elasticache else "Exception"
        if not 1 <= len(passwords) <= 2 or len(set(passwords)) != len(passwords):
            raise Refused(400, f"InvalidParameterCombination{end}", f"No more than two passwords: {passwords}")
        for password in passwords:
            if not 16 <= len(password) <= 128 or not password.isprintable() or set(password) & set(',"/@'):
                raise Refused(
                    400, f"InvalidParameterValue{end}", f"Passwords length must be between 16-128: {password}"
                )
        user.status, user.coming, user.left = "modifying", list(passwords), self.slow
        shown = self._shown(user)
        return shown if elasticache else {"User": shown}

    def _tags(self, user: User, _: dict[str, Any]) -> dict[str, Any]:
        return {"TagList": [{"Key": key, "Value": value} for key, value in user.tags.items()]}

    def _tag(self, user: User, parameters: dict[str, Any]) -> dict[str, Any]:
        user.tags |= {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        return self._tags(user, parameters)
