"""Which secrets a run is about: those that are named, or those that a prefix and tags find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.fleet.candidate import Candidate
from rotators.fleet.listing import entries

if TYPE_CHECKING:
    from collections.abc import Sequence


class UnknownSecrets(LookupError):
    """Some of the names are no secret's. `names` says which."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"no such secret: {', '.join(names)}")
        self.names = names


def named(client: Any, names: Sequence[str], *, region: str, apart_by: str) -> list[Candidate]:
    """
    Return the secrets of these names and ARNs, in this order, each once: a DescribeSecret for each.

    Raises:
        UnknownSecrets: there is none of that name; all such names are told at once.
        botocore.exceptions.ClientError: as DescribeSecret does.

    Example:
        >>> [secret.name for secret in named(client, ["shop/app"], region="eu-central-1", apart_by="rotators:apart")]
        ['shop/app']
    """
    found: dict[str, Candidate] = {}
    unknown = []
    for name in names:
        try:
            candidate = Candidate.of(client.describe_secret(SecretId=name), region=region, apart_by=apart_by)
        except client.exceptions.ResourceNotFoundException:
            unknown.append(name)
        else:
            found.setdefault(candidate.arn, candidate)
    if unknown:
        raise UnknownSecrets(unknown)
    return list(found.values())


def matching(
    client: Any, *, prefix: str, tags: Sequence[tuple[str, str | None]], region: str, apart_by: str
) -> list[Candidate]:
    """Return the secrets that `prefix` and `tags` find, by name: a ListSecrets for a hundred of them, and no other call."""
    read = entries(client, prefix=prefix, tags=tags)
    return sorted(
        (Candidate.of(entry, region=region, apart_by=apart_by) for entry in read), key=lambda candidate: candidate.name
    )
