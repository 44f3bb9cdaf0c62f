"""What a new password looks like: AWS's own variables and defaults, drawn by Secrets Manager's GetRandomPassword."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 4096
#: AWS's default for PostgreSQL: what breaks connection URLs and shells.
EXCLUDED = ":/@\"'\\"
LENGTH_TAG = "rotators:password-length"
EXCLUDE_TAG = "rotators:exclude-characters"
#: In ``EXCLUDE_CHARACTERS`` or the tag: as if it were not set. A template that names the variable can't leave it out.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """
    The parameters of GetRandomPassword.

    Names and defaults are those of AWS's rotation templates, so that a function can be swapped in place.

    Example:
        >>> PasswordPolicy.read({"PASSWORD_LENGTH": "20"}).length
        20
    """

    length: int = 32
    exclude_characters: str = EXCLUDED
    exclude_numbers: bool = False
    exclude_punctuation: bool = False
    exclude_uppercase: bool = False
    exclude_lowercase: bool = False
    require_each_included_type: bool = True

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        exclude: str | None = None,
    ) -> PasswordPolicy:
        """
        Read the function's variables, overruled by the secret's tags.

        Args:
            environment: defaults to the process's.
            tags: the secret's tags, from DescribeSecret.
            exclude: the engine's default for the characters to leave out.

        Raises:
            ConfigurationError: a length that is not a number from 1 to 4096.
        """
        env = os.environ if environment is None else environment
        tags = tags or {}
        where, length = "PASSWORD_LENGTH", env.get("PASSWORD_LENGTH") or "32"
        if LENGTH_TAG in tags:
            where, length = f"the tag {LENGTH_TAG}", tags[LENGTH_TAG]
        if not (length.isascii() and length.isdigit() and len(length) < 9 and 1 <= int(length) <= MAX_LENGTH):  # noqa: PLR2004
            raise ConfigurationError(f"{where} must be a whole number from 1 to {MAX_LENGTH}")
        excluded = tags.get(EXCLUDE_TAG, env.get("EXCLUDE_CHARACTERS", DEFAULT))  # "" leaves nothing out
        if excluded == DEFAULT:
            excluded = EXCLUDED if exclude is None else exclude
        return cls(
            length=int(length),
            exclude_characters=excluded,
            exclude_numbers=_true(env.get("EXCLUDE_NUMBERS")),
            exclude_punctuation=_true(env.get("EXCLUDE_PUNCTUATION")),
            exclude_uppercase=_true(env.get("EXCLUDE_UPPERCASE")),
            exclude_lowercase=_true(env.get("EXCLUDE_LOWERCASE")),
            require_each_included_type=_true(env.get("REQUIRE_EACH_INCLUDED_TYPE") or "true"),
        )

    def parameters(self) -> dict[str, Any]:
        """Return GetRandomPassword's parameters."""
        return {
            "PasswordLength": self.length,
            "ExcludeCharacters": self.exclude_characters,
            "ExcludeNumbers": self.exclude_numbers,
            "ExcludePunctuation": self.exclude_punctuation,
            "ExcludeUppercase": self.exclude_uppercase,
            "ExcludeLowercase": self.exclude_lowercase,
            "RequireEachIncludedType": self.require_each_included_type,
        }


def _true(value: str | None) -> bool:
    """Read a flag as AWS's templates do."""
    return (value or "").lower() in {"true", "1", "y", "yes"}
