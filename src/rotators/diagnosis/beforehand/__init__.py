"""What can be asked before a secret's rotation is switched on; nothing is changed. Behind ``rotators check``."""

from __future__ import annotations

from rotators.diagnosis.beforehand.checklist import CHECKS, checked
from rotators.diagnosis.beforehand.line import Answer, Line
from rotators.diagnosis.beforehand.subject import Subject

__all__ = ["CHECKS", "Answer", "Line", "Subject", "checked"]
