"""The password of SES's SMTP interface: derived from an access key, for one region."""

from __future__ import annotations

import base64
import hashlib
import hmac

#: Source: Amazon SES developer guide, "Obtaining your Amazon SES SMTP credentials by converting existing AWS credentials".
_DATE, _SERVICE, _TERMINAL, _MESSAGE = "11111111", "ses", "aws4_request", "SendRawEmail"
_VERSION = b"\x04"


def smtp_password(secret_access_key: str, region: str) -> str:
    """
    Derive the SMTP password. The SMTP user name is the access key id.

    Args:
        secret_access_key: of a user that may do ses:SendRawEmail.
        region: whose SMTP endpoint it is for.

    Example:
        >>> smtp_password("some+secret+key", "eu-central-1")
        'BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2'
    """
    signature = f"AWS4{secret_access_key}".encode()
    for part in (_DATE, region, _SERVICE, _TERMINAL, _MESSAGE):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(_VERSION + signature).decode()
