"""``Target``: the far side as the secret's own rotator knows it: whose identity, on whose authority, how much room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators import admin as admins
from rotators import deadline, telemetry
from rotators.database_secret import DatabaseSecret
from rotators.diagnosis.answer import PATIENCE, Answer, Asked, Kind, told
from rotators.engine_rotator import EngineRotator
from rotators.engines import ENGINES
from rotators.engines.iam import AccessKeyRotator
from rotators.errors import ConfigurationError, RotatorsError, SecretError
from rotators.key_rotator import KeyRotator
from rotators.machine import Step
from rotators.rotation import ADMINS, Rotation
from rotators.secret import Secret
from rotators.strategies import AlternatingUsers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.abc import Engine
    from rotators.diagnosis.held import Held
    from rotators.rotator import Rotator
    from rotators.store import SecretStore


class Target:
    """
    One secret's rotator, and what it can be asked beside `Rotator.test`.

    Args:
        rotator: of the secret.
        held: the secret; has a current value.
        store: an operator's calls.

    Example:
        >>> Target(rotator, held, store).strategy
        'alternating'
    """

    def __init__(self, rotator: Rotator, held: Held, store: SecretStore) -> None:
        self.rotator = rotator
        self._held, self._store = held, store
        assert held.current is not None  # noqa: S101 - for the type checker: who makes one has looked
        assert held.current.value is not None  # noqa: S101
        self.current: Secret = held.current.value

    @property
    def is_keys(self) -> bool:
        """Say whether the credential is a key that was issued, which no admin can set again."""
        return isinstance(self.rotator, (KeyRotator, AccessKeyRotator))

    @property
    def engine(self) -> Engine | None:
        """The engine, None where the rotator has none, or none for this value."""
        if not isinstance(self.rotator, EngineRotator):
            return None
        try:
            return self.rotator.engine_of(self.current)
        except RotatorsError:
            return None

    @property
    def strategy(self) -> str:
        """The strategy's name, empty where there is none to choose."""
        if not isinstance(self.rotator, EngineRotator):
            return ""
        try:
            return self.rotator.strategy_of(self.rotation()).name
        except RotatorsError:
            return ""

    @property
    def pair(self) -> dict[str, str]:
        """Who is who, of alternating users; empty where they don't."""
        if self.strategy != AlternatingUsers.name:
            return {}
        try:
            return {"current": self.current["username"], "other": AlternatingUsers().next(self.current)["username"]}
        except SecretError:
            return {}

    @property
    def where(self) -> str:
        """Where it is, for a sentence."""
        resource = self._resource(self.current)
        return ":".join(str(resource[key]) for key in ("host", "port") if key in resource) or "the target"

    @property
    def labelled(self) -> list[Secret]:
        """The values of AWSCURRENT, AWSPENDING and AWSPREVIOUS that have keys."""
        versions = (self._held.current, self._held.pending, self._held.previous)
        values = [version.value for version in versions if version is not None]
        return [value for value in values if value is not None and not value.plain]

    def rotation(self, version: str = "", step: Step = Step.SET) -> Rotation:
        """Return what a step for a version would be about."""
        return Rotation(self._store, secret_id=self._held.about.arn, version=version, step=step, about=self._held.about)

    def elsewhere(self, version: str) -> Answer | None:
        """Law 5, as the rotator itself holds pending to it; None where it may be asked."""
        failure: RotatorsError | None = None
        try:
            self.rotator.check(self.rotation(version))
        except RotatorsError as error:
            failure = error
        if failure is None:
            return None
        answer = told(failure, self._held.hidden)
        differs = isinstance(failure, SecretError) and "differ" in answer.said
        return Answer(Kind.ELSEWHERE, said=answer.said) if differs else answer

    def fits(self, value: Secret) -> Answer | None:
        """Law 5 for an older value: for the same thing as current, or of the other user of its pair; None where it may be asked."""
        if value.plain != self.current.plain:
            return Answer(Kind.MALFORMED, said="it is of another form than AWSCURRENT")
        failure: RotatorsError | None = None
        wrong: list[str] = []
        try:
            ours, theirs = self._resource(self.current, firm=True), self._resource(value, firm=True)
            wrong = sorted(f"'{key}'" for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
        except RotatorsError as error:
            failure = error
        if failure is not None:
            return told(failure, {*self._held.hidden, *value.hidden()})
        if wrong == ["'username'"] and value.get("username") == self.pair.get("other"):
            wrong = []
        return Answer(Kind.ELSEWHERE, said=f"{', '.join(wrong)} differ") if wrong else None

    def _resource(self, value: Secret, *, firm: bool = False) -> Mapping[str, Any]:
        try:
            if isinstance(self.rotator, KeyRotator):
                return self.rotator.provider_of(value).resource(value)
            if self.engine is not None:
                return self.engine.resource(value)
            return {} if value.plain else {key: value[key] for key in self.rotator.resource_keys if key in value}
        except RotatorsError:
            if firm:
                raise
            return {}

    # -- the admin ---------------------------------------------------------------------------------------------------

    @property
    def admins_secret(self) -> str:
        """Which secret is the admin's; empty where the current value names none."""
        if self.current.plain:
            return ""
        return next((str(self.current[key]) for key in ADMINS if self.current.get(key)), "")

    def admin(self) -> tuple[Secret | None, str]:
        """Read the admin's secret. Returns it, and why it can't be used."""
        try:
            return self.rotation().admin, ""
        except RotatorsError as error:
            return None, str(error)

    def admin_answer(self, admin: Secret, asked: Asked) -> Answer:
        """Ask whether the admin opens its own server, which must be the secret's (law 5)."""
        if self.engine is None or "host" not in self._resource(self.current):
            return Answer(Kind.UNASKED, said="it is not one that logs in at the target")
        hidden = {*self._held.hidden, *admin.hidden()}
        failure: RotatorsError | None = None
        value = admin
        try:
            with deadline.running(deadline.Deadline(PATIENCE)):
                value = self._placed(self.engine, admin)
        except RotatorsError as error:
            failure = error
        return told(failure, hidden) if failure is not None else asked.of(self.rotator, value, hidden=hidden)

    def _placed(self, engine: Engine, admin: Secret) -> Secret:
        """Return the admin's value with all that a login needs, if it is for the secret's server."""
        resource = engine.resource(self.current)
        name = str(self.current.get("engine"))
        module = ENGINES.get(name)
        names = {each for each, where in ENGINES.items() if where == module} if module else {name}
        nobody = self.current.replace(username="-", password="-")  # noqa: S106 - who logs in there is not asked here
        port, dbname = int(resource["port"]), str(resource.get("dbname", ""))
        target = DatabaseSecret.of(nobody, engines=names, port=port, dbname=dbname)
        view = admins.authority(admin, target, engines=names)
        # an admin of MySQL's may have no right on the secret's database, and needs none
        database = {"dbname": view.dbname} if engine.name == "postgres" else {}
        rest = {key: admin[key] for key in admin if key != "dbname"}
        place = {"engine": name, "host": view.host, "port": view.port, "ssl": view.tls}
        return Secret({**rest, **place, **database})

    def put_back(self, value: Secret | None = None) -> None:
        """
        Let the admin set the password that AWSCURRENT holds; the engine proves it by a login (law 10).

        Args:
            value: of AWSCURRENT, where that has moved since.

        Raises:
            RotatorsError: as `Engine.set`, or the admin can't be used.
        """
        admin, problem = self.admin()
        if admin is None or self.engine is None:
            raise ConfigurationError(problem or "there is no admin")
        with deadline.running(deadline.Deadline()), telemetry.noting():
            self.engine.set(value or self.current, by=admin, like=self.current)
