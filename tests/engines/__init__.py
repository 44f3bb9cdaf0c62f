"""The engines under their contract."""

from __future__ import annotations

import os

#: At how many places of a change the contract cuts the connection here; ROTATORS_TEST_CUTS=1000 for every place there is.
CUTS = int(os.environ.get("ROTATORS_TEST_CUTS", "12"))
