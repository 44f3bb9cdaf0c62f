"""Loading modules without the garbage collector, which is a tenth of a cold start."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """
    Leave garbage alone while modules are loaded: there is little, and each collection looks through all that is loaded.

    Safe where several threads load at once: whoever has switched it off switches it on.

    Example:
        >>> with uncollected():
        ...     import boto3
    """
    switched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if switched:
            gc.enable()
