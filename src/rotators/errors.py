"""
Everything that can go wrong, as one tree.

::

    RotatorsError
    ├── RotationRefused      the guard said no; nothing was touched (law 1)
    ├── SecretError          the secret's value is not what is needed; names the key, never the value
    ├── CredentialRejected   the target knows the credential and refuses it
    ├── TargetUnreachable    the target could not be asked; changes nothing (law 8); retryable
    ├── ChangeRefused        the target refused the change, or it did not take and was undone (law 10)
    ├── ConfigurationError   environment, tag, permission or extra missing; says what to set
    ├── StoreUnavailable     Secrets Manager (or RDS) could not be asked; retryable
    └── HookFailed           code of a subclass raised something that is not ours

Each carries ``step``, ``secret_id`` and ``version`` (filled in on the way out of the handler) and ``retryable``: whether
the same rotation, run again as Secrets Manager does, may succeed without anybody mending anything.

A driver's exception never crosses our border with its chain: ``logger.exception`` prints ``__context__`` too, and a
driver's text may quote a statement. So ours are raised after the ``except`` block has ended, not inside it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RotatorsError(Exception):
    """
    The root. Catch this to catch all of ours.

    Args:
        message: cause and fix, in a sentence or two; never a secret.
        retryable: overrules the class's own answer.
    """

    default_retryable = False

    def __init__(self, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.retryable = self.default_retryable if retryable is None else retryable
        self.step: str | None = None
        self.secret_id: str | None = None
        self.version: str | None = None


class RotationRefused(RotatorsError):
    """The event, the secret or the token is not one this step may work on. Where a guard says so, nothing was touched."""


class SecretError(RotatorsError):
    """The secret's value is not what is needed. Names the key and the expected form, never the value."""


class CredentialRejected(RotatorsError):
    """The target answered, and said no to this credential. The one answer that lets the next authority be tried."""


class TargetUnreachable(RotatorsError):
    """
    The target could not be asked, so nothing is known and nothing is changed.

    Args:
        message: what it was and what to look at.
        cause: one word for machines: ``dns``, ``refused``, ``timeout``, ``tls``, ``busy``, ``starting``, ``dropped``,
            ``network``, ``denied``, ``other``.
    """

    default_retryable = True

    def __init__(self, message: str, *, cause: str = "other", retryable: bool | None = None) -> None:
        super().__init__(message, retryable=retryable)
        self.cause = cause


class ChangeRefused(RotatorsError):
    """The target refused the change (rights, policy, a read-only standby), or the change did not take and was undone."""


class ConfigurationError(RotatorsError):
    """The function is not set up for this: says which variable, tag, permission or extra to set."""


class StoreUnavailable(RotatorsError):
    """Secrets Manager, or RDS about an admin's server, could not be asked: throttled, timed out, no route."""

    default_retryable = True


class HookFailed(RotatorsError):
    """A rotator's own method raised something outside this tree. Text is scrubbed, the place is named."""

    default_retryable = True


def scrub(text: str, secrets: Iterable[str]) -> str:
    """
    Replace every secret in a text (law 9).

    The longest go first, so that a secret that contains another leaves nothing behind.

    Example:
        >>> scrub("login failed for hunter2", ["hunter2"])
        'login failed for ***'
    """
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may stand in a text: as it is, in a repr, in JSON, in a URL."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    with suppress(UnicodeEncodeError):
        yield quote(secret, safe="")
        yield quote_plus(secret)


OURS = Path(__file__).parent
#: What HTTP clients raise when nobody answered; named, as none of them is loaded for this.
NETWORK = {"urllib3.exceptions.HTTPError", "httpx.TransportError", "requests.exceptions.RequestException"}


def stranger(error: Exception, secrets: Iterable[str]) -> RotatorsError:
    """
    Make of a stranger's exception one of ours: its type, its scrubbed text, and where it was raised.

    Args:
        error: what a method of a subclass raised.
        secrets: what its text must not show.

    Returns:
        TargetUnreachable for a network failure, ConfigurationError for a missing module, HookFailed for anything else.
    """
    place, home = "", None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        if home is None and path.parent != OURS:
            home = path.parent  # the subclass's own folder: what it calls, lies elsewhere
        if path.parent == home:
            place = f" at {path.name}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    text = f"{type(error).__name__}: {scrub(str(error), secrets)}{place}"
    names = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__}
    if isinstance(error, (ConnectionError, TimeoutError)) or names & NETWORK:
        return TargetUnreachable(text, cause="network")
    if isinstance(error, ModuleNotFoundError) and error.name:
        module = scrub(error.name.partition(".")[0], secrets)
        return ConfigurationError(f"{text}: {module} is not installed, pip install '{module}' or what else brings it")
    return HookFailed(text)
