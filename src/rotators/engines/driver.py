"""Loading the part of an engine that needs its driver, when it is first needed: that costs a cold start some 60 ms."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rotators.errors import ConfigurationError
from rotators.loading import uncollected


def load(module: str, *, extra: str) -> Any:
    """
    Import a module of `rotators.engines`.

    Args:
        module: its name there.
        extra: the extra of ours that brings the driver.

    Raises:
        ConfigurationError: the driver is not installed; says what to install.

    Example:
        >>> load("postgres.login", extra="postgres").prove(secret)
    """
    missing = ""
    try:
        with uncollected():
            return import_module(f"rotators.engines.{module}")
    except ImportError as error:
        missing = str(error)
    raise ConfigurationError(f"the {extra} driver can't be loaded ({missing}): pip install 'rotators[{extra}]'")
