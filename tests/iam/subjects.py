"""What more than one file of these tests sets up."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.held import Held
    from tests.iam.stand_in import IAM


def admin_of(iam: IAM, held: Callable[..., Held], **more: str) -> str:
    """Make an admin and the secret that holds his key; returns its ARN."""
    key = iam.key(iam.user("admin", admin=True, **more))
    value = {"aws_access_key_id": key.id, "aws_secret_access_key": key.secret}
    service = held.args[0]  # type: ignore[attr-defined] # a partial of Held
    client = service.client()
    arn: str = client.create_secret(Name=f"admin/{uuid.uuid4()}", SecretString=json.dumps(value))["ARN"]
    return arn
