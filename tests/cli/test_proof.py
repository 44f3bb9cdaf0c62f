"""The tests of what `rotators new` writes pass as they were written, and fail where the rotator is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import KINDS, Project

if TYPE_CHECKING:
    from pathlib import Path

SET = '    def set(self, rotation: Rotation) -> None:\n        self.call("PUT", rotation.current, {"key": rotation.pending%s})\n'
TEST = '        self.call("GET", secret)\n'
CREATE = """
    def create(self, rotation: Rotation) -> Secret:
        fresh = Secret(%s)
        self.call("PUT", rotation.current, {"key": fresh%s})
        return fresh
"""
REJECTS = 'raise CredentialRejected("the relay refused the key")'
OUTAGE = 'raise TargetUnreachable(f"the relay answered {answer.status}")'


def wrong(part: str, made: str) -> dict[str, list[tuple[str, str]]]:
    """What may be wrong with a rotator that has `set` and `test`."""
    the_set = SET % part
    body = the_set.splitlines(keepends=True)[1]
    return {
        "set does nothing": [(body, "        pass\n")],
        "set stores something else": [(f"rotation.pending{part}}}", f"rotation.pending{part}[:-1]}}")],
        "set asks with pending": [('"PUT", rotation.current', '"PUT", rotation.pending')],
        "test accepts everything": [(TEST, "        pass\n")],
        "test accepts an outage": [(f"            {OUTAGE}\n", "            return\n")],
        "create changes the service": [(the_set, (CREATE % (made, part)).lstrip("\n") + "\n" + the_set)],
        "an outage is a refusal": [(OUTAGE, 'raise CredentialRejected(f"{answer.status}")')],
        "a refusal is an outage": [(REJECTS, 'raise TargetUnreachable("the relay refused the key")')],
        "the key is printed": [(TEST, f"        print(secret{part})\n{TEST}")],
        "pending is used for whatever it names": [(the_set, f"    resource_keys = ()\n\n{the_set}")],
    }


WRONG = {
    "password": wrong('["password"]', 'dict(rotation.current, password=__import__("uuid").uuid4().hex)'),
    "plain": {
        what: changes
        for what, changes in wrong(".text", '__import__("uuid").uuid4().hex').items()
        if what in {"set does nothing", "test accepts everything", "create changes the service", "the key is printed"}
    },
    "key": {
        "no key is ever revoked": [('        self.call("DELETE", f"/keys/{key}", by)\n', "        pass\n")],
        "the name is not handed on": [('{"name": name}', '{"name": "a key"}')],
        "the id is not stored": [('key_id=made["id"], key=made["key"]', 'key=made["key"]')],
        "test accepts everything": [('        self.call("GET", "/keys", secret)\n', "        pass\n")],
        "an outage is a refusal": [(OUTAGE, 'raise CredentialRejected(f"{answer.status}")')],
        "pending is used for whatever it names": [('return {"url": secret["url"]}', "return {}")],
    },
}
#: The test that is to find each of them.
FOUND_BY = {
    "set does nothing": "test_it_rotates",
    "set stores something else": "test_it_rotates",
    "set asks with pending": "test_it_rotates",
    "test accepts everything": "test_law_8_unreachable_is_not_rejected",
    "test accepts an outage": "test_law_8_unreachable_is_not_rejected",
    "create changes the service": "test_law_2_pending_is_the_write_ahead_log",
    "an outage is a refusal": "test_law_8_unreachable_is_not_rejected",
    "a refusal is an outage": "test_law_6_never_promote_what_does_not_open",
    "the key is printed": "test_law_9_no_secret_in_text",
    "pending is used for whatever it names": "test_law_5_same_resource",
    "no key is ever revoked": "test_law_3_a_crash_at_every_call",
    "the name is not handed on": "test_law_3_a_crash_at_every_call",
    "the id is not stored": "test_it_rotates",
}


@pytest.mark.parametrize("kind", KINDS)
def test_they_pass_as_they_were_written(kind: str, tmp_path: Path) -> None:
    told = Project.written(tmp_path / "p", "relay", kind).tests("-n", "3")
    assert told.returncode == 0, told.stdout
    assert " passed" in told.stdout
    assert "skipped" not in told.stdout


@pytest.mark.parametrize("kind, what", [(kind, what) for kind, cases in WRONG.items() for what in cases])
def test_they_fail_where_it_is_wrong(kind: str, what: str, tmp_path: Path) -> None:
    project = Project.written(tmp_path / "p", "relay", kind)
    for old, new in WRONG[kind][what]:
        project.change(old, new)
    told = project.tests("-k", FOUND_BY[what])
    assert told.returncode == 1, f"{what}, and its tests say: {told.stdout}"
    assert "1 failed" in told.stdout, f"an error of the set-up says nothing of the law: {told.stdout}"


def test_a_failure_tells_the_law_the_call_and_how_to_see_it_again(tmp_path: Path) -> None:
    project = Project.written(tmp_path / "p", "relay", "key")
    for old, new in WRONG["key"]["no key is ever revoked"]:
        project.change(old, new)
    told = project.tests("-k", "test_law_3_a_crash_at_every_call").stdout
    replay = re.search(r"replay +pytest '(\S+)' -n0 (--rotators-case) (\S+)", told)
    assert "law 7 broke: " in told
    assert "keys were issued that no version of the secret holds" in told
    assert replay is not None, told
    again = project.tests(replay[1], "-n0", replay[2], replay[3])
    assert again.returncode == 1
    assert "law 7 broke: " in again.stdout
