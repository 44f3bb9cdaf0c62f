"""
The admin's secret: which server it is for, and whether that is the one to be changed (law 5).

An admin's password opens more than the secret that names it in ``masterarn``. So whoever may write that secret must not be
able to choose where the admin logs in: the admin's own secret says it, or RDS, or the function's environment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rotators import aliases
from rotators.database_secret import DatabaseSecret
from rotators.errors import ConfigurationError, SecretError
from rotators.rds import RDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rotators.secret import Secret

#: What RDS tags the secret with that it keeps for a master user, in lower case. Source: AWS's multi-user templates.
TAGS = ("aws:rds:primarydbinstancearn", "aws:rds:primarydbclusterarn")
#: How an error about where an admin is for begins.
WHOSE = "the secret that 'masterarn' names"


def authority(
    by: Secret, target: DatabaseSecret, *, engines: Collection[str], rds: RDS | None = None
) -> DatabaseSecret:
    """
    Read whose login makes a change: the secret's own, an older version's, or an admin's, which may be for our server alone.

    An admin's may name another host than the target where both are the same server, or the target's is a replica of the
    admin's: `ROTATORS_HOST_ALIASES` or RDS says so. The change is made at the admin's host then, and proven there: see `at`.

    Args:
        by: the secret to log in with. One without a host is an admin's that nobody could place.
        target: what is to be changed.
        engines: the values of ``engine`` that may stand in it.
        rds: whom to ask; by default RDS in this account and region.

    Raises:
        SecretError: it is malformed, for another server, or would log in with less encryption than the target.
        ConfigurationError, StoreUnavailable: RDS may not be asked, or did not answer.

    Example:
        >>> view = authority(by, target, engines={"postgres"})
        >>> change(view, at(view, new), at(view, old))
    """
    if by.get("host") is None and not aliases.known(target.host, target.port):
        raise SecretError(
            f"{WHOSE} has no 'host', and no tag of RDS's says which server it is for; it was not used. Put 'host' into it, "
            f"or name this secret's host in {aliases.VARIABLE}"
        )
    filled = by if by.get("port") is not None else by.replace(port=target.port)
    view = DatabaseSecret.of(filled, engines=engines, port=target.port, dbname=target.dbname, host=target.host)
    here, there = (target.host, target.port), (view.host, view.port)
    one_name = (aliases.normal(view.host), view.port) == (aliases.normal(target.host), target.port)
    if not one_name and not aliases.same(here, there) and not (rds or RDS()).follows(here, there):
        raise SecretError(
            f"{WHOSE} is for another host or port than this one; it was not used. If both are of one server, say so in "
            f"{aliases.VARIABLE}, such as {aliases.EXAMPLE}"
        )
    if target.tls and not view.tls:
        raise SecretError(f'{WHOSE} says "ssl": false, and this one does not; it was not used')
    return view


def at(view: DatabaseSecret, who: DatabaseSecret) -> DatabaseSecret:
    """
    Return `who` at the server where `view` makes the change.

    A proof (law 10) is of the server that was changed: a replica gets the change later, and has another name in its
    certificate. testSecret then asks at the secret's own host.
    """
    return replace(who, host=view.host, port=view.port)


def unplaced(admin: Secret, current: Secret) -> bool:
    """Say whether an admin's secret does not say where it is for, so that RDS must: theirs have a name and a password."""
    host, port = current.get("host"), str(current.get("port"))
    if admin.get("host") is not None or not isinstance(host, str):
        return False  # without a host in the current value it is no database's
    return not aliases.known(host, int(port) if port.isdecimal() else None)


def place(tags: Mapping[str, str], *, rds: RDS | None = None) -> dict[str, str | int]:
    """
    Ask RDS where the server is whose master user's secret has these tags.

    Args:
        tags: of the admin's secret.
        rds: whom to ask; by default RDS in this account and region.

    Returns:
        ``host`` and ``port``; nothing where no tag is RDS's.

    Raises:
        SecretError: RDS does not know the server, or it has no endpoint yet.
        ConfigurationError, StoreUnavailable: RDS may not be asked, or did not answer.

    Example:
        >>> place({"aws:rds:primaryDBInstanceArn": "arn:aws:rds:eu-central-1:123456789012:db:main"})
        {'host': 'main.x.eu-central-1.rds.amazonaws.com', 'port': 5432}
    """
    arn = next((value for key, value in tags.items() if key.lower() in TAGS), None)
    if arn is None:
        return {}
    found = (rds or RDS()).address(arn)
    if found is None:
        raise SecretError(
            f"{WHOSE} is for {arn}, which RDS does not know, or which has no endpoint yet; it was not used"
        )
    host, port = found
    return {"host": host, "port": port}


def denied(problem: ConfigurationError) -> ConfigurationError:
    """Say why the question was asked that was denied."""
    return ConfigurationError(
        f"{WHOSE} has no 'host', and its tags can't be read, which may say where it is for: {problem}. Or put 'host' into it, "
        f"or name this secret's host in {aliases.VARIABLE}"
    )
