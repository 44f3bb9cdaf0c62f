"""GetRandomPassword, drawn from the operating system's random source."""

from __future__ import annotations

import secrets
import string
from typing import Any

from rotators.testing.service_error import invalid_parameter

DEFAULT_LENGTH = 32
# API reference, GetRandomPassword: these four classes, each switched off by its own parameter.
_CLASSES = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


def random_password(request: dict[str, Any]) -> str:
    """A password as GetRandomPassword would make it.

    Raises ServiceError (InvalidParameterException) if nothing is left to draw from, if a required class has lost all
    its characters to ExcludeCharacters, or if the password is too short to hold one character of each class.

    >>> len(random_password({"PasswordLength": 40, "ExcludePunctuation": True}))
    40
    """
    length = request.get("PasswordLength", DEFAULT_LENGTH)
    excluded = set(request.get("ExcludeCharacters") or "")
    classes = [
        "".join(sorted(set(characters) - excluded))
        for switch, characters in _CLASSES.items()
        if not request.get(switch)
    ]
    space = " " if request.get("IncludeSpace") and " " not in excluded else ""
    alphabet = "".join(classes) + space
    if not alphabet:
        raise invalid_parameter("Invalid parameters: no characters are left to make a password of.")
    required = classes if request.get("RequireEachIncludedType", True) else []
    if not all(required):
        raise invalid_parameter(
            "Invalid parameters: ExcludeCharacters leaves nothing of a type of which one character is required.",
        )
    if length < len(required):
        raise invalid_parameter(f"Password length {length} is too short based on the required types.")
    drawn = [secrets.choice(characters) for characters in required]
    drawn += [secrets.choice(alphabet) for _ in range(length - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)  # no type has a place of its own, unlike M16
    return "".join(drawn)
