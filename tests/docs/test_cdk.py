"""The Python of examples/secrets/README.md, for the CDK: its properties are those of CloudFormation's resource."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.sam import ROOT, environment, find_sam

if TYPE_CHECKING:
    from pathlib import Path

(CODE,) = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "examples/secrets/README.md").read_text(), re.DOTALL | re.MULTILINE
)
_SCHEMA = """
import json
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
print(json.dumps(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::SecretsManager::RotationSchedule").schema))
"""


def plain(name: str) -> str:
    return name.replace("_", "").lower()


@pytest.fixture(scope="module")
def schema() -> Any:
    sam: Path | None = find_sam()
    if sam is None:
        pytest.skip("no SAM CLI, whose linter has the schemas: .ci/setup sam")
    done = subprocess.run(
        [sam.parent / "python", "-c", _SCHEMA], env=environment(), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_its_properties_are_cloudformations(schema: Any) -> None:
    calls = [node for node in ast.walk(ast.parse(CODE)) if isinstance(node, ast.Call)]
    shown = {ast.unparse(call.func).rpartition(".")[2]: {str(word.arg) for word in call.keywords} for call in calls}
    rules = schema["definitions"]["RotationRules"]["properties"]

    assert {plain(name) for name in shown["CfnRotationSchedule"]} <= {plain(name) for name in schema["properties"]}
    assert {plain(name) for name in shown["RotationRulesProperty"]} <= {plain(name) for name in rules}
    assert "rotation_lambda_arn" in shown["CfnRotationSchedule"]
