"""A command of the AWS CLI, as the service's own model has it: its operation, its parameters, its types."""

from __future__ import annotations

import json
import shlex
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore import xform_name


def run(command: str, client: Any) -> Any:
    """
    Do what ``aws secretsmanager …`` does, with boto3: the CLI itself is no dependency of ours.

    Both make their names of one model, in one way (``botocore.xform_name``), so a misspelt command, parameter or key fails here.
    """
    program, service, action, *options = shlex.split(command)
    assert (program, service) == ("aws", "secretsmanager")
    model = client.meta.service_model
    (operation,) = [name for name in model.operation_names if xform_name(name, "-") == action]
    members = {
        xform_name(name, "-"): (name, shape)
        for name, shape in model.operation_model(operation).input_shape.members.items()
    }
    asked, query = {}, None
    while options:
        option = options.pop(0).removeprefix("--")
        if option == "query":
            query = options.pop(0)
        elif option.startswith("no-"):
            asked[members[option.removeprefix("no-")][0]] = False
        else:
            name, shape = members[option]
            asked[name] = True if shape.type_name == "boolean" else _typed(options.pop(0), shape)
    answer = getattr(client, xform_name(operation))(**asked)
    return jmespath.search(query, answer) if query else answer


def _typed(text: str, shape: Any) -> Any:
    """Read a value: JSON, or the CLI's shorthand ``Key=a,Value=b``."""
    if shape.type_name == "string":
        return text
    if shape.type_name in {"integer", "long"}:
        return int(text)
    if shape.type_name == "list":
        return json.loads(text) if text.startswith("[") else [_typed(text, shape.member)]
    assert shape.type_name == "structure"
    pairs = json.loads(text) if text.startswith("{") else dict(pair.split("=", 1) for pair in text.split(","))
    return {key: _typed(str(value), shape.members[key]) for key, value in pairs.items()}
