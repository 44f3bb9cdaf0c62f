"""
The pytest plugin: the fixtures ``secret_store`` and ``rotation``, and ``--rotators-case``, which runs one case alone.

It is loaded in every run of pytest where this package is installed, so it imports nothing until a fixture is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing.rotating import Rotating
    from rotators.testing.secrets_manager import SecretsManager

#: An environment in which nothing can reach a real AWS.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("rotators").addoption(
        "--rotators-case",
        metavar="CALL:FAULT",
        help="run one case of RotatorContract alone, as its failure prints it: 7:CRASH_AFTER",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Select the case, and have the contracts' assertions say what they compared."""
    chosen = config.getoption("--rotators-case")
    if chosen is not None:
        from rotators.testing.case import select  # noqa: PLC0415 - only when it is used

        try:
            select(chosen)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture
def secret_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    """
    Secrets Manager in memory, by AWS's rules; no call of this test can reach a real one.

    `secret_store.client()` is a boto3 client of it. Code that makes clients of its own finds it over HTTP, on this machine, at
    `SECRETS_MANAGER_ENDPOINT`.
    """
    from rotators.testing.endpoint import Endpoint  # noqa: PLC0415 - as all of it: who does not use it pays nothing
    from rotators.testing.secrets_manager import SecretsManager  # noqa: PLC0415

    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    manager = SecretsManager()
    with Endpoint(manager) as url:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
        yield manager
    manager.close()


@pytest.fixture
def rotation(secret_store: SecretsManager) -> Callable[..., Rotating]:
    """
    Make a secret that a rotator rotates: `rotation(rotator, value, tags={…})`.

    What it returns has `rotate()`, `resume()`, `step("setSecret")` and `value("AWSPENDING")`.
    """

    def make(rotator: Any, value: Any, **more: Any) -> Rotating:
        from rotators.testing.rotating import Rotating  # noqa: PLC0415

        return Rotating(secret_store, rotator, value, **more)

    return make
