"""AWS's variables, with AWS's defaults, overruled by the secret's tags."""

from __future__ import annotations

import pytest

from rotators import ConfigurationError, PasswordPolicy


def test_awss_defaults() -> None:
    assert PasswordPolicy.read({}).parameters() == {
        "PasswordLength": 32,
        "ExcludeCharacters": ":/@\"'\\",
        "ExcludeNumbers": False,
        "ExcludePunctuation": False,
        "ExcludeUppercase": False,
        "ExcludeLowercase": False,
        "RequireEachIncludedType": True,
    }


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "y", "yes", "Yes"])
def test_what_aws_takes_for_true(value: str) -> None:
    policy = PasswordPolicy.read({"EXCLUDE_PUNCTUATION": value, "REQUIRE_EACH_INCLUDED_TYPE": value})
    assert policy.exclude_punctuation
    assert policy.require_each_included_type


@pytest.mark.parametrize("value", ["false", "0", "no", "off", "maybe"])
def test_what_aws_takes_for_false(value: str) -> None:
    policy = PasswordPolicy.read({"EXCLUDE_NUMBERS": value, "REQUIRE_EACH_INCLUDED_TYPE": value})
    assert not policy.exclude_numbers
    assert not policy.require_each_included_type


@pytest.mark.parametrize("name, key", [
    ("EXCLUDE_NUMBERS", "ExcludeNumbers"),
    ("EXCLUDE_PUNCTUATION", "ExcludePunctuation"),
    ("EXCLUDE_UPPERCASE", "ExcludeUppercase"),
    ("EXCLUDE_LOWERCASE", "ExcludeLowercase"),
])  # fmt: skip
def test_each_variable_reaches_its_parameter(name: str, key: str) -> None:
    changed = PasswordPolicy.read({name: "true"}).parameters()
    assert {k for k, v in changed.items() if v != PasswordPolicy.read({}).parameters()[k]} == {key}


def test_an_empty_variable_is_unset_but_for_the_characters() -> None:
    policy = PasswordPolicy.read({"PASSWORD_LENGTH": "", "REQUIRE_EACH_INCLUDED_TYPE": "", "EXCLUDE_CHARACTERS": ""})
    assert (policy.length, policy.require_each_included_type, policy.exclude_characters) == (32, True, "")


def test_an_engine_has_its_own_default_and_a_variable_overrules_it() -> None:
    assert PasswordPolicy.read({}, exclude="/@").exclude_characters == "/@"
    assert PasswordPolicy.read({"EXCLUDE_CHARACTERS": "xyz"}, exclude="/@").exclude_characters == "xyz"


def test_the_word_default_is_as_if_nothing_were_set() -> None:
    """A template names the variable always, and no tag can hold all of the characters."""
    assert PasswordPolicy.read({"EXCLUDE_CHARACTERS": "default"}) == PasswordPolicy.read({})
    assert PasswordPolicy.read({"EXCLUDE_CHARACTERS": "default"}, exclude="/@").exclude_characters == "/@"
    tags = {"rotators:exclude-characters": "default"}
    assert PasswordPolicy.read({"EXCLUDE_CHARACTERS": "x"}, tags=tags, exclude="/@").exclude_characters == "/@"


def test_a_tag_overrules_a_variable() -> None:
    tags = {"rotators:password-length": "40", "rotators:exclude-characters": "+-"}
    policy = PasswordPolicy.read({"PASSWORD_LENGTH": "20", "EXCLUDE_CHARACTERS": "x"}, tags=tags)
    assert (policy.length, policy.exclude_characters) == (40, "+-")


@pytest.mark.parametrize("value", ["abc", "0", "-5", "4097", "1.5", " 32", "9" * 5000, "３２"])
def test_a_bad_length_names_where_it_stands(value: str) -> None:
    with pytest.raises(ConfigurationError, match="^PASSWORD_LENGTH must be a whole number from 1 to 4096"):
        PasswordPolicy.read({"PASSWORD_LENGTH": value})
    with pytest.raises(ConfigurationError, match="the tag rotators:password-length must be"):
        PasswordPolicy.read({}, tags={"rotators:password-length": value})
