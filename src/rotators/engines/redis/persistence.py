"""Making a change outlive a restart: a server whose memory and file differ brings the old password back some day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.redis.session import Refused

if TYPE_CHECKING:
    from rotators.engines.redis.session import Session


def persist(session: Session, at: str) -> None:
    """
    Write the users to the ACL file, or to redis.conf where there is none; what can't be written is warned of.

    Args:
        session: of who changed them.
        at: what the warning calls the node.

    Raises:
        TargetUnreachable: there was no answer.
    """
    from rotators import telemetry  # noqa: PLC0415 - loaded by then

    said: list[Refused] = []
    for command in (("ACL", "SAVE"), ("CONFIG", "REWRITE")):
        try:
            session.ask(*command)
        except Refused as error:
            said.append(error)
        else:
            if any(error.word == "NOPERM" for error in said):  # redis.conf holds no users where there is an ACL file
                telemetry.warn(
                    f"the server at {at} has the old password again after a restart, if it keeps its users in an ACL file: who "
                    "asks may not save it: ACL SETUSER … +acl|save"
                )
            return
    if any(error.word == "NOPERM" for error in said):
        why = "who asks may not: ACL SETUSER … +acl|save +config|rewrite"
    else:
        why = "it has neither an ACL file nor a redis.conf"
    telemetry.warn(
        f"the server at {at} keeps the new password in memory alone, and has the old one again after a restart: {why}"
    )
