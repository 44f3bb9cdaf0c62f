"""The newest PostgreSQL there is for this machine, from pip: 16 and 18, beside the system's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.lab.installation import Installation, wheel_bins
from rotators.lab.postgres import Postgres
from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.world import World


@pytest.mark.parametrize("programs", list(wheel_bins()), ids=lambda path: path.parent.name)
def test_rotates(world: Callable[..., World], programs: Path) -> None:
    with Postgres.start(installation=Installation.at(programs), settings={"log_statement": "all"}) as server:
        app = world(server=server)
        with app.log() as lines:
            assert rotate(app.service, app.arn).succeeded
            assert rotate(app.service, app.arn).succeeded
        assert app.opens()
        assert app.value()["password"] not in "\n".join(lines)
        assert not any("FATAL" in line for line in lines)
