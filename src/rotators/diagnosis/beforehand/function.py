"""Whether the function is there, has the time it needs, and lets Secrets Manager invoke it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from rotators.deadline import CONNECT, LONGEST, PROOF
from rotators.diagnosis.beforehand.asking import NotThere, ask
from rotators.diagnosis.beforehand.line import Line, failed, passed, warned
from rotators.diagnosis.beforehand.policy import Statement, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.diagnosis.beforehand.subject import Subject

SERVICE = "secretsmanager.amazonaws.com"
#: Seconds without which a change may never be begun: a slow connection, and the time for a proof and an undo (law 13).
SHORTEST = CONNECT + 2 * PROOF + 2.0


def there(subject: Subject) -> Iterator[Line]:
    """It is in the secret's region, runs, and has time."""
    name = subject.function
    try:
        told = subject.configuration
    except NotThere:
        yield failed(f"there is no function {name}", "rotators' own come with `sam deploy`; or correct --function")
        return
    region = str(told["FunctionArn"]).split(":")[3]
    if region != subject.region:
        yield failed(f"it is in {region}, and the secret in {subject.region}", "a function in the secret's region")
    state, update = told.get("State", "Active"), told.get("LastUpdateStatus", "Successful")
    if state == "Failed" or update == "Failed":
        why = told.get("StateReason") or told.get("LastUpdateStatusReason") or "see Lambda's console"
        yield failed(f"Lambda can't run it: {why}")
    timeout = float(told.get("Timeout", 3))
    said = f"its Timeout is {timeout:g} s, and a rotation counts on {LONGEST:g} s"
    remedy = f"aws lambda update-function-configuration --function-name {name} --timeout {LONGEST:g}"
    if timeout < SHORTEST:
        yield failed(said, remedy)
    elif timeout < LONGEST:
        yield warned(said, remedy)
    else:
        yield passed(f"{told['FunctionName']}, handler {told.get('Handler', '-')}, Timeout {timeout:g} s")


def invocable(subject: Subject) -> Iterator[Line]:
    """Its resource policy lets Secrets Manager of this account invoke it for this secret."""
    add = (
        f"aws lambda add-permission --function-name {subject.function} --statement-id SecretsManager --action "
        f"lambda:InvokeFunction --principal {SERVICE} --source-account {subject.account}"
    )
    try:
        text = ask(subject.client("lambda"), "get_policy", **_named(subject))["Policy"]
    except NotThere:
        yield failed("it has no resource policy, so Secrets Manager may not invoke it", add)
        return
    action = "lambda:InvokeFunction"
    found = [statement for statement in statements(text) if statement.allows(SERVICE, action)]
    if any(
        entry.effect == "Deny" and entry.about(action) and {SERVICE, "*"} & entry.principals
        for entry in statements(text)
    ):
        yield failed("a statement of its resource policy denies it", "aws lambda remove-permission")
        return
    held = [statement for statement in found if _holds(statement, subject)]
    if not found:
        yield failed(f"its resource policy does not let {SERVICE} invoke it", add)
    elif not held:
        kept = "; ".join(f"{key} = {' or '.join(v)}" for entry in found for key, v in entry.conditions.items())
        yield failed(f"its resource policy lets {SERVICE} invoke it only where {kept}", add)
    elif not any(_confined(statement) for statement in held):
        yield warned(
            f"its resource policy lets {SERVICE} invoke it for secrets of any account",
            f"a statement with --source-account {subject.account} in its place",
        )
    else:
        yield passed(f"{SERVICE} may invoke it for secrets of account {subject.account}")


def _named(subject: Subject) -> dict[str, str]:
    """Name a function, and the version or alias that its ARN has at the end, whose policy is another."""
    parts = subject.function.split(":")
    if len(parts) == 8:  # noqa: PLR2004 - arn:aws:lambda:region:account:function:name:qualifier
        return {"FunctionName": ":".join(parts[:7]), "Qualifier": parts[7]}
    return {"FunctionName": subject.function}


def _holds(statement: Statement, subject: Subject) -> bool:
    """Say whether the conditions hold when Secrets Manager comes for this secret. One that is not known does not."""
    return all(_true(key, values, subject) for key, values in statement.conditions.items())


def _true(condition: str, values: list[str], subject: Subject) -> bool:
    operator, _, key = condition.partition(" ")
    actual: dict[str, Any] = {"aws:sourceaccount": subject.account, "aws:sourcearn": subject.arn}
    value = actual.get(key.lower())
    if value is None or "Not" in operator:
        return False
    if operator.startswith(("ArnLike", "ArnEquals", "StringLike")):
        return any(fnmatchcase(value, pattern) for pattern in values)
    return operator.startswith("StringEquals") and value in values


def _confined(statement: Statement) -> bool:
    return any(key.lower().endswith(("aws:sourceaccount", "aws:sourcearn")) for key in statement.conditions)
