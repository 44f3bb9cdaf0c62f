"""What we ask IAM and STS: who somebody is, and the calls about one user's keys."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.authority import IAM, STS, Authority, clients
from rotators.engines.iam.failures import ask
from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.clients import Clients


class Key(NamedTuple):
    """A key as IAM lists it: `created` in seconds since 1970."""

    id: str
    active: bool
    created: float


class Listing(NamedTuple):
    """A user's keys, and when IAM listed them, by its own clock."""

    keys: list[Key]
    now: float

    def has(self, *keys: AccessKey) -> bool:
        """Say whether all of them are among the keys."""
        return {key.id for key in keys} <= {key.id for key in self.keys}


class Use(NamedTuple):
    """The last use of a key that IAM knows of: `at` in seconds since 1970."""

    at: float
    service: str
    region: str


def owner(key: AccessKey, *, title: str) -> str:
    """
    Ask STS which IAM user's key it is, by signing with it: only who has the key's secret part gets an answer (law 5).

    Args:
        key: whose.
        title: what errors call it.

    Returns:
        The user's ARN, such as ``arn:aws:iam::123456789012:user/mail/relay``.

    Raises:
        CredentialRejected: it is not a key, or not an active one.
        SecretError: it is not an IAM user's, or of another user than the secret names.
        TargetUnreachable: STS did not answer.
    """
    answer = ask(clients(STS, key), "get_caller_identity", Authority(title, key)) or {}
    arn = str(answer.get("Arn", ""))
    if not arn.partition("/")[0].endswith(":user"):
        raise SecretError(f"{title} is not an IAM user's, but the root user's or a session's; expected an IAM user's")
    if key.user and key.user != name_of(arn):
        raise SecretError(
            f"{title} is one of the IAM user {name_of(arn)}, and the secret names another; it was not used"
        )
    return arn


def name_of(arn: str) -> str:
    """Return a user's name: the last part of the ARN, behind its path."""
    return arn.rpartition("/")[2]


class User:
    """
    An IAM user's keys, on one authority.

    Args:
        name: the user's.
        by: who asks.
        own: makes the clients that sign with the function's own credentials.

    Example:
        >>> User("relay", Authority("the function's role"), own=Clients(*IAM)).keys().keys
        [Key(id='AKIAIOSFODNN7EXAMPLE', active=True, created=1767225600.0)]
    """

    def __init__(self, name: str, by: Authority, *, own: Clients) -> None:
        self.name, self.by = name, by
        self._clients = own if by.key is None else clients(IAM, by.key)

    def keys(self) -> Listing:
        """List the keys."""
        found: list[Key] = []
        now = time.time()
        for page in self._pages("list_access_keys"):
            now = _clock(page)
            found += [
                Key(entry["AccessKeyId"], entry["Status"] == "Active", entry["CreateDate"].timestamp())
                for entry in page["AccessKeyMetadata"]
            ]
        return Listing(found, now)

    def tags(self) -> dict[str, str]:
        """Return the user's tags."""
        return {tag["Key"]: tag["Value"] for page in self._pages("list_user_tags") for tag in page["Tags"]}

    def last_use(self, key: str) -> Use | None:
        """Return the last use, None where IAM knows of none. What it knows is some hours old."""
        answer = ask(self._clients, "get_access_key_last_used", self.by, on=self.name, gone=True, AccessKeyId=key)
        used = (answer or {}).get("AccessKeyLastUsed") or {}
        if not used.get("LastUsedDate"):
            return None
        return Use(used["LastUsedDate"].timestamp(), str(used.get("ServiceName")), str(used.get("Region")))

    def mark(self, tag: str, value: str) -> None:
        """Tag the user."""
        self._ask("tag_user", Tags=[{"Key": tag, "Value": value}])

    def unmark(self, tag: str) -> None:
        """Take a tag off; one that is not there is a success."""
        self._ask("untag_user", TagKeys=[tag])

    def issue(self) -> AccessKey:
        """Issue a key. Asked once: where the answer is lost, a second try would leave two, or find no room."""
        made = self._ask("create_access_key", once=True)["AccessKey"]
        return AccessKey(str(made["AccessKeyId"]), str(made["SecretAccessKey"]))

    def delete(self, key: Key) -> None:
        """Deactivate a key, then delete it. One that is gone already is a success."""
        if key.active:
            self._ask("update_access_key", gone=True, AccessKeyId=key.id, Status="Inactive")
        self._ask("delete_access_key", gone=True, AccessKeyId=key.id)

    def _pages(self, operation: str) -> list[Mapping[str, Any]]:
        pages = [self._ask(operation)]
        while pages[-1].get("IsTruncated"):
            pages.append(self._ask(operation, Marker=pages[-1]["Marker"]))
        return pages

    def _ask(self, operation: str, *, gone: bool = False, once: bool = False, **parameters: Any) -> Mapping[str, Any]:
        parameters["UserName"] = self.name
        return ask(self._clients, operation, self.by, on=self.name, gone=gone, once=once, **parameters) or {}


def _clock(answer: Mapping[str, Any]) -> float:
    """Return when IAM answered, by its clock: the one that dates the keys."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()
