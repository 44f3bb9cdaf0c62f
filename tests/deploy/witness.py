"""Put around a function's handler in its sandbox: tells which modules have been loaded."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

_MODULE, _, _NAME = os.environ["WITNESSED"].rpartition(".")
_HANDLER = getattr(importlib.import_module(_MODULE), _NAME)


def handler(event: Any, context: Any) -> Any:
    return sorted(sys.modules) if event == "modules" else _HANDLER(event, context)
