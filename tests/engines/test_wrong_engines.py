"""Each promise broken on purpose is caught by the contract. A contract that can't fail proves nothing."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import EngineContract
from tests.engines import wrong_engines as wrong
from tests.engines import wrong_pairs as pairs
from tests.engines import wrong_two_passwords as two
from tests.engines.mysql_target import MysqldTarget
from tests.engines.postgres_target import PostgresTarget

if TYPE_CHECKING:
    from rotators.lab.mysqld import Mysqld
    from rotators.lab.postgres import Postgres

SET_AGAIN = "test_law_4_again_and_again_leaves_the_password_in_use[admin]"
ABANDONED = "test_an_abandoned_value_does_not_push_out_the_password_in_use[admin]"
REFUSED = "test_law_8_an_authority_that_is_refused_changes_nothing[{}]"
NO_ERROR = "succeeded and should have raised"

#: Engine, and the tests of the contract that must reject it, each with what it then says.
WRONG: dict[type[wrong.Real], dict[str, str]] = {
    wrong.Contented: {
        REFUSED.format("admin"): NO_ERROR,
        REFUSED.format("itself"): NO_ERROR,
        "test_who_has_no_right_changes_nothing": NO_ERROR,
        "test_law_11_nobody_is_made_by_the_way": NO_ERROR,
        "test_who_has_no_right_makes_no_pair": NO_ERROR,
        "test_users_that_are_no_pair_are_refused": NO_ERROR,
    },
    wrong.Optimist: {"test_law_8_an_outage_changes_nothing[admin]": NO_ERROR},
    wrong.OneAnswer: {
        "test_law_8_unreachable_is_not_rejected": "CredentialRejected and not TargetUnreachable",
        "test_law_8_an_outage_changes_nothing[itself]": "CredentialRejected and not TargetUnreachable",
        "test_law_3_cut_at_every_piece_of_traffic[admin]": "is not retryable",
    },
    wrong.Eager: {REFUSED.format("admin"): "does not open any more"},
    wrong.AsksPendingFirst: {"test_law_4_no_failed_login[itself]": "rejections"},
    wrong.Gullible: {"test_law_5_an_admin_of_another_server_is_not_used": "and not SecretError"},
    wrong.Anywhere: {"test_law_5_resource_tells_things_apart": "'dbname' makes no difference"},
    wrong.Unread: {"test_a_malformed_value_is_named_by_its_key": "test raised KeyError"},
    wrong.Telltale: {"test_law_9_no_secret_in_text": "Canary"},
    wrong.Chatty: {"test_law_9_no_secret_in_text": "setting Canary"},
    wrong.Plaintext: {"test_law_9_no_password_in_the_servers_log[admin]": "Canary"},
    wrong.Unproven: {"test_law_10_a_change_that_does_not_take_is_undone[itself]": NO_ERROR},
    wrong.Stubborn: {"test_law_13_silence_costs_the_time_left_and_no_more": "with 1.0 s left"},
    wrong.Forgetless: {"test_an_engine_remembers_nothing": NO_ERROR},
    wrong.Tidy: {
        "test_nasty_passwords[itself]": "was set and does not open|refused",
        "test_nasty_names[admin]": "is not a pair",
    },
    wrong.Maker: {"test_law_11_nobody_is_made_by_the_way": NO_ERROR},
    pairs.Unequal: {"test_law_12_complete_before_it_opens_made_from_nothing": "opens and can do set()"},
    pairs.Once: {"test_law_12_additions_and_revocations_follow": "did not follow"},
    pairs.Blind: {"test_law_12_differences_are_named": NO_ERROR},
    pairs.Mute: {"test_law_12_differences_are_named": "does not name it"},
    pairs.TakesOver: {"test_law_11_an_account_that_is_not_ours_is_refused": NO_ERROR},
    pairs.Touching: {"test_four_turns": "logins failed"},
    pairs.Single: {"test_it_is_an_engine_and_says_what_it_can": "say different things"},
    two.Retaining: {SET_AGAIN: "for the 2. time", ABANDONED: "AWSCURRENT's was not"},
    two.Hoarding: {"test_discard_leaves_one[admin]": "not True"},
    two.Wasteful: {"test_discard_refused_changes_nothing[admin]": "what was discarded"},
}
CASES = [(kind, test, said) for kind, tests in WRONG.items() for test, said in tests.items()]
TWO_PASSWORDS = [case for case in CASES if issubclass(case[0], two.RealMySQL)]
POSTGRES = [case for case in CASES if case not in TWO_PASSWORDS]


def ids(case: Any) -> str:
    return getattr(case, "__name__", str(case))


def rejects(request: pytest.FixtureRequest, target: Any, kind: type[wrong.Real], test: str, said: str) -> None:
    abilities = {"alternates": True, "keeps_two_passwords": ("admin",), "engine": kind()}
    contract = type("Contract", (EngineContract,), abilities)()
    name, _, case = test.removesuffix("]").partition("[")
    method = getattr(contract, name)
    wanted = set(inspect.signature(method).parameters) - {"target"}
    more = {
        fixture: case if fixture in {"authority", "keeping"} else request.getfixturevalue(fixture) for fixture in wanted
    }
    arguments = [target] if "target" in inspect.signature(method).parameters else []
    with pytest.raises(Exception, match=said):
        method(*arguments, **more)


@pytest.mark.parametrize(("kind", "test", "said"), POSTGRES, ids=ids)
def test_the_contract_rejects(
    kind: type[wrong.Real],
    test: str,
    said: str,
    postgres_server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))
    rejects(request, PostgresTarget(postgres_server), kind, test, said)


@pytest.mark.parametrize(("kind", "test", "said"), TWO_PASSWORDS, ids=ids)
def test_the_contract_rejects_two_passwords(
    kind: type[wrong.Real],
    test: str,
    said: str,
    mysql_family: Mysqld,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mysql_family.ca_bundle))
    rejects(request, MysqldTarget(mysql_family), kind, test, said)
