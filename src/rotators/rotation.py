"""``Rotation``: what one invocation is about. It reads its secrets when they are asked for, and each once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.admin import denied, place, unplaced
from rotators.errors import ConfigurationError, RotationRefused, SecretError
from rotators.machine import AWSCURRENT, AWSPENDING, AWSPREVIOUS, Step
from rotators.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.description import Description
    from rotators.event import RotationToken
    from rotators.passwords import PasswordPolicy
    from rotators.store import SecretStore

#: How many versions without labels are tried. Each may be a failed login, and servers lock accounts out for those.
ABANDONED = 10
#: The keys that may name an admin's secret.
ADMINS = ("masterarn", "adminarn")


class Rotation:
    """
    One step of one rotation.

    Attributes:
        secret_id: the secret's ARN, as the event names it.
        version: the event's ClientRequestToken, the id of the version being made.
        step: which of the four.
        about: what DescribeSecret said.

    Example:
        >>> def set(self, rotation: Rotation) -> None:
        ...     service.change(rotation.current["username"], rotation.pending["password"])
    """

    def __init__(  # noqa: PLR0913 - the event's parts, and where they are read
        self,
        store: SecretStore,
        *,
        secret_id: str,
        version: str,
        step: Step,
        about: Description,
        token: RotationToken | None = None,
    ) -> None:
        self.secret_id = secret_id
        self.version = version
        self.step = step
        self.about = about
        self._store = store
        self._token = token
        #: Seconds that storing the pending value may take, at most.
        self.patience = deadline.LONGEST
        self._seen: list[Secret] = []

    @cached_property
    def current(self) -> Secret:
        """
        The value labelled AWSCURRENT.

        Raises:
            RotationRefused: there is none.
        """
        value = self._store.labelled(self.about, AWSCURRENT, fresh=self.step is Step.CREATE)
        if value is None:
            raise RotationRefused(
                f"{self.secret_id} has no AWSCURRENT value to rotate from: store the working credential with "
                "`aws secretsmanager put-secret-value` first"
            )
        return self.saw(value)

    @cached_property
    def pending(self) -> Secret:
        """
        The value labelled AWSPENDING, which createSecret stored.

        setSecret reads it from the store even when it is in memory: what is set must be what is safely stored (law 2).

        Raises:
            RotationRefused: createSecret has stored none.
        """
        value = self._store.labelled(self.about, AWSPENDING, fresh=self.step is Step.SET)
        if value is None:
            refusal = RotationRefused(
                f"version {self.version} is AWSPENDING but has no value: createSecret has not run, or failed. Rotate again "
                f"with `aws secretsmanager rotate-secret --secret-id {self.secret_id}`",
                retryable=True,
            )
            raise refusal
        return self.saw(value)

    @cached_property
    def previous(self) -> Secret | None:
        """The value labelled AWSPREVIOUS, None where there is none."""
        value = self._store.labelled(self.about, AWSPREVIOUS, wait=False)
        return self.saw(value) if value is not None else None

    @cached_property
    def admin(self) -> Secret | None:
        """The secret that ``masterarn`` or ``adminarn`` names, None where the current value names none."""
        named = self._names_admin
        if not named:
            return None
        found: Secret | None = None
        problem = ""
        try:
            found = self.saw(self._store.another(str(self.current[named]))).keyed()
        except (RotationRefused, ConfigurationError, SecretError) as error:
            problem = str(error)
        if found is None:
            raise SecretError(f"the admin's secret that '{named}' names can't be read: {problem}")
        return found.replace(**self._admins_place) if unplaced(found, self.current) else found

    @property
    def _names_admin(self) -> str:
        """The key of the current value that names the admin's secret: AWS's own name of it, or its plain one."""
        if self.current.plain:
            return ""
        named = [key for key in ADMINS if self.current.get(key)]
        if len({self.current[key] for key in named}) > 1:
            raise SecretError(f"{' and '.join(ADMINS)} in the secret name two secrets: leave one of them")
        return named[0] if named else ""

    @cached_property
    def _admins_place(self) -> dict[str, str | int]:
        """Where RDS says the admin's secret is for, which itself does not say it."""
        problem: ConfigurationError | None = None
        try:
            tags = self._store.describe(str(self.current[self._names_admin])).tags
        except ConfigurationError as error:
            problem = error
        if problem is not None:
            raise denied(problem)
        return place(tags)

    def admin_again(self) -> Secret | None:
        """Read the admin's secret anew: it is rotated too, maybe just now."""
        self.__dict__.pop("admin", None)
        return self.admin

    def abandoned(self) -> Iterator[tuple[str, Secret]]:
        """Yield (version id, value) of versions whose labels are gone, newest first, at most `ABANDONED`."""
        for version, value in self._store.unlabelled(self.about, ABANDONED):
            if version != self.version:
                yield version, self.saw(value)

    def older(self) -> Iterator[tuple[str, Secret]]:
        """
        Yield (what to call it, value) of this secret's other versions that have keys: AWSPREVIOUS, then the abandoned ones.

        What can't be read says nothing, and is no reason to stop.
        """
        if self.previous is not None and not self.previous.plain:
            yield AWSPREVIOUS, self.previous
        try:
            for version, secret in self.abandoned():
                if not secret.plain:  # a value somebody stored by hand, in another form
                    yield f"version {version[:8]} without a label", secret
        except ConfigurationError as error:
            self.warn(f"versions whose labels are gone were not read: {error}")

    def has_pending(self) -> bool:
        """Say whether createSecret has stored its value already (law 2)."""
        return self._store.labelled(self.about, AWSPENDING, fresh=True, wait=False) is not None

    def draw_password(self, policy: PasswordPolicy) -> str:
        """Draw a fresh password from GetRandomPassword."""
        drawn = self._store.random_password(policy)
        self.saw(Secret({"password": drawn}))
        return drawn

    def store(self, value: Secret) -> None:
        """Store the pending value."""
        self.saw(value)
        with deadline.running(deadline.Deadline(deadline.current().wait(self.patience))):
            self._store.put_pending(self.about, self.version, value, self._token)

    def promote(self) -> None:
        """Move AWSCURRENT to this rotation's version."""
        self._store.move_current(self.about, self.version)

    def warn(self, text: str) -> None:
        """Write a warning that belongs to this step."""
        from rotators import telemetry  # noqa: PLC0415 - loaded by then

        telemetry.warn(text)

    def hidden(self) -> set[str]:
        """Return the strings that no text about this rotation may hold (law 9)."""
        found = {text for secret in self._seen for text in secret.hidden()}
        return found | ({self._token.reveal()} if self._token else set())

    def saw(self, value: Secret) -> Secret:
        """Note a value that no text about this rotation may show (law 9), and return it."""
        self._seen.append(value)
        return value

    def __repr__(self) -> str:
        return f"Rotation({self.step.value}, {self.secret_id}, {self.version})"
