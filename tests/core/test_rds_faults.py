"""What RDS does not say: throttled, denied, silent, nobody there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from rotators import ConfigurationError, StoreUnavailable
from rotators import deadline as clock
from rotators.rds import RDS
from tests.rds import ACCOUNT, SUFFIX

if TYPE_CHECKING:
    from tests.rds import RDSEndpoint

PORT = 5432


@pytest.mark.parametrize("fault", [(400, "Throttling"), (503, "ServiceUnavailable"), (500, "Strange")])
def test_a_passing_failure_passes(rds: RDSEndpoint, fault: tuple[int, str]) -> None:
    rds.faults = [fault, fault]
    rds.instance("main")
    assert RDS().address(f"{ACCOUNT}:db:main") == (f"main.abc.{SUFFIX}", PORT)
    assert len(rds.asked) == 3


def test_a_throttling_that_stays_is_retryable(rds: RDSEndpoint) -> None:
    rds.faults = [(400, "Throttling")] * 9
    with pytest.raises(StoreUnavailable, match="RDS answered DescribeDBInstances with Throttling, again and") as caught:
        RDS().address(f"{ACCOUNT}:db:main")
    assert caught.value.retryable


@pytest.mark.parametrize("kind, action", [("db", "DescribeDBInstances"), ("cluster", "DescribeDBClusters")])
def test_a_role_that_may_not_ask_is_told_what_to_allow(rds: RDSEndpoint, kind: str, action: str) -> None:
    rds.faults = [(403, "AccessDenied")]
    with pytest.raises(ConfigurationError) as caught:
        RDS().address(f"{ACCOUNT}:{kind}:main")
    assert f"may not do rds:{action} on {ACCOUNT}:{kind}:main" in str(caught.value)
    assert "ROTATORS_HOST_ALIASES" in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "code, said", [("InvalidClientTokenId", "credentials"), ("Surprise", "refused Describe.*Surp")]
)
def test_another_refusal(rds: RDSEndpoint, code: str, said: str) -> None:
    rds.faults = [(403, code)]
    with pytest.raises(ConfigurationError, match=said):
        RDS().address(f"{ACCOUNT}:db:main")


def test_nobody_answers() -> None:
    """The endpoint of the tests' environment is a closed port."""
    with (
        clock.running(clock.Deadline(3)),
        pytest.raises(StoreUnavailable, match="interface endpoint for rds") as caught,
    ):
        RDS().address(f"{ACCOUNT}:db:main")
    assert caught.value.retryable
    assert "ROTATORS_HOST_ALIASES" in str(caught.value)


def test_law_13_a_silent_rds_is_bounded(rds: RDSEndpoint) -> None:
    rds.faults = [(0, "")] * 9
    begun = time.monotonic()
    with clock.running(clock.Deadline(2)), pytest.raises(StoreUnavailable):
        RDS().address(f"{ACCOUNT}:db:main")
    assert (
        time.monotonic() - begun < 4
    )  # the 2 s, and what a busy machine adds; a silent answer is waited for 60 s where nothing bounds it


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigurationError, match="no RDS client .NoRegionError.: check AWS_REGION"):
        RDS().address(f"{ACCOUNT}:db:main")
