"""Each law broken on purpose is caught. A proof that lets a wrong rotator pass proves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing.contract import RotatorContract
from tests.laws import wrong_rotators as wrong
from tests.servers import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators import Rotator

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rotator, test", [(rotator, test) for rotator, tests in wrong.WRONG.items() for test in tests])
def test_the_contract_rejects(
    rotator: type[Rotator],
    test: str,
    postgres_subject: Callable[..., Any],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    more = {"capfd": capfd, "caplog": caplog} if "law_9" in test else {}
    with pytest.raises((AssertionError, Exception)):
        getattr(RotatorContract(), test)(postgres_subject(rotator), **more)


@pytest.mark.parametrize("test", sorted({test for tests in wrong.WRONG.values() for test in tests}))
def test_the_contract_accepts_the_plain_one(
    test: str, postgres_subject: Callable[..., Any], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """So that it is the broken law which is rejected above, and not everything."""
    more = {"capfd": capfd, "caplog": caplog} if "law_9" in test else {}
    getattr(RotatorContract(), test)(postgres_subject(wrong.Plain), **more)


@pytest.mark.parametrize(
    "broken, test",
    [
        (wrong.no_undo, "tests/postgres/test_recovery.py::test_a_change_that_does_not_take_is_undone"),
        (wrong.no_proof, "tests/postgres/test_recovery.py::test_a_change_that_does_not_take_is_undone"),
        (wrong.takes_over, "tests/postgres/test_recovery.py::test_an_admin_changes_nothing_that_it_can_not_mend"),
        (
            wrong.timeless,
            "tests/postgres/test_failures.py::test_a_silent_server_does_not_eat_the_functions_time[1.0-0.95-setSecret]",
        ),
        (
            wrong.begins_too_late,
            "tests/postgres/test_failures.py::test_too_little_time_to_prove_is_too_little_to_begin",
        ),
        (wrong.unscrubbed, "tests/core/test_leaks.py::test_a_strangers_exception_is_scrubbed"),
        (
            wrong.plaintext_statement,
            "tests/postgres/test_rotation.py::test_neither_password_nor_old_password_reach_the_servers_log",
        ),
        (
            wrong.conflicts_are_fatal,
            "tests/laws/test_concurrency.py::test_the_role_is_altered_by_somebody_else_all_the_while",
        ),
        (wrong.no_abandoned, "tests/postgres/test_recovery.py::test_an_abandoned_rotation_heals"),
        (wrong.deaf, "tests/core/test_store.py::test_law_14_reads_that_lag_by_reads"),
    ],
)
def test_a_broken_law_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], test: str, postgres_template: Path
) -> None:
    """Run an ordinary test in a process in which the law is broken: it must fail, and not merely stop."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "tests.laws.breaking", "--break", broken.__name__, test],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, TEMPLATES: str(postgres_template.parent)},
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:]
    assert " failed" in done.stdout.splitlines()[-1]
    assert " error" not in done.stdout.splitlines()[-1]
