"""Each scenario on real servers: what diagnose says, that repair changes nothing without --yes, and what it mends with it."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.testing import Endpoint
from tests.diagnosis.clinic import READS, clinic
from tests.diagnosis.states import SCENARIOS, Scenario, Ward, begun

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world import World

CODES = {"healthy": 0, "rotation off": 0, "unreachable": 2}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_scenario(scenario: Scenario, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    app = scenario.build(Ward(request))
    with clinic(app, capsys, *scenario.options) as here:
        here.age(scenario.aged)
        told = here.diagnose("--json")
        found = told.json
        assert (found["state"], told.code) == (scenario.state, CODES.get(scenario.state, 1)), found["reason"]
        assert re.search(scenario.says, found["reason"]), found["reason"]
        assert [action["act"] for action in found["plan"]] == list(scenario.does)
        expected = scenario.command or ("rotators repair" if scenario.does or scenario.mend else "")
        assert re.match(expected, found["command"])
        assert bool(found["command"]) == bool(expected)
        people = here.diagnose()
        assert found["reason"] in people.out
        assert found["command"] in people.out
        assert set(told.operations) | set(people.operations) <= READS

        before = here.labels()
        shown = here.repair()
        assert set(shown.operations) <= READS
        assert shown.code == told.code
        assert here.labels() == before
        assert all(action["why"] in shown.out for action in found["plan"])

        if scenario.mend:
            scenario.mend(app)
        done = here.paste(found["command"]) if scenario.does else here.repair("--yes")
        assert done is not None
        now = here.diagnose("--json").json
        wanted = scenario.then if scenario.does or scenario.then != "healthy" else scenario.state
        assert now["state"] == wanted, done.out
        assert done.code == CODES.get(wanted, 1)
        if not scenario.does:
            assert here.labels() == before
        if scenario.pasted:
            assert here.paste(found["command"], scenario.value and scenario.value(app)) is None
            wanted = here.diagnose("--json").json["state"]
            assert wanted == scenario.pasted
        if scenario.check:
            scenario.check(here)
        if scenario.does and wanted in CODES and wanted != "unreachable":
            assert app.opens(app.value()) if scenario.options or "access" in scenario.id else app.opens()
        if scenario.rotates and wanted in CODES:
            assert here.rotates()


@pytest.mark.parametrize("build", ["dead", "half", "by hand"])
def test_s07_five_at_once(
    world: Callable[..., World], build: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five operators, or five retries of one: what one of them does, the others find done, or keep their hands off."""
    from tests.diagnosis.states import changed, with_admin

    app: Any = world(tags={"rotators:strategy": "single"})
    if build == "by hand":
        changed(with_admin(app))
    else:
        begun(app, "createSecret", *(("setSecret",) if build == "half" else ()))
    with clinic(app, capsys) as here:
        here.age(2)
        with Endpoint(app.service) as url:
            codes: list[int] = []

            def one() -> None:
                codes.append(main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "10"]))

            threads = [threading.Thread(target=one) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        app.service.wait(app.arn, 30)
        told = capsys.readouterr()
        here.heard += [told.out, told.err]
        here.nothing_leaked()
        assert len(codes) == 5
        assert 0 in codes
        assert here.diagnose("--json").json["state"] == "healthy"
        assert app.opens()
        assert here.rotates()
