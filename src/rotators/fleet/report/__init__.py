"""The page for an auditor: every rotation of a fleet, in one file that needs nothing else."""

from __future__ import annotations

from rotators.fleet.report.figures import Figures
from rotators.fleet.report.origin import Origin
from rotators.fleet.report.page import page

__all__ = ["Figures", "Origin", "page"]
