"""The cache itself: Powertools' parameters, with a provider of ours (decision 0013). Loaded at the first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters.base import BaseProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from rotators.errors import RotatorsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.consumer.version import SecretVersion

_KEY = ("secret", None, False)


class Cache(BaseProvider):
    """
    Keeps one secret's version for a time.

    Args:
        read: reads it anew.
        max_age: seconds; None for ``POWERTOOLS_PARAMETERS_MAX_AGE``, or 300.
    """

    def __init__(self, read: Callable[[], SecretVersion], max_age: int | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools' own
        self._read, self._max_age = read, max_age
        self._last: SecretVersion | None = None

    def fresh(self) -> SecretVersion | None:
        """Return what is kept, if its time is not up."""
        return self._last if self.has_not_expired_in_cache(_KEY) else None

    def last(self) -> SecretVersion | None:
        """Return what was kept last, however old, and for however short a time."""
        return self._last

    def fetch(self) -> SecretVersion:
        """Read anew and keep it."""
        failure: BaseException | None = None
        try:
            found: Any = self.get("secret", max_age=self._max_age, force_fetch=True)
        except GetParameterError as error:
            failure = error.__context__  # Powertools keeps our error's text, and not its kind
        else:
            self._last = found
            read: SecretVersion = found
            return read
        raise failure if isinstance(failure, RotatorsError) else RotatorsError("the secret could not be read")

    def keep(self, version: SecretVersion, seconds: int) -> None:
        """Keep what was read elsewhere."""
        self._last = version
        self.add_to_cache(key=_KEY, value=version, max_age=seconds)

    def _get(self, name: str, **sdk_options: Any) -> Any:
        del name, sdk_options
        return self._read()

    def _get_multiple(self, path: str, **sdk_options: Any) -> dict[str, str]:
        raise NotImplementedError
