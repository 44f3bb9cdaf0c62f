"""The table of all secrets: complete without a script, which only sorts, filters and shortens it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from rotators.fleet.report.words import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rotators.fleet.report.figures import Figures
    from rotators.fleet.standing import Rotated

#: Heading, and how the script compares: `o` as listed (worst first), `t` text, `n` numbers.
COLUMNS = [
    ("standing", "o"), ("secret", "t"), ("account", "t"), ("region", "t"), ("last rotated", "t"), ("age, days", "n"),
    ("next by", "t"), ("rule", "t"), ("waits since", "t"),
]  # fmt: skip


def table(name: str, caption: str, figures: Figures, secrets: Iterable[Rotated]) -> str:
    """Return a table of secrets."""
    heads = "".join(f'<th scope="col" data-by="{by}">{head}</th>' for head, by in COLUMNS)
    body = "\n".join(_row(figures, secret) for secret in secrets)
    return (
        f'<table class="secrets" id="{name}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table>"
    )


def controls() -> str:
    """Return what the script shows above the table, and makes work."""
    kinds = "".join(f"<option>{one.value}</option>" for one in REPORTED)
    return (
        '<div id="controls" hidden><label>Filter <input id="words" type="search" '
        'placeholder="name, account, region, rule"></label>'
        f'<label>Standing <select id="kind"><option value="">all</option>{kinds}</select></label>'
        '<p id="shown" role="status"></p></div>'
    )


def account(secret: Rotated) -> str:
    """Return the number of a secret's account, from its ARN."""
    parts = secret.arn.split(":")
    return parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - arn:partition:service:region:account


def _row(figures: Figures, secret: Rotated) -> str:
    age = figures.age(secret)
    cells = [
        secret.name,
        account(secret),
        secret.region,
        _date(secret.last),
        "" if age is None else str(age),
        _date(secret.next),
        secret.rule,
        _date(secret.pending_since),
    ]
    kind = secret.standing.name.lower()
    told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><td><b class="{kind}">{secret.standing.value}</b></td>{told}</tr>'


def _date(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}" if at else ""
