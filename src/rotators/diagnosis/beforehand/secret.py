"""Whether the secret is one that can be rotated here at all, and by us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.diagnosis.beforehand.asking import NotAsked, NotThere, ask
from rotators.diagnosis.beforehand.line import Line, failed, passed, warned
from rotators.diagnosis.beforehand.policy import statements
from rotators.machine import AWSCURRENT, AWSPENDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.diagnosis.beforehand.subject import Subject

#: What a rotation calls on its secret.
ACTIONS = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "ListSecretVersionIds")
#: The key that every account has, whose policy lets everybody in it through Secrets Manager.
DEFAULT_KEY = "alias/aws/secretsmanager"


def there(subject: Subject) -> Iterator[Line]:
    """It is not deleted, and no replica."""
    told = subject.told
    if deleted := told.get("DeletedDate"):
        yield failed(
            f"it is marked for deletion since {deleted:%Y-%m-%d}",
            f"aws secretsmanager restore-secret --secret-id {told['Name']}",
        )
        return
    primary = told.get("PrimaryRegion") or subject.region
    if primary != subject.region:
        yield failed(
            f"it is a replica of the one in {primary}, and only that one is rotated", f"--region {primary}, here too"
        )
        return
    on = "its rotation is on" if told.get("RotationEnabled") else "its rotation is off"
    yield passed(f"{told['Name']} in {subject.region}: {on}")


def owner(subject: Subject) -> Iterator[Line]:
    """No service of AWS's owns it, and rotates it itself."""
    service = subject.told.get("OwningService", "")
    tags = [tag["Key"] for tag in subject.told.get("Tags", [])]
    if not service:
        service = next((key.split(":")[1] for key in tags if key.lower().startswith("aws:rds:")), "")
    if service:
        yield failed(
            f"it is owned by the service {service}, which rotates it itself",
            "make a secret of your own for a user of its own, and name this one there as 'masterarn'",
        )
    else:
        yield passed("no service of AWS's owns it")


def pending(subject: Subject) -> Iterator[Line]:
    """No earlier rotation waits: RotateSecret would be refused. Source: API reference, RotateSecret."""
    about = subject.rotation.about
    waits = about.holder(AWSPENDING)
    if waits is None or waits == about.holder(AWSCURRENT):
        yield passed("no earlier rotation waits")
    else:
        yield failed(
            f"an earlier rotation waits with version {waits}, so another one would be refused",
            f"rotators diagnose {subject.told['Name']}",
        )


def policy(subject: Subject) -> Iterator[Line]:
    """The resource policy denies nobody who is needed, as far as can be read."""
    try:
        text = ask(subject.client("secretsmanager"), "get_resource_policy", SecretId=subject.arn).get("ResourcePolicy")
    except NotThere:
        text = None
    if not text:
        yield passed("it has none")
        return
    who = {"the function's role": str(subject.known_configuration().get("Role", "")), "you": _caller(subject)}
    known = {title: arn for title, arn in who.items() if arn}
    found = False
    for statement in statements(text):
        for title, arn in known.items() or {"everybody": "*"}.items():
            actions = [action for action in ACTIONS if statement.denies(arn, f"secretsmanager:{action}")]
            if not actions:
                continue
            found = True
            said = f"it denies {title} {', '.join(actions)}"
            if statement.conditional:
                yield warned(f"{said}, under conditions: {', '.join(statement.conditions)}")
            else:
                yield failed(said, "aws secretsmanager put-resource-policy, with that statement narrowed")
    if not found:
        unknown = ", ".join(title for title, arn in who.items() if not arn)
        yield passed("it denies nothing that is needed" + (f" (not known: {unknown})" if unknown else ""))


def encryption(subject: Subject) -> Iterator[Line]:
    """A customer's key takes rights of its own."""
    key = str(subject.told.get("KmsKeyId", ""))
    if not key or key.endswith(DEFAULT_KEY):
        yield passed(f"by the account's key {DEFAULT_KEY}")
    else:
        yield warned(
            f"by a key of your own, {key}",
            "the function's role needs kms:Decrypt and kms:GenerateDataKey on it, and whoever reads the secret kms:Decrypt",
        )


def _caller(subject: Subject) -> str:
    try:
        return str(ask(subject.client("sts"), "get_caller_identity").get("Arn", ""))
    except (NotAsked, NotThere):
        return ""
