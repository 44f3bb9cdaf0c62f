"""``Conversation``: the requests of one operation, on one authority: filled in, asked, and judged by what the description says."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from rotators.engines.api_key import exchange
from rotators.engines.api_key.template import Template, text_of
from rotators.errors import ChangeRefused, CredentialRejected, SecretError, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.engines.api_key.document import Document, Request
    from rotators.engines.api_key.exchange import Answer
    from rotators.secret import Secret

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Statuses of a provider that is not well, and may be later. 501 and 505 it will say again.
UNWELL = frozenset({408, 425, 500, 502, 503, 504, *range(506, 600)})
#: The names that an admin's secret may have its provider under.
PROVIDER_KEYS = ("provider", "engine")


class Conversation:
    """
    Speaks to a provider on the authority of one secret, about another.

    Args:
        document: the provider.
        by: whose key authorises the requests.
        secret: what they are about; `by` itself where a key manages itself.
        pinned: whether the function's environment names the provider, and not the secret.

    Raises:
        SecretError: `by` is an admin's and for something else (law 5).
    """

    def __init__(self, document: Document, *, by: Secret, secret: Secret, pinned: bool) -> None:
        self._document = document
        self._sources: dict[str, Any] = {"by": by, "secret": secret, "now": int(time.time())}
        self._sources["date"] = formatdate(usegmt=True)
        if by is not secret:
            self._same(by, secret, pinned=pinned)

    def _same(self, by: Secret, secret: Secret, *, pinned: bool) -> None:
        """Law 5, for an admin: whoever may write the secret must not be able to choose whom the admin's key is sent to."""
        name = self._document.name
        named = next((by[key] for key in PROVIDER_KEYS if by.get(key)), None)
        if named != name and (named is not None or not pinned):
            raise SecretError(
                f'the admin\'s secret is not said to be for {name}; it was not used. Put "provider": "{name}" into it, if it is'
            )
        asked = [request for kind, request in self._document.requests.items() if kind != "test"]
        for url in (self._document.url, *(request.url for request in asked if request.url)):
            for place in url.places():
                if place.source == "secret" and by.get(place.key) != secret.get(place.key):
                    raise SecretError(
                        f"the admin's secret is for another place than this one: '{place.key}' differs; it was not used"
                    )

    def ask(self, kind: str, **more: Any) -> Answer:
        """
        Make one of the description's requests.

        Args:
            kind: which.
            more: what else it may name in braces.

        Raises:
            CredentialRejected: the provider refused `by`.
            ChangeRefused: it would not.
            TargetUnreachable: it did not answer, or is not well.
        """
        request = self._document.requests[kind]
        self._log_in(request)
        return self.judged(request, self._sent(request, {**self._sources, **more}), more)

    def follow(self, kind: str, url: str) -> Answer:
        """Go on with a list whose answers name their next page; it must be at the same place."""
        request = self._document.requests[kind]
        here, there = urlsplit(self._base(request, self._sources)), urlsplit(url)
        if (there.scheme, there.netloc) not in {(here.scheme, here.netloc), ("", "")}:
            raise ChangeRefused(f"{self._who} names a next page at another host; it was not asked")
        absolute = url if there.netloc else f"{here.scheme}://{here.netloc}{url}"
        return self.judged(request, self._sent(request, self._sources, absolute), {})

    def judged(self, request: Request, answer: Answer, more: Mapping[str, Any]) -> Answer:
        """Return an answer that means success, or gone; raise what any other means."""
        status = answer.status
        if status in request.gone:
            return answer
        if status in request.works:
            self._expected(request, answer, more)
            return answer
        if status in request.full:
            raise ChangeRefused(
                f"{self._who} answers HTTP {status} to {self._line(request)}, as it does where there is no room for another key: "
                "revoke one by hand, or see what rights the key has that asks"
            )
        if status in request.rejected:
            raise CredentialRejected(f"{self._who} refused the key (HTTP {status} to {self._line(request)})")
        if status in UNWELL:
            raise TargetUnreachable(f"{self._who} is not well (HTTP {status} to {self._line(request)})", cause="other")
        raise self._refusal(request, status)

    def _refusal(self, request: Request, status: int) -> ChangeRefused:
        hint = {
            401: "the key is refused",
            403: "the key has not the right to do it",
            404: "'url' or 'path' is another than the provider's",
        }.get(status, "see the provider's reference, and 'works' in the description")
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            hint = "redirects are not followed, as the key would go with them: correct 'url'"
        return ChangeRefused(f"{self._who} would not (HTTP {status} to {self._line(request)}): {hint}")

    def _expected(self, request: Request, answer: Answer, more: Mapping[str, Any]) -> None:
        for pointer, template in request.expects.items():
            if text_of(pointer.find(answer.body)) != template.fill({**self._sources, **more}):
                raise CredentialRejected(
                    f"{self._who} answered {self._line(request)}, and what is at {pointer.text or 'the top'} is not what a key "
                    "that works gets"
                )

    def taken(self, kind: str, answer: Answer, *, slot: str = "") -> dict[str, Any]:
        """
        Read what a request takes from its answer.

        Raises:
            ChangeRefused: it is not there.
        """
        found = {}
        for name, pointer in self._document.requests[kind].takes.items():
            found[name] = pointer.find(answer.body, slot=slot)
            if found[name] in (None, "") and not pointer.optional:
                raise ChangeRefused(
                    f"{self._who} answered {self._line(self._document.requests[kind])} without {name!r}, which the description "
                    f"expects at {pointer.text}"
                )
        return found

    def learn(self, source: str, values: Any) -> None:
        """Note what later requests may name."""
        self._sources[source] = values

    def _log_in(self, request: Request) -> None:
        if "login" in self._sources or "login" not in request.names:
            return
        answer = self.ask("login")
        self._sources["login"] = self.taken("login", answer)

    def _sent(self, request: Request, sources: Mapping[str, Any], absolute: str = "") -> Answer:
        sources = dict(sources)
        if request.signature is not None:
            key, text = request.signature.key.value(sources), request.signature.text.fill(sources)
            digest = hmac.new(key if isinstance(key, bytes) else str(key).encode(), text.encode(), hashlib.sha256)
            sources["signature"] = base64.b64encode(digest.digest()).decode()
        headers = {"accept": "application/json", "user-agent": "rotators"}
        headers |= {
            name.lower(): self._header(name, template.fill(sources)) for name, template in request.headers.items()
        }
        if request.basic is not None:
            pair = ":".join(template.fill(sources) for template in request.basic)
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body: bytes | None = None
        if request.body is not None:
            filled = _filled(request.body, sources)
            body = urlencode(filled).encode() if request.form else json.dumps(filled).encode()
            headers["content-type"] = "application/x-www-form-urlencoded" if request.form else "application/json"
        return exchange.ask(
            request.method,
            absolute or self._url(request, sources),
            headers=headers,
            body=body,
            who=self._who,
            retry_header=self._document.retry_header,
        )

    def _url(self, request: Request, sources: Mapping[str, Any]) -> str:
        path = request.path.fill(sources, quoted=lambda text: quote(text, safe=""))
        query = {name: template.value(sources) for name, template in request.query.items()}
        query |= sources.get("paging", {})
        url = self._base(request, sources) + path
        return url + (("&" if "?" in url else "?") + urlencode(query) if query else "")

    def _base(self, request: Request, sources: Mapping[str, Any]) -> str:
        template = request.url or self._document.url
        whole = template.text.startswith("{")
        url = template.fill(sources, quoted=str if whole else _host_part).rstrip("/")
        parts = urlsplit(url)
        if (
            parts.scheme not in {"https", "http"}
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise SecretError(
                f"the secret makes no URL of {template.text!r}: expected one such as https://api.example.com"
            )
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self._document.plaintext:
            raise SecretError(
                f"the secret makes an http URL of {template.text!r}, and keys would be sent unencrypted: use https, or say "
                f"plaintext = true in {self._document.file}"
            )
        return url

    def _header(self, name: str, value: str) -> str:
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):  # noqa: PLR2004 - control characters
            raise SecretError(f"a value of the secret has a control character, which the header {name} can't carry")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            value = ""
        if not value:
            raise SecretError(f"a value of the secret is empty or not Latin-1, which the header {name} can't carry")
        return value

    def _line(self, request: Request) -> str:
        return f"[{request.kind}] {request.method} {request.path.text or '/'}"

    @property
    def _who(self) -> str:
        return self._document.name


def _host_part(text: str) -> str:
    if not text or not all(letter.isalnum() or letter in "-._:" for letter in text) or not text.isascii():
        raise SecretError(
            "a value of the secret that is part of the provider's URL has characters that no host name has"
        )
    return text


def _filled(shape: Any, sources: Mapping[str, Any]) -> Any:
    if isinstance(shape, Template):
        return shape.value(sources)
    if isinstance(shape, dict):
        return {name: _filled(inner, sources) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [_filled(inner, sources) for inner in shape]
    return shape


def expiry(seconds: int) -> dict[str, Any]:
    """Return the end of a time from now, in the forms that providers want."""
    end = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=seconds)
    unix = int(end.timestamp())
    return {"unix": unix, "ms": unix * 1000, "iso": end.isoformat().replace("+00:00", "Z")}
