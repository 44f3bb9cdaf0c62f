"""Quantities on the command line, each a `type` for argparse."""

from __future__ import annotations

import argparse
from math import inf


def count(text: str) -> int:
    """Read a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def natural(text: str) -> int:
    """Read a whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def seconds(text: str) -> float:
    """Read a time in seconds."""
    try:
        read = float(text)
    except ValueError:
        read = -1.0
    if not 0 <= read < inf:  # nan is neither
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return read
