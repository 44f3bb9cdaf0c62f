"""ListSecrets and BatchGetSecretValue: many secrets at once, filtered and in pages."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rotators.testing.pages import page
from rotators.testing.records import Record, described
from rotators.testing.service_error import ServiceError, invalid_parameter
from rotators.testing.values import get_secret_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rotators.testing.account import Account

PAGE, BATCH = 100, 20
_ORDERS: dict[str, Callable[[Record], Any]] = {
    "created-date": attrgetter("created"),
    "last-changed-date": attrgetter("changed"),
    "last-accessed-date": lambda record: record.accessed or 0.0,
    "name": attrgetter("name"),
}


def list_secrets(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """All secrets that match, without those marked for deletion unless asked for."""
    planned = request.get("IncludePlannedDeletion", False)
    found = [record for record in account.records() if record.deletion is None or planned]
    found = matching(found, account.region, request.get("Filters", []))
    found.sort(key=_ORDERS[request.get("SortBy", "created-date")])
    if request.get("SortOrder") == "desc":
        found.reverse()
    shown, more = page(found, request, "ListSecrets", PAGE)
    return {"SecretList": [_entry(record) for record in shown]} | more


def _entry(record: Record) -> dict[str, Any]:
    labelled = record.versions.labelled()
    return described(record) | ({"SecretVersionsToStages": labelled} if labelled else {})


def matching(records: Iterable[Record], region: str, filters: list[dict[str, Any]]) -> list[Record]:
    """Those that every filter takes, by any of its values (API reference, Filter)."""
    for one in filters:
        tests = [_test(one["Key"], word, region) for word in one["Values"]]
        records = [record for record in records if any(test(record) for test in tests)]
    return list(records)


def _test(key: str, word: str, region: str) -> Callable[[Record], bool]:
    """One value of a filter: a prefix, but for `all`; a `!` before it negates."""
    if word.startswith("!"):
        positive = _test(key, word[1:], region)
        return lambda record: not positive(record)
    lower = word.lower()
    words = lower.split()
    tests: dict[str, Callable[[Record], bool]] = {
        "name": lambda record: record.name.startswith(word),
        "tag-key": lambda record: any(tag.startswith(word) for tag in record.tags),
        "tag-value": lambda record: any(value.startswith(word) for value in record.tags.values()),
        "primary-region": lambda _: region.startswith(word),
        "owning-service": lambda _: False,  # of another service's secrets there are none here
        "description": lambda record: any(text.startswith(lower) for text in _described(record)),
        "all": lambda record: all(any(part in text for text in _texts(record)) for part in words),
    }
    return tests[key]


def _described(record: Record) -> list[str]:
    """The description, and each word of it: this filter is not case-sensitive."""
    text = (record.description or "").lower()
    return [text, *text.split()]


def _texts(record: Record) -> list[str]:
    """Where `all` looks for words, whatever their case."""
    return [text.lower() for text in (record.name, record.description or "", *record.tags, *record.tags.values())]


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
        wanted = [record.arn for record in matching(found, account.region, filters or [])]
    shown, more = page(wanted, request, "BatchGetSecretValue", BATCH)
    values, errors = [], []
    for secret_id in shown:
        try:
            values.append(get_secret_value(account, {"SecretId": secret_id}))
        except ServiceError as error:
            errors.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": values, "Errors": errors} | more


OPERATIONS = {"ListSecrets": list_secrets, "BatchGetSecretValue": batch_get_secret_value}
