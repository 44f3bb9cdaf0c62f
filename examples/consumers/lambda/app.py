"""A function that logs in with a secret that is rotated. The value lives as long as the sandbox, and is right at rotation."""

import os
from typing import Any

from rotators.consumer import CachedSecret
from rotators.consumer.psycopg import connect

secret = CachedSecret(os.environ["SECRET_ID"])  # reads nothing yet: a sandbox that is never used costs no call


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    with connect(secret, connect_timeout=5) as connection:
        ((user,),) = connection.execute("SELECT current_user").fetchall()
    return {"user": user}
