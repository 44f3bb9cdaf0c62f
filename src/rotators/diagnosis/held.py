"""``Held``: what Secrets Manager says of a secret: its description, its schedule, its versions. Reads, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.calls import call
from rotators.description import Description
from rotators.diagnosis.answer import Answer, Kind
from rotators.diagnosis.schedule import Schedule
from rotators.diagnosis.version import Version
from rotators.errors import ConfigurationError, RotatorsError
from rotators.machine import AWSCURRENT, AWSPENDING, AWSPREVIOUS
from rotators.refusals import translate

if TYPE_CHECKING:
    from rotators.secret import Secret
    from rotators.store import SecretStore

LABELS = (AWSCURRENT, AWSPENDING, AWSPREVIOUS)


@dataclass(slots=True)
class Held:
    """
    A secret as it stands.

    Attributes:
        about: the labels and tags.
        name: the secret's.
        schedule: its rotation.
        versions: the labelled ones first, then those without a label, the newest first.
        notes: what could not be read.

    Example:
        >>> Held.read("app", client, store).current.labels
        ('AWSCURRENT',)
    """

    about: Description
    name: str
    schedule: Schedule
    versions: list[Version]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, secret_id: str, client: Any, store: SecretStore) -> Held:
        """
        Ask DescribeSecret, ListSecretVersionIds and, for what is labelled, GetSecretValue.

        Raises:
            RotationRefused, ConfigurationError, StoreUnavailable: there is no such secret, or it may not be read.
        """
        answer = asked(client, "describe_secret", secret_id, SecretId=secret_id)
        about = Description.of(answer, secret_id)
        held = cls(about, answer.get("Name", secret_id), Schedule.of(answer), [])
        listed: dict[str, Any] = {}
        try:
            listed = {entry["VersionId"]: entry for entry in _listed(client, about.arn)}
        except ConfigurationError as error:
            held.notes.append(f"versions without labels are not known: {for_people(error)}")
        ids = sorted(about.labels, key=lambda version: _order(about.labels[version]))
        loose = [version for version in listed if version not in about.labels]
        loose.sort(key=lambda version: listed[version]["CreatedDate"].timestamp(), reverse=True)
        for each in [*ids, *loose]:
            created = listed.get(each, {}).get("CreatedDate")
            held.versions.append(Version(each, tuple(about.labels.get(each, ())), created))
        if not about.deleted:
            for version in held.versions:
                if set(version.labels) & set(LABELS):
                    version.value = held.value(version, store)
        return held

    def value(self, version: Version, store: SecretStore) -> Secret | None:
        """Read a version's value, and note in its answer where there is none."""
        label = next((label for label in LABELS if label in version.labels), "")
        value = store.version(self.about, version.id, label=label)
        if value is None:
            version.answer = Answer(Kind.EMPTY)
        return value

    @property
    def current(self) -> Version | None:
        """The version labelled AWSCURRENT."""
        return self._of(AWSCURRENT)

    @property
    def pending(self) -> Version | None:
        """The version labelled AWSPENDING, unless it is AWSCURRENT too: then its rotation is over."""
        found = self._of(AWSPENDING)
        return found if found is not None and AWSCURRENT not in found.labels else None

    @property
    def previous(self) -> Version | None:
        """The version labelled AWSPREVIOUS."""
        return self._of(AWSPREVIOUS)

    @property
    def loose(self) -> list[Version]:
        """The versions without a label of Secrets Manager's, the newest first."""
        return [version for version in self.versions if not set(version.labels) & set(LABELS)]

    @property
    def hidden(self) -> set[str]:
        """The strings that no text may show (law 9)."""
        return {text for version in self.versions if version.value is not None for text in version.value.hidden()}

    def _of(self, label: str) -> Version | None:
        return next((version for version in self.versions if label in version.labels), None)


def asked(client: Any, operation: str, secret_id: str, **parameters: Any) -> Any:
    """Make one call of an operator's; what goes wrong is of our tree."""
    return call(lambda: client, operation, parameters, lambda e: translate(e, operation, secret_id, missing=False))


def for_people(error: RotatorsError) -> str:
    """Return an error's sentence where it is an operator who may not do something, and no function."""
    return (
        str(error).replace("the function's role", "your role").replace("the function's credentials", "your credentials")
    )


def _listed(client: Any, arn: str) -> list[Any]:
    found: list[Any] = []
    query: dict[str, Any] = {"SecretId": arn, "IncludeDeprecated": True, "MaxResults": 100}
    while True:
        answer = asked(client, "list_secret_version_ids", arn, **query)
        found += answer.get("Versions", [])
        if not answer.get("NextToken"):
            return found
        query["NextToken"] = answer["NextToken"]


def _order(labels: tuple[str, ...]) -> int:
    return min((LABELS.index(label) for label in labels if label in LABELS), default=len(LABELS))
