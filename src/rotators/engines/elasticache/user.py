"""``User``: a user as its service has it. The service says of passwords how many there are, and never which."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rotators import deadline
from rotators.engines.elasticache.failures import ask
from rotators.errors import ChangeRefused, ConfigurationError, RotatorsError, SecretError, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.engines.elasticache.cache_user import CacheUser

#: Seconds between two questions whether a change is done; the last goes on. And what is left for the answer.
PAUSES, ANSWER = (0.5, 1.0, 2.0), 1.0
ACTIVE, GOING = "active", "deleting"
#: The tag that says what was set, by `CacheUser.mark`.
TAG = "rotators:set"


class Standing(NamedTuple):
    """
    What the service says.

    Attributes:
        status: active, modifying or deleting.
        type: password, no-password or iam.
        passwords: how many.
        off: whether the access string lets it log in nowhere.
    """

    status: str
    type: str
    passwords: int
    off: bool


class User:
    """
    A user, asked and changed by the function's role.

    Args:
        who: what the secret says of it.

    Example:
        >>> User(who).settle()
        Standing(status='active', type='password', passwords=2, off=False)
    """

    def __init__(self, who: CacheUser) -> None:
        self._who, self._service = who, who.service

    def look(self) -> Standing:
        """
        Ask for the user, and compare it with the secret (law 5): the API knows a user by its id alone, so an ARN of another account
        would change the one of this account that has the same id.

        Raises:
            SecretError: it is not the one that the secret names.
            ChangeRefused: it is being deleted.
        """
        who, service = self._who, self._service
        answer = ask(who, "describe_users", {service.id: who.id}) or {}
        found = next((user for user in answer.get("Users", []) if user.get("ARN", "").lower() == who.arn.lower()), None)
        if found is None:
            raise SecretError(
                f"the user {who.id} that {service.title} has is not the one of 'user_arn' in the secret, but of another account; "
                "nothing was changed"
            )
        if found.get(service.username) != who.username:
            raise SecretError(
                f"'username' in the secret is not what the user {who.id} of 'user_arn' logs in with; nothing was changed"
            )
        if found.get("Status") == GOING:
            raise ChangeRefused(f"the user {who.id} is being deleted")
        authentication = found.get("Authentication") or {}
        switches = [word for word in str(found.get("AccessString", "")).split() if word in {"on", "off"}]
        return Standing(
            str(found.get("Status")),
            str(authentication.get("Type")),
            int(authentication.get("PasswordCount") or 0),
            off=switches[-1:] == ["off"],
        )

    def settle(self) -> Standing:
        """
        Wait until no change is going on, within the time left (law 13).

        Raises:
            TargetUnreachable: it takes longer; retryable.
        """
        tried = 0
        while True:
            seen = self.look()
            if seen.status == ACTIVE:
                return seen
            pause = PAUSES[min(tried, len(PAUSES) - 1)]
            if deadline.current().left() < pause + ANSWER:
                raise TargetUnreachable(
                    f"the user {self._who.id} is {seen.status} still, and the time is up: the change goes on without us, and the "
                    "next try finds it done. Raise the function's Timeout to 30 seconds",
                    cause="busy",
                )
            time.sleep(pause)
            tried += 1

    def replace(self, passwords: Sequence[str]) -> bool:
        """Let the user have these passwords and no other; False where another change is going on."""
        deadline.current().enough()
        who, service = self._who, self._service
        answer = ask(who, service.update, {service.id: who.id, **service.passwords(passwords)}, busy=True)
        if answer is None:
            time.sleep(PAUSES[0])
        return answer is not None

    def mark(self) -> str | None:
        """Return what the tag says was set; nothing where there is none; None where the role may not ask."""
        try:
            answer = ask(self._who, self._service.list_tags, {self._service.resource: self._who.arn}) or {}
        except (ConfigurationError, ChangeRefused, SecretError):
            return None
        return next((str(tag.get("Value")) for tag in answer.get("TagList", []) if tag.get("Key") == TAG), "")

    def sign(self, value: str) -> None:
        """
        Tag the user with what was set, where the role may.

        Raises:
            RotatorsError: the tag could not be written, and the one that is there would tell something else.
        """
        tags = [{"Key": TAG, "Value": value}]
        try:
            ask(self._who, self._service.add_tags, {self._service.resource: self._who.arn, "Tags": tags})
        except RotatorsError as error:
            if error.retryable or self.mark():
                raise
