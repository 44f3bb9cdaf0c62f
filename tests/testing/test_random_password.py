"""GetRandomPassword with every parameter."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import pytest

from tests.testing.conftest import refused

if TYPE_CHECKING:
    from tests.testing.conftest import Service

CLASSES = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


def password(service: Service, **request: Any) -> str:
    answer: str = service.client.get_random_password(**request)["RandomPassword"]
    return answer


def test_the_default_has_32_characters_of_every_type(service: Service) -> None:
    for _ in range(20):
        made = password(service)
        assert len(made) == 32
        assert " " not in made
        assert all(set(made) & set(characters) for characters in CLASSES.values())


def test_no_two_are_the_same(service: Service) -> None:
    assert len({password(service) for _ in range(50)}) == 50


@pytest.mark.parametrize("length", [4, 5, 100, 4096])
def test_the_length_is_as_asked_for(service: Service, length: int) -> None:
    assert len(password(service, PasswordLength=length)) == length


@pytest.mark.parametrize("switch", CLASSES)
def test_a_type_is_excluded(service: Service, switch: str) -> None:
    for _ in range(5):
        made = password(service, PasswordLength=200, **{switch: True})
        assert not set(made) & set(CLASSES[switch])
        assert all(set(made) & set(characters) for name, characters in CLASSES.items() if name != switch)


def test_characters_are_excluded(service: Service) -> None:
    excluded = ":/@\"'\\abcXYZ019"
    assert not set(password(service, PasswordLength=4000, ExcludeCharacters=excluded)) & set(excluded)


def test_everything_allowed_occurs(ours: Service) -> None:
    made = password(ours, PasswordLength=4096, IncludeSpace=True)
    assert set(made) == set(string.ascii_letters + string.digits + string.punctuation + " ")


def test_space_is_excluded_by_name(ours: Service) -> None:
    assert " " not in password(ours, PasswordLength=4096, IncludeSpace=True, ExcludeCharacters=" ")


@pytest.mark.moto_gap("M16: 5 characters")
def test_four_characters_with_space_allowed_are_four(service: Service) -> None:
    assert {len(password(service, PasswordLength=4, IncludeSpace=True)) for _ in range(30)} == {4}


def test_no_type_is_required_if_not_asked_for(ours: Service) -> None:
    made = [password(ours, PasswordLength=1, RequireEachIncludedType=False) for _ in range(40)]
    assert {len(one) for one in made} == {1}


@pytest.mark.moto_gap("M16: the last four characters are always of the same types")
def test_a_required_type_has_no_place_of_its_own(service: Service) -> None:
    made = [password(service, PasswordLength=8) for _ in range(80)]
    for place in (0, 3, -1):
        assert {one[place] in string.punctuation for one in made} == {True, False}


def test_four_characters_are_one_of_each_type(service: Service) -> None:
    for _ in range(30):
        made = password(service, PasswordLength=4)
        assert all(len(set(made) & set(characters)) == 1 for characters in CLASSES.values())


@pytest.mark.moto_gap("M16: IndexError or no error")
@pytest.mark.parametrize(
    "request_",
    [
        {"ExcludeCharacters": string.digits},
        dict.fromkeys(CLASSES, True),
        {"RequireEachIncludedType": False, "ExcludeCharacters": string.printable},
    ],
)
def test_nothing_left_to_draw_from(service: Service, request_: dict[str, Any]) -> None:
    with refused("InvalidParameterException"):
        password(service, **request_)


def test_a_whole_type_may_go_if_none_is_required(ours: Service) -> None:
    made = password(ours, PasswordLength=500, ExcludeCharacters=string.digits, RequireEachIncludedType=False)
    assert not set(made) & set(string.digits)


def test_space_alone_is_an_alphabet(ours: Service) -> None:
    assert password(ours, PasswordLength=3, IncludeSpace=True, **dict.fromkeys(CLASSES, True)) == "   "


def test_too_short_for_every_type(service: Service) -> None:
    with refused("InvalidParameterException"):
        password(service, PasswordLength=3)


def test_too_long(ours: Service) -> None:
    with refused("ValidationException"):
        password(ours, PasswordLength=4097)
