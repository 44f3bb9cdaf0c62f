"""``python -m rotators``: the same as the command ``rotators``."""

from __future__ import annotations

import sys

from rotators.cli import main

if __name__ == "__main__":
    sys.exit(main())
