"""ListSecrets and BatchGetSecretValue: many secrets at once, filtered and in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.testing.pages import page
from rotators.testing.records import Record, described
from rotators.testing.service_error import ServiceError, invalid_parameter
from rotators.testing.values import get_secret_value

if TYPE_CHECKING:
    from rotators.testing.account import Account

PAGE, BATCH = 100, 20


def list_secrets(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """All secrets that match, without those marked for deletion unless asked for."""
    planned = request.get("IncludePlannedDeletion", False)
    found = [record for record in account.records() if record.deletion is None or planned]
    found = [record for record in found if matches(record, account.region, request.get("Filters", []))]
    found.sort(key=lambda record: _order(record, request.get("SortBy", "created-date")))
    if request.get("SortOrder") == "desc":
        found.reverse()
    shown, more = page(found, request, "ListSecrets", PAGE)
    return {"SecretList": [_entry(record) for record in shown]} | more


def _entry(record: Record) -> dict[str, Any]:
    labelled = record.versions.labelled()
    return described(record) | ({"SecretVersionsToStages": labelled} if labelled else {})


def _order(record: Record, by: str) -> Any:
    return {
        "created-date": (record.created, record.name),
        "last-changed-date": (record.changed, record.name),
        "last-accessed-date": (record.accessed or 0.0, record.name),
        "name": (record.name,),
    }[by]


def matches(record: Record, region: str, filters: list[dict[str, Any]]) -> bool:
    """Every filter must match, by any of its values (API reference, Filter; prefixes, `!` negates)."""
    return all(any(_matches(record, region, one["Key"], word) for word in one["Values"]) for one in filters)


def _matches(record: Record, region: str, key: str, word: str) -> bool:
    if word.startswith("!"):
        return not _matches(record, region, key, word[1:])
    description = record.description or ""
    if key == "all":  # not case-sensitive, word by word
        texts = [record.name, description, *record.tags, *record.tags.values()]
        return all(any(part.lower() in text.lower() for text in texts) for part in word.split())
    if key == "description":  # not case-sensitive
        return any(text.lower().startswith(word.lower()) for text in (description, *description.split()))
    prefixed: dict[str, list[str]] = {
        "name": [record.name],
        "tag-key": list(record.tags),
        "tag-value": list(record.tags.values()),
        "primary-region": [region],
        "owning-service": [],
    }
    return any(text.startswith(word) for text in prefixed[key])


def batch_get_secret_value(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Several values at once; one that fails is named under Errors."""
    wanted, filters = request.get("SecretIdList"), request.get("Filters")
    if bool(wanted) == bool(filters):
        raise invalid_parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if wanted and "MaxResults" in request:
        raise invalid_parameter(
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
        )
    if not wanted:
        found = [record for record in account.records() if record.deletion is None]
        wanted = [record.arn for record in found if matches(record, account.region, filters or [])]
    shown, more = page(wanted, request, "BatchGetSecretValue", BATCH)
    values, errors = [], []
    for secret_id in shown:
        try:
            values.append(get_secret_value(account, {"SecretId": secret_id}))
        except ServiceError as error:
            errors.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": values, "Errors": errors} | more


OPERATIONS = {"ListSecrets": list_secrets, "BatchGetSecretValue": batch_get_secret_value}
