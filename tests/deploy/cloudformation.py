"""As much of CloudFormation as it takes to say what a template makes of its parameters."""

from __future__ import annotations

import re
from typing import Any

_NOTHING = object()
_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": _NOTHING,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "rotators",
    "AWS::URLSuffix": "amazonaws.com",
}


class Stack:
    """A template's resources and outputs, with parameters, conditions and functions worked out.

    What only AWS knows, another resource's name or ARN, stays as it is written: {"Ref": …}, {"Fn::GetAtt": …}.
    """

    def __init__(self, template: dict[str, Any], **parameters: str) -> None:
        self._template = template
        self._values = dict(_PSEUDO)
        for name, parameter in template["Parameters"].items():
            value = parameters.pop(name, parameter["Default"])
            self._values[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else str(value)
        assert not parameters, f"no such parameters: {parameters}"
        self.outputs: dict[str, Any] = {
            name: self._value({part: value for part, value in output.items() if part != "Condition"})
            for name, output in template.get("Outputs", {}).items()
            if self._is_made(output)
        }
        self.resources: dict[str, Any] = {
            name: self._value(entry) for name, entry in template["Resources"].items() if self._is_made(entry)
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical id."""
        return {name: entry["Properties"] for name, entry in self.resources.items() if entry["Type"] == kind}

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Every statement of a role's policies, its own and those it shares with others of the stack."""
        properties = self.of_type("AWS::IAM::Role")[role]
        shared = [policy["Ref"] for policy in properties["ManagedPolicyArns"] if isinstance(policy, dict)]
        documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
        documents += [self.of_type("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"] for name in shared]
        return [statement for document in documents for statement in document["Statement"]]

    def _is_made(self, entry: dict[str, Any]) -> bool:
        return "Condition" not in entry or bool(self._value(self._template["Conditions"][entry["Condition"]]))

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref":
                return self._values.get(argument, node)
            if name == "Condition" and isinstance(argument, str) and argument in self._template["Conditions"]:
                return self._value(self._template["Conditions"][argument])
            if name.startswith("Fn::") and name != "Fn::GetAtt":
                return self._call(name, argument)
        worked_out = {name: self._value(value) for name, value in node.items()}
        return {name: value for name, value in worked_out.items() if value is not _NOTHING}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Fn::If", [condition, yes, no]:
                return self._value(yes if self._value(self._template["Conditions"][condition]) else no)
            case "Fn::Equals", [left, right]:
                return str(self._value(left)) == str(self._value(right))  # a number's parameter is a text, too
            case "Fn::Not", [condition]:
                return not self._value(condition)
            case "Fn::And", conditions:
                return all(self._value(conditions))
            case "Fn::Join", [separator, parts]:
                return separator.join(self._value(parts))
            case "Fn::Select", [index, parts]:
                return self._value(parts)[int(index)]
            case "Fn::Split", [separator, text]:
                return self._value(text).split(separator)
            case "Fn::Sub", [text, names]:
                return self._substituted(text, self._value(names))
            case "Fn::Sub", text:
                return self._substituted(text, {})
        raise NotImplementedError(name)

    def _substituted(self, text: str, names: dict[str, str]) -> str:
        known = self._values | names
        return re.sub(r"\$\{([\w:]+)}", lambda found: str(known.get(found[1], found[0])), text)
