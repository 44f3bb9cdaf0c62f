"""
Policies of resources, read as far as a check needs: whom a statement names, and what it denies or allows.

Source: IAM user guide, "IAM JSON policy element reference".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*")


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One statement of a policy.

    Attributes:
        effect: ``Allow`` or ``Deny``.
        principals: whom it names: ARNs, account numbers, services, ``*``.
        others: whether it is about all but these.
        actions: patterns, in lower case.
        not_actions: whether it is about all but these.
        conditions: the keys of its conditions by operator, such as ``StringEquals aws:SourceAccount``, and their values.
    """

    effect: str
    principals: frozenset[str]
    others: bool
    actions: tuple[str, ...]
    not_actions: bool
    conditions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def conditional(self) -> bool:
        """Say whether it holds under conditions alone."""
        return bool(self.conditions)

    def denies(self, arn: str, action: str) -> bool:
        """Say whether it denies somebody an action; its conditions aside."""
        return self.effect == "Deny" and self.about(action) and self.names(arn)

    def allows(self, service: str, action: str) -> bool:
        """Say whether it allows a service an action; its conditions aside."""
        return self.effect == "Allow" and self.about(action) and bool({service, "*"} & self.principals)

    def about(self, action: str) -> bool:
        """Say whether an action is meant."""
        return any(fnmatchcase(action.lower(), pattern) for pattern in self.actions) != self.not_actions

    def names(self, arn: str) -> bool:
        """Say whether somebody is meant. Of a role's session, the path is not known: its name has to do."""
        account = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 - the parts of an ARN
        one_of = any(
            name in {"*", account} or name.endswith(f"::{account}:root") or _same(name, arn) for name in self.principals
        )
        return one_of != self.others


def statements(text: str) -> list[Statement]:
    """Read a policy's JSON."""
    found = json.loads(text).get("Statement", [])
    return [_statement(entry) for entry in (found if isinstance(found, list) else [found])]


def _statement(entry: dict[str, Any]) -> Statement:
    principal = entry.get("Principal", entry.get("NotPrincipal", []))
    named = principal.values() if isinstance(principal, dict) else [principal]
    actions = _list(entry.get("Action", entry.get("NotAction", [])))
    return Statement(
        effect=str(entry.get("Effect")),
        principals=frozenset(name for value in named for name in _list(value)),
        others="NotPrincipal" in entry,
        actions=tuple(action.lower() for action in actions),
        not_actions="NotAction" in entry,
        conditions={
            f"{operator} {key}": _list(value)
            for operator, tests in (entry.get("Condition") or {}).items()
            for key, value in tests.items()
        },
    )


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _same(one: str, other: str) -> bool:
    return one == other or _role(one) == _role(other) != ""


def _role(arn: str) -> str:
    session = _SESSION.fullmatch(arn)
    if session:
        return f"{session[2]}/{session[3]}"
    parts = arn.split(":", 5)
    return f"{parts[4]}/{arn.rpartition('/')[2]}" if len(parts) > 5 and parts[5].startswith("role/") else ""  # noqa: PLR2004
