"""ListSecrets, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rotators.fleet.standing import Rotated, rotates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    filters = [{"Key": "name", "Values": [prefix]}] if prefix else []
    filters += [{"Key": "tag-key", "Values": [key]} for key, _ in tags]
    now, read = datetime.now(UTC), 0
    pages = client.get_paginator("list_secrets").paginate(
        Filters=filters, IncludePlannedDeletion=True, PaginationConfig={"PageSize": PAGE}
    )
    for page in pages:
        read += len(page["SecretList"])
        progress(read)
        for entry in page["SecretList"]:
            if not entry["Name"].startswith(prefix) or not _has(entry, tags):
                continue  # AWS's filters match beginnings, of keys too
            if everything or rotates(entry):
                yield Rotated.of(entry, region=region, now=now)


def _has(entry: dict[str, Any], tags: Sequence[tuple[str, str | None]]) -> bool:
    own = {tag["Key"]: tag.get("Value", "") for tag in entry.get("Tags", [])}
    return all(key in own and value in {None, own[key]} for key, value in tags)
