"""
One HTTP request and its answer: over TLS, never redirected, never longer than the time left (law 13).

An answer's body may hold a key, and an error's body may quote the request. So no body ever gets into a text (law 9).
"""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotators import deadline, tls, waiting
from rotators.errors import ConfigurationError, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import urllib3

#: Bytes of an answer that are read; keys are short, and a list of them has pages.
LONGEST = 4 * 1024 * 1024
#: Seconds one request may take, and what is kept of the time left to say what went wrong.
PATIENCE, RESERVE = 10.0, 1.0
#: Seconds to wait after being asked to slow down by who does not say for how long.
PAUSE = 1.0
SLOW_DOWN, UNAVAILABLE = 429, 503
DENIED_TLS = "the TLS handshake failed or the certificate is not trusted"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back.

    Attributes:
        status: HTTP's.
        body: the JSON in it; None where it is none.
    """

    status: int
    body: Any

    def __repr__(self) -> str:
        return f"Answer({self.status})"


def ask(  # noqa: PLR0913 - what a request is made of, each by its name
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    who: str,
    retry_header: str = "",
) -> Answer:
    """
    Make a request, and make it again where the provider says to wait and there is time for it.

    Args:
        method: HTTP's.
        url: where.
        headers: to send.
        body: to send.
        who: what errors call the provider.
        retry_header: a header that says how many seconds to wait, beside Retry-After.

    Raises:
        TargetUnreachable: nobody answered, or asked to wait for longer than there is time.

    Example:
        >>> ask("GET", "https://api.example.com/keys", headers={}, body=None, who="example").status
        401
    """
    pause = PAUSE
    while True:
        answer, said = _once(method, url, headers, body, who)
        told = _told(said, retry_header)
        if answer.status != SLOW_DOWN and (answer.status != UNAVAILABLE or told is None):
            return answer
        wait = pause if told is None else told
        if wait > deadline.current().left() - RESERVE:
            raise TargetUnreachable(
                f"{who} answers that it is asked too often (HTTP {answer.status}), and to wait {wait:.0f} s: longer than this "
                "step has",
                cause="busy",
            )
        time.sleep(wait)
        pause *= 2


def _told(headers: Mapping[str, str], named: str) -> float | None:
    """Read how many seconds to wait. Source: RFC 9110, 10.2.3: seconds, or a date."""
    for name in ("retry-after", named):
        value = headers.get(name, "").strip() if name else ""
        if value.replace(".", "", 1).isdecimal():
            return float(value)
        if value:
            try:
                return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
            except ValueError:
                continue
    return None


def _once(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, who: str
) -> tuple[Answer, Mapping[str, str]]:
    seconds = deadline.current().wait(PATIENCE) - RESERVE / 2
    failure: TargetUnreachable | None = None
    try:
        parameters = {"method": method, "url": url, "headers": headers, "body": body, "seconds": max(0.1, seconds)}
        status, said, data = waiting.within(seconds, _send, parameters)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - urllib3's, the socket's and TLS's are all translated
        failure = _unreachable(error, who)
    if failure is not None:
        raise failure
    return Answer(status, _parsed(data)), said


def _send(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
) -> tuple[int, Mapping[str, str], bytes]:
    with _pool(seconds) as pool:
        response = pool.request(
            method, url, headers=dict(headers), body=body, redirect=False, retries=False, preload_content=False
        )
        data = response.read(LONGEST)
        return response.status, response.headers, data


def _pool(seconds: float) -> urllib3.PoolManager:
    """Return a fresh pool: a connection kept through a Lambda's sleep is dead when it is needed."""
    try:
        import urllib3  # noqa: PLC0415 - the Lambda runtime carries it; `import rotators` must not load it
    except ImportError:
        raise ConfigurationError("urllib3 is missing: pip install 'rotators[keys]'") from None
    timeout = urllib3.Timeout(connect=min(deadline.CONNECT, seconds), read=seconds)
    bundle = tls.ca_bundle()
    return urllib3.PoolManager(timeout=timeout, ssl_context=_trusting(bundle, Path(bundle).stat().st_mtime_ns))


@lru_cache(maxsize=4)
def _trusting(bundle: str, _: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _unreachable(error: Exception, who: str) -> TargetUnreachable:
    """Say what the network said. An exception's own text holds the URL, and that may hold a key."""
    names = {type(each).__name__ for each in _chain(error)}
    if any(isinstance(each, ssl.SSLError) for each in _chain(error)):
        return TargetUnreachable(f"can't reach {who}: {DENIED_TLS}; see ROTATORS_CA_BUNDLE", cause="tls")
    if names & {"TimeoutError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return TargetUnreachable(
            f"{who} did not answer in time: it hangs, or the function has no way to it (a subnet without NAT?)",
            cause="timeout",
        )
    if names & {"NameResolutionError", "gaierror"}:
        return TargetUnreachable(f"there is no host of {who}'s name, or no DNS to ask: see 'url'", cause="dns")
    if "ConnectionRefusedError" in names:
        return TargetUnreachable(f"can't reach {who}: nothing listens there", cause="refused")
    if names & {"ProtocolError", "RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "IncompleteRead"}:
        return TargetUnreachable(f"the connection to {who} was cut before the answer came", cause="dropped")
    return TargetUnreachable(
        f"can't reach {who} ({type(error).__name__}): check the function's way out", cause="network"
    )


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or each in found:
            continue
        found.append(each)
        todo += [each.__cause__, each.__context__, getattr(each, "reason", None)]
        todo += [inner for inner in each.args if isinstance(inner, BaseException)]
        todo = [inner for inner in todo if isinstance(inner, BaseException)]
    return found
