"""ListSecrets, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rotators.fleet.standing import Rotated, rotates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: Source: API reference, ListSecrets, MaxResults.
PAGE = 100


def listed(  # noqa: PLR0913 - which secrets, each by its name
    client: Any,
    *,
    region: str,
    prefix: str = "",
    tags: Sequence[tuple[str, str | None]] = (),
    everything: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Rotated]:
    """
    Yield every secret of a Region that has, or had, a rotation: one call for a hundred of them.

    Args:
        client: a boto3 ``secretsmanager`` client.
        region: its name, for the result.
        prefix: of the names; empty for all.
        tags: those that all of them have: a key, and its value, or None for any.
        everything: those too that nobody ever set a rotation up for.
        progress: told after each page how many secrets have been read, those without rotation included.

    Raises:
        botocore.exceptions.ClientError: as ListSecrets does.

    Example:
        >>> [secret.name for secret in listed(client, region="eu-central-1", prefix="shop/")]
        ['shop/app']
    """
    now = datetime.now(UTC)
    for entry in entries(client, prefix=prefix, tags=tags, progress=progress):
        if everything or rotates(entry):
            yield Rotated.of(entry, region=region, now=now)


def entries(
    client: Any,
    *,
    prefix: str = "",
    tags: Sequence[tuple[str, str | None]] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Yield the entries of ListSecrets that `listed` reads, those without a rotation too."""
    filters = [{"Key": "name", "Values": [prefix]}] if prefix else []
    filters += [{"Key": "tag-key", "Values": [key]} for key, _ in tags]
    read = 0
    pages = client.get_paginator("list_secrets").paginate(
        Filters=filters, IncludePlannedDeletion=True, PaginationConfig={"PageSize": PAGE}
    )
    for page in pages:
        read += len(page["SecretList"])
        progress(read)
        for entry in page["SecretList"]:
            if entry["Name"].startswith(prefix) and _has(entry, tags):  # AWS's filters match beginnings, of keys too
                yield entry


def tagged(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of an entry of ListSecrets, or of what DescribeSecret says."""
    return {tag["Key"]: tag.get("Value", "") for tag in entry.get("Tags", [])}


def _has(entry: Mapping[str, Any], tags: Sequence[tuple[str, str | None]]) -> bool:
    own = tagged(entry)
    return all(key in own and value in {None, own[key]} for key, value in tags)
