"""The AWS SDK for JavaScript against the lab: values, rotation, pages, and errors by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.running_lab import lab

if TYPE_CHECKING:
    from tests.node import Node


def test_every_call_of_an_application(node: Node, tmp_path: Path) -> None:
    with lab(tmp_path) as running:
        saw = json.loads(node.run(Path(__file__).with_name("every_call.mjs"), environment=running.environment))
    assert saw == {
        "text": "first",
        "bytes": [0, 255, 7],
        "previous": "first",
        "versions": 2,
        "rotated": True,
        "labels": ["AWSCURRENT"],
        "enabled": True,
        "date": True,
        "batch": [["second"], ["ResourceNotFoundException"]],
        "pages": [["node/a"], ["node/b"]],
        "refused": [
            "ResourceNotFoundException 400",
            "ResourceNotFoundException 400",
            "ResourceExistsException 400",
            "InvalidRequestException 400",
            "InvalidParameterException 400",
            "ValidationException 400",
            "InvalidRequestException 400",
        ],
    }
