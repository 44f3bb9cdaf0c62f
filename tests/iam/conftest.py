from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.iam.held import Held
from tests.iam.stand_in import IAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing import SecretsManager


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[IAM]:
    """IAM and STS, as the environment names them."""
    for name in ("ROTATORS_IAM_AUTHORITY", "ROTATORS_IAM_UNUSED_DAYS"):
        monkeypatch.delenv(name, raising=False)
    with IAM() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", made.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.url)
        yield made


@pytest.fixture
def held(service: SecretsManager, iam: IAM) -> Callable[..., Held]:
    return partial(Held, service, iam)
