"""
As much of the Amazon States Language as examples/emergency-rotation uses, to run it here.

JSONata alone, and the fields that are named in `_FIELDS`: whatever else a definition says is refused, not passed over. Source:
states-language.net, and "Distributed mode", "AWS SDK integrations" and "Transforming data" of the Step Functions Developer Guide.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from jsonata import Jsonata

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY = {"Type", "Comment", "Next", "Assign"}
_FIELDS = {
    "Pass": _EVERY,
    "Task": _EVERY | {"Resource", "Arguments", "Retry", "Output"},
    "Choice": {"Type", "Comment", "Choices", "Default"},
    "Wait": _EVERY | {"Seconds"},
    "Succeed": {"Type", "Output"},
    "Fail": {"Type", "Error", "Cause"},
    "Map": _EVERY | {"Label", "ItemReader", "MaxConcurrency", "ToleratedFailurePercentage", "ItemProcessor", "ResultWriter", "Output"},
}  # fmt: skip
_RETRIER = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "MaxAttempts", "JitterStrategy"}
_PAYLOAD = 256 * 1024  # "Maximum input or output size for a task, state, or execution": quotas
_EVENTS = 25_000  # "Maximum execution history size": quotas


class StatesError(Exception):
    """How an execution, or a task of it, fails."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class Aborted(Exception):
    """A child whose map has failed is stopped between two states."""


@dataclass
class Cloud:
    """
    What an execution finds around it.

    clients:  boto3 clients by the name of their integration, which do not try again by themselves
    pause:    waits so many seconds, or less
    objects:  what is in the bucket
    """

    clients: dict[str, Any]
    pause: Callable[[float], None]
    objects: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Counter[str]] = field(default_factory=dict)
    retried: Counter[str] = field(default_factory=Counter)
    most_events: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Execution:
    """One execution of a machine, or of a map's item processor; `run` returns its output or raises StatesError."""

    def __init__(
        self, machine: dict[str, Any], cloud: Cloud, *, name: str, stopped: threading.Event | None = None
    ) -> None:
        self._machine, self._cloud, self._name = machine, cloud, name
        self._variables: dict[str, Any] = {}
        self._stopped = stopped or threading.Event()
        self._events = 0

    def run(self, given: Any) -> Any:
        at = self._machine["StartAt"]
        while True:
            if self._stopped.is_set():
                raise Aborted
            state = self._machine["States"][at]
            unknown = state.keys() - _FIELDS[state["Type"]]
            assert not unknown, f"{at}: {unknown} is more than this interpreter knows"
            self._count(5 if state["Type"] in {"Task", "Map"} else 2)
            context = {"Execution": {"Name": self._name}, "State": {"Name": at}}
            scope: dict[str, Any] = {"input": given, "context": context}
            if state["Type"] == "Fail":
                raise StatesError(state["Error"], self._value(state["Cause"], scope))
            if state["Type"] == "Choice":
                at = next(
                    (choice["Next"] for choice in state["Choices"] if self._flag(choice["Condition"], scope)),
                    state["Default"],
                )
                continue
            if state["Type"] == "Task":
                scope["result"] = self._task(state, scope)
            elif state["Type"] == "Map":
                scope["result"] = self._map(state, scope)
            elif state["Type"] == "Wait":
                self._cloud.pause(self._number(state["Seconds"], scope))
            output = self._value(state["Output"], scope) if "Output" in state else scope.get("result", given)
            # All are worked out before any is assigned: "Evaluation order in an assign field".
            self._variables |= {name: self._value(text, scope) for name, text in state.get("Assign", {}).items()}
            assert len(json.dumps(output)) <= _PAYLOAD
            assert all(len(json.dumps(value)) <= _PAYLOAD for value in self._variables.values())
            if state["Type"] == "Succeed":
                return output
            given, at = output, state["Next"]

    def _count(self, events: int) -> None:
        self._events += events
        assert self._events < _EVENTS, "the history is full"
        with self._cloud.lock:
            self._cloud.most_events = max(self._cloud.most_events, self._events)

    def _value(self, node: Any, scope: dict[str, Any]) -> Any:
        if isinstance(node, dict):
            return {name: self._value(value, scope) for name, value in node.items()}
        if isinstance(node, list):
            return [self._value(value, scope) for value in node]
        if not (isinstance(node, str) and node.startswith("{%")):
            return node
        assert node.endswith("%}"), node
        value = _compiled(node[2:-2]).evaluate(None, {**self._variables, "states": scope})
        if value is None:
            raise StatesError("States.QueryEvaluationError", f"{node} is undefined")
        return json.loads(json.dumps(value))

    def _flag(self, node: str, scope: dict[str, Any]) -> bool:
        value = self._value(node, scope)
        assert isinstance(value, bool), f"{node} is no condition"
        return value

    def _number(self, node: Any, scope: dict[str, Any]) -> float:
        value = self._value(node, scope)
        assert isinstance(value, (int, float)), f"{node} is no number"
        return value

    def _task(self, state: dict[str, Any], scope: dict[str, Any]) -> Any:
        attempts: Counter[int] = Counter()
        while True:
            try:
                result = self._call(state["Resource"], self._value(state["Arguments"], scope))
            except StatesError as error:
                self._retry(state.get("Retry", []), error, attempts)
                continue
            if len(json.dumps(result)) > _PAYLOAD:
                raise StatesError("States.DataLimitExceeded", state["Resource"])
            return result

    def _retry(self, retriers: list[dict[str, Any]], error: StatesError, attempts: Counter[int]) -> None:
        for number, retrier in enumerate(retriers):
            assert retrier.keys() <= _RETRIER, retrier
            if not {error.error, "States.ALL"}.isdisjoint(retrier["ErrorEquals"]):
                if attempts[number] >= retrier.get("MaxAttempts", 3):
                    break
                wait = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** attempts[number]
                attempts[number] += 1
                self._count(2)
                with self._cloud.lock:
                    self._cloud.retried[error.error] += 1
                self._cloud.pause(min(wait, retrier.get("MaxDelaySeconds", wait)))
                return
        raise error

    def _call(self, resource: str, arguments: dict[str, Any]) -> Any:
        service, action = resource.removeprefix("arn:aws:states:::aws-sdk:").split(":")
        if (service, action) == ("s3", "putObject"):
            with self._cloud.lock:
                self._cloud.objects[arguments["Key"]] = json.loads(json.dumps(arguments["Body"]))
            return {"ETag": '"0"'}
        if (service, action) == ("sfn", "describeMapRun"):
            counts = self._cloud.runs[arguments["MapRunArn"]]
            return {
                "ItemCounts": {"Total": counts.total(), "Succeeded": counts["Succeeded"], "Failed": counts["Failed"]}
            }
        client = self._cloud.clients[service]
        (method,) = [name for name, operation in client.meta.method_to_api_mapping.items() if operation == action[0].upper() + action[1:]]  # fmt: skip
        try:
            answer = getattr(client, method)(**arguments)
        except ClientError as error:
            raise StatesError(_name(client, error), str(error)) from None
        return _jsonable({name: value for name, value in answer.items() if name != "ResponseMetadata"})

    def _map(self, state: dict[str, Any], scope: dict[str, Any]) -> Any:
        """A distributed map: each item is an execution of its own, which sees none of our variables."""
        reader, processor = state["ItemReader"], state["ItemProcessor"]
        assert processor["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        assert reader["ReaderConfig"] == {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
        place = self._value(reader["Arguments"], scope)["Prefix"]
        items = [
            item for key in sorted(self._cloud.objects) if key.startswith(place) for item in self._cloud.objects[key]
        ]
        at_once, tolerated = int(self._number(state["MaxConcurrency"], scope)), self._number(state["ToleratedFailurePercentage"], scope)  # fmt: skip
        stopped, counts = threading.Event(), Counter[str]()
        results: dict[str, list[Any]] = {"SUCCEEDED": [], "FAILED": []}

        def child(item: Any) -> None:
            execution = Execution(processor, self._cloud, name=str(uuid.uuid4()), stopped=stopped)
            try:
                output = execution.run(item)
            except Aborted:
                counts["Aborted"] += 1
            except StatesError as error:
                results["FAILED"].append({"Input": item, "Error": error.error, "Cause": error.cause})
                counts["Failed"] += 1
                if counts["Failed"] / len(items) * 100 > tolerated:
                    stopped.set()
            else:
                results["SUCCEEDED"].append({"Input": item, "Output": output})
                counts["Succeeded"] += 1

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(child, items))
        arn = f"arn:aws:states:us-east-1:123456789012:mapRun:rotation/{state['Label']}:{uuid.uuid4()}"
        self._cloud.runs[arn] = counts
        prefix = self._value(state["ResultWriter"]["Arguments"], scope)["Prefix"]
        for name, kept in results.items():
            self._cloud.objects[f"{prefix}/{arn.rpartition(':')[2]}/{name}_0.json"] = kept
        if stopped.is_set():
            raise StatesError("States.ExceedToleratedFailureThreshold", f"{counts['Failed']} of {len(items)}")
        return {"MapRunArn": arn, "ResultWriterDetails": {"Key": prefix}}


_parsed = threading.local()


def _compiled(text: str) -> Jsonata:
    known: dict[str, Jsonata] = _parsed.__dict__.setdefault("known", {})
    if text not in known:
        known[text] = Jsonata(text)
        known[text].register_lambda("uuid", lambda: str(uuid.uuid4()))
    return known[text]


def _name(client: Any, error: ClientError) -> str:
    """The service's name, and an error that its model has; the service's base exception for any other."""
    code = error.response["Error"]["Code"]
    modelled = {shape.name for shape in client.meta.service_model.error_shapes}
    return f"SecretsManager.{code if code.endswith('Exception') else f'{code}Exception'}" if code in modelled else "SecretsManager.SecretsManagerException"  # fmt: skip


def _jsonable(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _jsonable(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_jsonable(value) for value in node]
    return node.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if isinstance(node, datetime) else node
