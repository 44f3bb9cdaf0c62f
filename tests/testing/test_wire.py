"""The wire: what arrives as raw bytes, with no SDK to make it right."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError

from rotators.testing import Endpoint, SecretsManager, wire
from tests.testing.conftest import CREDENTIALS, REGION, A, B, Relay, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.testing.conftest import Service


def ask(sm: SecretsManager, operation: str, request: Any) -> tuple[int, dict[str, Any]]:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    status, answer = sm.respond(f"secretsmanager.{operation}", body)
    return status, json.loads(answer)


TOKEN = "You must provide a ClientRequestToken value. We recommend a UUID-type value."


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("CreateSecret", {"Name": "new", "SecretString": "v"}, "InvalidRequestException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "v"}, "InvalidRequestException"),
        ("UpdateSecret", {"SecretId": "app", "SecretString": "v"}, "InvalidRequestException"),
        ("RotateSecret", {"SecretId": "app"}, "InvalidParameterException"),
    ],
)
def test_a_token_is_required_where_no_sdk_fills_it_in(
    sm: SecretsManager, operation: str, request_: Any, code: str
) -> None:  # F14
    sm.client().create_secret(Name="app", SecretString="v")
    assert ask(sm, operation, request_) == (400, {"__type": code, "Message": TOKEN})


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("GetSecretValue", b"{", "SerializationException"),
        ("GetSecretValue", b"\xff", "SerializationException"),
        ("GetSecretValue", [], "SerializationException"),
        ("GetSecretValue", {"SecretId": 1}, "SerializationException"),
        ("GetSecretValue", {"SecretId": None}, "ValidationException"),
        ("GetSecretValue", {}, "ValidationException"),
        ("GetSecretValue", {"SecretId": ""}, "ValidationException"),
        ("GetSecretValue", {"SecretId": "x" * 2049}, "ValidationException"),
        ("GetSecretValue", {"SecretId": "app", "VersionId": "short"}, "ValidationException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "v", "ClientRequestToken": "x" * 31}, "ValidationException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "v", "ClientRequestToken": "x" * 65}, "ValidationException"),
        ("PutSecretValue", {"SecretId": "app", "SecretBinary": "%", "ClientRequestToken": A}, "SerializationException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "", "ClientRequestToken": A}, "InvalidRequestException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "v", "ClientRequestToken": A, "VersionStages": []}, "ValidationException"),
        ("PutSecretValue", {"SecretId": "app", "SecretString": "v", "ClientRequestToken": A, "RotationToken": "?" * 36}, "ValidationException"),
        ("RotateSecret", {"SecretId": "app", "RotateImmediately": "no"}, "SerializationException"),
        ("GetRandomPassword", {"PasswordLength": True}, "SerializationException"),
        ("GetRandomPassword", {"PasswordLength": 0}, "ValidationException"),
        ("ListSecrets", {"SortOrder": "up"}, "ValidationException"),
        ("ListSecrets", {"Filters": [{"Key": "colour", "Values": ["x"]}]}, "ValidationException"),
    ],
)  # fmt: skip
def test_the_service_checks_what_an_sdk_would_not_send(
    sm: SecretsManager, operation: str, request_: Any, code: str
) -> None:
    sm.client().create_secret(Name="app", SecretString="v")
    status, answer = ask(sm, operation, request_)
    assert (status, answer["__type"]) == (400, code)
    assert answer.get("message") or answer.get("Message")


@pytest.mark.parametrize("length", [32, 64])
def test_the_shortest_and_the_longest_token(ours: Service, length: int) -> None:
    ours.put(ours.secret(), "t" * length, "v2")


@pytest.mark.parametrize(
    "target", ["secretsmanager.ListResourcePolicies", "secretsmanager.", "", "dynamodb.GetItem", "GetSecretValue"]
)
def test_an_unknown_operation(sm: SecretsManager, target: str) -> None:
    status, answer = sm.respond(target, b"{}")
    assert (status, json.loads(answer)["__type"]) == (400, "UnknownOperationException")
    assert sm.calls == []


def test_boto3_sees_an_unknown_operation(ours: Service) -> None:
    with refused("UnknownOperationException"):
        ours.client.list_resource_policies(SecretId="x")


def test_boto3_still_checks_by_itself(ours: Service) -> None:
    with pytest.raises(ParamValidationError):
        ours.client.put_secret_value(SecretId="x", SecretString="v", ClientRequestToken="short")


def test_the_exceptions_are_boto3s_own(ours: Service) -> None:
    with pytest.raises(ours.client.exceptions.ResourceNotFoundException):
        ours.get("nobody")


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
        yield connection


def post(url: str, target: str, body: bytes) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    with connected(url) as connection:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        return response, json.loads(response.read())


def test_an_unsigned_request_over_http(sm: SecretsManager) -> None:
    sm.client().create_secret(Name="app", SecretString="v")
    with Endpoint(sm) as url:
        answer, result = post(url, "secretsmanager.GetSecretValue", b'{"SecretId": "app"}')
        assert answer.status == 200
        assert answer.version == 11
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert len(answer.headers["x-amzn-RequestId"]) == 36
        assert result["SecretString"] == "v"
        answer, result = post(url, "secretsmanager.GetSecretValue", b'{"SecretId": "nobody"}')
        assert answer.status == 400
        assert result == {
            "__type": "ResourceNotFoundException",
            "Message": "Secrets Manager can't find the specified secret.",
        }


def test_one_connection_serves_many_requests(sm: SecretsManager) -> None:
    with Endpoint(sm) as url, connected(url) as connection:
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("POST", "/", b"{}", {"X-Amz-Target": "secretsmanager.ListSecrets"})
            assert connection.getresponse().read() == b'{"SecretList": []}'
        assert connection.sock is first


def test_boto3_finds_the_endpoint_by_its_variable(sm: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint(sm) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        client = boto3.client("secretsmanager", region_name=REGION, **CREDENTIALS)
        client.create_secret(Name="app", SecretString="v")
        assert client.get_secret_value(SecretId="app")["SecretString"] == "v"
    assert [call.operation for call in sm.calls] == ["CreateSecret", "GetSecretValue"]


def test_the_client_ignores_the_machine(sm: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert sm.client().list_secrets()["SecretList"] == []


def test_the_same_answers_both_ways(sm: SecretsManager) -> None:
    inside = sm.client()
    inside.create_secret(Name="app", SecretString="v")
    with Endpoint(sm) as url:
        outside: Any = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, **CREDENTIALS)
        for operation in ("describe_secret", "get_secret_value", "list_secret_version_ids"):
            getattr(inside, operation)(SecretId="app")  # so that both see the secret as accessed
            answers = [getattr(client, operation)(SecretId="app") for client in (inside, outside)]
            metadata = [answer.pop("ResponseMetadata") for answer in answers]
            assert answers[0] == answers[1]
            assert metadata[0].keys() == metadata[1].keys()
            assert metadata[0]["HTTPHeaders"].keys() == metadata[1]["HTTPHeaders"].keys()


class Faulty:
    """A service behind which something breaks, a given number of times."""

    def __init__(self, sm: SecretsManager, error: Exception, times: int) -> None:
        self.sm, self.error, self.times = sm, error, times

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        answer = self.sm.respond(target, body, headers)
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return answer


@pytest.mark.parametrize("error", [ConnectionResetError(), RuntimeError("a bug")])
def test_a_lost_answer_is_asked_for_again(sm: SecretsManager, error: Exception) -> None:
    with Endpoint(Faulty(sm, error, 1)) as url:
        config = Config(retries={"max_attempts": 2, "mode": "standard"})
        client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, config=config, **CREDENTIALS)
        client.create_secret(Name="app", SecretString="v", ClientRequestToken=A)
    assert sm.count("CreateSecret") == 2


def test_a_lost_answer_is_a_closed_connection(sm: SecretsManager) -> None:
    with Endpoint(Faulty(sm, ConnectionResetError(), 9)) as url:
        config = Config(retries={"max_attempts": 0})
        client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, config=config, **CREDENTIALS)
        with pytest.raises(ConnectionClosedError):
            client.list_secrets()


def test_a_bug_behind_the_endpoint_is_a_500(sm: SecretsManager) -> None:
    with Endpoint(Faulty(sm, RuntimeError("a bug"), 9)) as url:
        config = Config(retries={"max_attempts": 0})
        client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, config=config, **CREDENTIALS)
        with pytest.raises(ClientError) as caught:
            client.list_secrets()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_the_endpoint_stops_at_once_with_connections_open(sm: SecretsManager) -> None:
    endpoint = Endpoint(sm, port=0)
    with endpoint as url:
        idle = socket.create_connection(("127.0.0.1", endpoint.port), timeout=5)
        post(url, "secretsmanager.ListSecrets", b"{}")
        started = time.perf_counter()
    assert time.perf_counter() - started < 0.5
    assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", endpoint.port), timeout=5)


def test_the_endpoint_takes_a_port_of_ones_choice(sm: SecretsManager) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Endpoint(sm, host="127.0.0.1", port=port) as url:
        assert url == f"http://127.0.0.1:{port}"


def test_an_endpoint_that_was_never_started_stops(sm: SecretsManager) -> None:
    Endpoint(sm).stop()


def test_a_request_in_chunks_is_refused(sm: SecretsManager) -> None:
    with Endpoint(sm) as url, connected(url) as connection:
        connection.putrequest("POST", "/")
        connection.putheader("X-Amz-Target", "secretsmanager.ListSecrets")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()  # no chunk is sent: it would meet a connection that is closed already
        assert connection.getresponse().status == 411


def test_the_endpoint_is_silent(sm: SecretsManager, capfd: pytest.CaptureFixture[str]) -> None:
    with Endpoint(sm) as url:
        post(url, "secretsmanager.ListSecrets", b"{}")
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=5) as confused:
            confused.sendall(b"NONSENSE\r\n\r\n")
            confused.recv(4096)
        with socket.create_connection(address, timeout=5) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hangs up with a reset
            rude.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
            time.sleep(0.05)
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


def test_a_request_costs_no_more_than_it_must(sm: SecretsManager) -> None:
    """The goal is 2 ms on a quiet machine; this bound catches a Nagle delay (40 ms) or a connection per request."""
    relay = Relay()
    relay.service = sm
    inside = wire.client(relay, REGION)
    inside.create_secret(Name="app", SecretString="v")
    with Endpoint(relay) as url:
        outside: Any = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, **CREDENTIALS)
        for client, bound in ((inside, 0.005), (outside, 0.010)):
            fastest = 1.0
            for _ in range(20):
                started = time.perf_counter()
                client.get_secret_value(SecretId="app")
                fastest = min(fastest, time.perf_counter() - started)
            assert fastest < bound


def test_importing_the_package_loads_no_boto3() -> None:
    code = "import sys, rotators.testing; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.split() == ["False", "False"]


def test_calls_hold_no_values(sm: SecretsManager, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rotators")
    client = sm.client()
    client.create_secret(Name="app", SecretString="canary-1", ClientRequestToken=A)
    sm.put_placeholder("app", B, "rotation-token-" + "x" * 30)
    client.put_secret_value(
        SecretId="app",
        SecretString="canary-2",
        ClientRequestToken=B,
        VersionStages=["AWSPENDING"],
        RotationToken="rotation-token-" + "x" * 30,
    )
    client.update_secret_version_stage(
        SecretId="app", VersionStage="AWSCURRENT", MoveToVersionId=B, RemoveFromVersionId=A
    )
    with pytest.raises(ClientError):
        client.get_secret_value(SecretId="nobody", VersionStage="blue")
    record = sm.account.find("app")
    text = repr((sm.calls, sm.events, record, list(record.versions), record.attempt, caplog.text))
    assert "canary" not in text
    assert "rotation-token" not in text
    first, put, moved, failed = sm.calls
    assert (first.operation, first.secret_id, first.version) == ("CreateSecret", "app", A)
    assert (put.version, put.stages) == (B, ("AWSPENDING",))
    assert (moved.version, moved.remove_from, moved.stages) == (B, A, ("AWSCURRENT",))
    assert (failed.error, failed.stages) == ("ResourceNotFoundException", ("blue",))
    assert sm.count("GetSecretValue") == 1


def test_five_threads_with_one_token_have_one_winner(ours: Service) -> None:
    secret = ours.secret()
    barrier, outcomes = threading.Barrier(5), []

    def put(value: str) -> None:
        barrier.wait()
        try:
            ours.put(secret, B, value, "AWSPENDING")
            outcomes.append(value)
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=put, args=(f"value-{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[:4] == ["ResourceExistsException"] * 4
    assert [value for value in outcomes if value.startswith("value")] == [ours.get(secret, VersionStage="AWSPENDING")]


def test_fifty_times_five_threads(sm: SecretsManager) -> None:
    """The lock, without the calm of a client: threads change places after a microsecond."""
    sm.client().create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    barrier, statuses = threading.Barrier(5), []

    def put(n: int) -> None:
        for turn in range(50):
            request = {
                "SecretId": "app",
                "ClientRequestToken": f"turn-{turn:032d}",
                "SecretString": f"value {n}",
                "VersionStages": ["AWSPENDING"],
            }
            barrier.wait()
            statuses.append((turn, ask(sm, "PutSecretValue", request)[0]))

    threads = [threading.Thread(target=put, args=(n,)) for n in range(5)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for turn in range(50):
        assert sorted(status for at, status in statuses if at == turn) == [200, 400, 400, 400, 400]
