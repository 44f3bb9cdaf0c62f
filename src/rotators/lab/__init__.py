"""A database and a Secrets Manager of one's own, on this machine: what the demo, the lab and the tests run against."""

from __future__ import annotations


class LabError(RuntimeError):
    """Something the lab needs is missing or would not start; the text says what to do."""
