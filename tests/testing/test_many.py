"""Ten thousand secrets: what a call costs does not grow with their number, and a list does not with its square."""

from __future__ import annotations

import json
import time
from typing import Any

from rotators.testing import SecretsManager

MANY, FEW = 10_000, 500


def ask(service: SecretsManager, operation: str, **request: Any) -> Any:
    status, body = service.respond(f"secretsmanager.{operation}", json.dumps(request).encode())
    assert status == 200, body
    return json.loads(body)


def create(service: SecretsManager, first: int, end: int) -> float:
    began = time.process_time()
    for n in range(first, end):
        ask(service, "CreateSecret", Name=f"fleet/{n}", SecretString="x", ClientRequestToken=f"{n:032}")
    return (time.process_time() - began) / (end - first)


def read(service: SecretsManager, first: int, end: int) -> float:
    """Each by its name, by its ARN without the suffix, and as part of a batch."""
    began = time.process_time()
    for n in range(first, end):
        answer = ask(service, "GetSecretValue", SecretId=f"fleet/{n}")
        ask(service, "DescribeSecret", SecretId=answer["ARN"][:-7])
        ask(service, "BatchGetSecretValue", SecretIdList=[f"fleet/{n}"])
    return (time.process_time() - began) / (end - first)


def test_a_call_costs_the_same_among_many() -> None:
    service = SecretsManager()
    making, reading = create(service, 0, FEW), read(service, 0, FEW)
    create(service, FEW, MANY - FEW)
    # Where each call looked through all secrets, these were some twenty times as much.
    assert create(service, MANY - FEW, MANY) < 4 * making
    assert read(service, MANY - FEW, MANY) < 4 * reading


def test_a_list_of_many() -> None:
    service = SecretsManager()
    create(service, 0, MANY)
    began = time.process_time()
    names: list[str] = []
    more: dict[str, str] = {}
    while not names or more:
        answer = ask(service, "ListSecrets", MaxResults=100, Filters=[{"Key": "name", "Values": ["fleet/"]}], **more)
        names += [secret["Name"] for secret in answer["SecretList"]]
        more = {"NextToken": answer["NextToken"]} if "NextToken" in answer else {}
    assert names == [f"fleet/{n}" for n in range(MANY)]
    assert time.process_time() - began < 10  # it is about one
