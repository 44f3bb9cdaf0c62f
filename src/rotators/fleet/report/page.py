"""``page``: the report as one HTML document that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from rotators.fleet.report import chart, rows
from rotators.fleet.report.words import MEANINGS, REPORTED, TERMS
from rotators.fleet.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.fleet.report.figures import Count, Figures
    from rotators.fleet.report.origin import Origin

#: So many of those that need somebody stand at the top as well; the others are in the table of all.
_AT_THE_TOP = 20
#: Where there is a script, the rows are not laid out before it has put most of them aside: 10,000 take a phone seconds.
_FIRST = 'document.documentElement.className = "scripted"'


def page(figures: Figures, origin: Origin) -> str:
    """
    Return the report: what came from Secrets Manager is escaped, and nothing is loaded from anywhere.

    Its Content-Security-Policy allows our style and our script by their hashes and nothing else, so that a name that got
    past the escaping would still not run.

    Example:
        >>> page(Figures(found, now), origin)[:15]
        '<!doctype html>'
    """
    style, script = _part("page.css"), _part("table.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(_FIRST)}' '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join([
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">',
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">',
        f"<title>Rotation of secrets, {origin.made:%Y-%m-%d}</title>\n<script>{_FIRST}</script>",
        f"<style>{style}</style>\n</head>\n<body>",
        _header(figures, origin),
        "<main>",
        _needs(figures),
        '<div class="charts">',
        _counted("standings", "How they stand", "All secrets with a rotation, by standing.", figures.standings),
        _counted("ages", "How old the values are", "Days since the last rotation, where not marked for deletion.", figures.ages),
        _counted(
            "times", "Ages against rules",
            "How much of the time from its last rotation to its next date each has used, where rotation is on.", figures.shares,
        ),
        _timeline(figures),
        "</div>",
        '<section id="all"><h2>All secrets</h2>',
        rows.controls(),
        rows.table("secrets", "Every secret with a rotation, worst first; dates in UTC", figures, figures.secrets),
        '<p><button id="more" type="button" hidden></button></p></section>',
        _words(),
        f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
    ])  # fmt: skip


def _header(figures: Figures, origin: Origin) -> str:
    accounts = sorted({rows.account(secret) for secret in figures.secrets}) or ["none seen"]
    about = {
        "Made": f"{origin.made:%Y-%m-%d %H:%M:%S} UTC",
        "By": origin.by,
        "Accounts": ", ".join(accounts),
        "Regions": ", ".join(origin.regions),
        "Command": origin.command,
        "Source": f"AWS Secrets Manager's ListSecrets, read once by rotators {origin.version}. No value was read.",
    }
    told = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in about.items())
    return f"<header><h1>Rotation of secrets</h1>{_verdict(figures)}<dl>{told}</dl></header>"


def _verdict(figures: Figures) -> str:
    whole, bad = len(figures.secrets), len(figures.bad)
    if not whole:
        return '<p class="verdict">No secret with a rotation was found.</p>'
    kind = "bad" if bad else "good"
    told = f"{bad:,} of {whole:,} need somebody" if bad else f"None of {whole:,} needs anybody"
    return f'<p class="verdict {kind}"><strong>{told}</strong>: secrets that are {_bad()}.</p>'


def _bad() -> str:
    *most, last = [one.value for one in Standing if one.bad]
    return f"{', '.join(most)} or {last}"


def _needs(figures: Figures) -> str:
    if not figures.bad:
        return ""
    more = len(figures.bad) - _AT_THE_TOP
    rest = f'<p>And {more:,} more: they come first in <a href="#all">the table of all</a>.</p>' if more > 0 else ""
    shown = rows.table("needs", _bad().capitalize(), figures, figures.bad[:_AT_THE_TOP])
    return f"<section><h2>What needs somebody</h2>{shown}{rest}</section>"


def _counted(name: str, heading: str, about: str, counts: Sequence[Count]) -> str:
    numbers = chart.table(["", "secrets"], [(one.label, one.count) for one in counts])
    return chart.figure(name, heading, about, chart.bars(name, heading, counts), numbers)


def _timeline(figures: Figures) -> str:
    line = figures.timeline
    about = f"By {line.unit}: each secret's last rotation, and its next date. Of rotations before the last the list does not tell."
    if line.fullest:
        about += f" The fullest day ahead is {line.fullest[0]}: {line.fullest[1]:,} due."
    if line.earlier or line.later:
        about += f" Not drawn: {line.earlier:,} earlier, {line.later:,} later."
    numbers = chart.table(
        [line.unit, "rotated last", "missed", "due"],
        [(str(one.start), one.rotated, one.missed, one.due) for one in line.slots if one.rotated or one.missed or one.due],
    )  # fmt: skip
    legend = (
        '<p class="legend"><span class="good">rotated last</span> <span class="bad">missed: the date has passed</span> '
        '<span class="due">due</span></p>'
    )
    drawn = legend + chart.columns("timeline", "Rotations over time", line)
    return chart.figure("timeline", "Rotations over time", about, drawn, numbers)


def _words() -> str:
    kinds = "".join(
        f'<div><dt><b class="{one.name.lower()}">{one.value}</b></dt><dd>{MEANINGS[one.value]}</dd></div>'
        for one in REPORTED
    )
    terms = "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(what)}</dd></div>" for term, what in TERMS.items())
    return f'<section id="words-mean"><h2>What the words mean</h2><dl class="words">{kinds}{terms}</dl></section>'


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
