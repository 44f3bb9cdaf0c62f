"""template.yaml: what is made of it and of its parameters. Who may do what with it is in test_rights."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rotators.engines import ENGINES, engine
from rotators.passwords import EXCLUDED, PasswordPolicy
from tests.deploy.cloudformation import Stack
from tests.deploy.sam import DATABASES, FUNCTIONS, ROOT, TEMPLATE, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PACKAGE = ROOT / "src/rotators"


def test_sam_finds_nothing_to_complain_of(sam: Path) -> None:
    told = subprocess.run(
        [sam, "validate", "--lint", "-t", TEMPLATE],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )

    assert told.returncode == 0, told.stdout + told.stderr


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for part in pair:
                yield from scalars(part)
    elif isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from scalars(part)


@pytest.mark.parametrize(
    "template",
    [TEMPLATE, *sorted(ROOT.glob("examples/**/template.yaml"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_is_null(template: Path) -> None:
    """CloudFormation refuses it ("'null' values are not allowed in templates"), and cfn-lint says nothing in a state machine."""
    document = yaml.compose(template.read_text(), yaml.SafeLoader)

    nulls = [node for node in scalars(document) if node.tag == "tag:yaml.org,2002:null"]
    assert [node.start_mark.line + 1 for node in nulls] == []


def test_every_parameter_has_a_default_and_says_what_it_is_for(expanded: dict[str, Any]) -> None:
    for name, parameter in expanded["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].endswith("."), name


def test_the_functions_differ_in_their_names_alone(expanded: dict[str, Any]) -> None:
    """YAML that is written three times over stays the same three times."""
    variants = set()
    for given in (Stack(expanded), Stack(expanded, MasterSecretArn="admin", KmsKeyArn="key", VpcSubnetIds="s")):
        for function in DATABASES:
            name = FUNCTIONS[function]
            parts = [given.resources[function + part] for part in ("", "Role", "Permission")]
            parts[0]["Properties"].pop("Description")
            text = json.dumps(parts).replace(f"rotators-{name}", "rotators-NAME").replace(function, "FUNCTION")
            variants.add(text.replace(f"rotators.handlers.{name}.handler", "HANDLER"))

    assert len(variants) == 2


def test_it_is_in_a_vpc_only_when_subnets_are_given(expanded: dict[str, Any], stack: Stack) -> None:
    inside = Stack(expanded, VpcSubnetIds="subnet-1,subnet-2", VpcSecurityGroupIds="sg-1")

    assert "VpcConfig" not in stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    assert inside.of_type("AWS::Lambda::Function")["PostgresRotation"]["VpcConfig"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }


def test_the_outputs_are_the_functions_and_the_roles_arns(stack: Stack) -> None:
    """RotationLambdaARN is AWS's own name."""
    own = {"DatabaseRotation": "", **{name: name.removesuffix("Rotation") for name in list(FUNCTIONS)[1:]}}
    assert {name: output["Value"] for name, output in stack.outputs.items()} == {
        f"{prefix}Rotation{kind}ARN": {"Fn::GetAtt": [function + suffix, "Arn"]}
        for function, prefix in own.items()
        for kind, suffix in (("Lambda", ""), ("Role", "Role"))
    }
    assert all(output["Description"] for output in stack.outputs.values())


def test_every_variable_we_read_can_be_overridden_locally(stack: Stack) -> None:
    """`sam local invoke --env-vars` leaves out silently what the template does not name."""
    variables = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]["Environment"]["Variables"]

    assert set(variables) >= {
        "SECRETS_MANAGER_ENDPOINT",
        "EXCLUDE_CHARACTERS",
        "PASSWORD_LENGTH",
        "EXCLUDE_NUMBERS",
        "EXCLUDE_PUNCTUATION",
        "EXCLUDE_UPPERCASE",
        "EXCLUDE_LOWERCASE",
        "REQUIRE_EACH_INCLUDED_TYPE",
        "USERNAME_CHARACTER_LIMIT",
        "ROTATORS_CA_BUNDLE",
        "ROTATORS_STRATEGY",
        "ROTATORS_HOST_ALIASES",
        "ROTATORS_DISCARD_OLD",
        "ROTATORS_REASSIGN_OWNED",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
    }
    assert variables["POWERTOOLS_LOGGER_LOG_EVENT"] == "false"
    sources = [
        path.read_text()
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in {"lab", "testing"}
    ]
    assert set(variables) >= {name for text in sources for name in re.findall(r'"(ROTATORS_\w+)"', text)}


def test_a_password_is_made_as_if_no_variable_were_set(stack: Stack, expanded: dict[str, Any]) -> None:
    variables = stack.of_type("AWS::Lambda::Function")["DatabaseRotation"]["Environment"]["Variables"]
    told = expanded["Parameters"]["ExcludeCharacters"]["Description"]

    assert PasswordPolicy.read(variables) == PasswordPolicy.read({})
    for name in set(ENGINES):
        own = getattr(engine(name), "exclude_characters", EXCLUDED)
        assert PasswordPolicy.read(variables, exclude=own).exclude_characters == own
        assert f" {own}" in told


def test_the_parameters_reach_the_function(expanded: dict[str, Any]) -> None:
    given = Stack(
        expanded,
        ExcludeCharacters="",
        PasswordLength="40",
        SecretsManagerEndpoint="https://vpce",
        HostAliases="db.example.com=proxy.example.com,a=b",
        Provider="sendgrid",
    )
    variables = given.of_type("AWS::Lambda::Function")["PostgresRotation"]["Environment"]["Variables"]

    assert variables["SECRETS_MANAGER_ENDPOINT"] == "https://vpce"
    assert variables["ROTATORS_HOST_ALIASES"] == "db.example.com=proxy.example.com,a=b"
    assert variables["ROTATORS_PROVIDER"] == "sendgrid"
    assert PasswordPolicy.read(variables).exclude_characters == ""
    assert PasswordPolicy.read(variables).length == 40


def test_each_function_has_a_handler_and_a_way_to_be_built(expanded: dict[str, Any], stack: Stack) -> None:
    functions = stack.of_type("AWS::Lambda::Function")

    assert functions.keys() == FUNCTIONS.keys()
    assert "\nbuild-%:\n" in (ROOT / "src/Makefile").read_text()  # one artifact for all
    for name, function in functions.items():
        module, _, attribute = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), attribute))
        assert expanded["Resources"][name]["Metadata"]["BuildMethod"] == "makefile"
        assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "RotationLogs"}}


@pytest.mark.parametrize("platform", ["x86_64-manylinux2014"])
def test_make_builds_for_the_templates_own_runtime(stack: Stack, platform: str) -> None:
    function = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    clean = {name: value for name, value in environment().items() if name not in {"PYV", "PLAT", "MAKEFLAGS"}}
    told = subprocess.run(
        ["make", "--silent", "--eval", "_told: ; @echo python$(PYV) $(PLAT)", "_told"],
        check=True, capture_output=True, text=True, cwd=ROOT, env=clean,
    )  # fmt: skip

    assert told.stdout.split() == [function["Runtime"], platform]
    assert function["Architectures"] == ["x86_64"]
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert f"Programming Language :: Python :: {function['Runtime'].removeprefix('python')}" in supported


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_the_sample_events_are_what_the_service_sends(step: str) -> None:
    event = json.loads((ROOT / f"events/{step}.json").read_text())

    assert event["Step"] == step
    assert list(event) == ["Step", "SecretId", "ClientRequestToken"]
    assert 32 <= len(event["ClientRequestToken"]) <= 64
    assert event["SecretId"].startswith("arn:aws:secretsmanager:")


def test_sam_is_told_to_build_in_place() -> None:
    """Otherwise it copies all of the directory, environments included, before it calls make."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())

    assert config["default"]["build"]["parameters"]["build_in_source"] is True
    assert config["default"]["build"]["parameters"]["cached"] is False


def test_every_functions_time_and_memory_are_the_stacks_to_choose(expanded: dict[str, Any]) -> None:
    for given, chosen in ({}, ("60", "256")), ({"TimeoutSeconds": "300", "MemoryMegabytes": "512"}, ("300", "512")):
        functions = Stack(expanded, **given).of_type("AWS::Lambda::Function").values()

        assert {(str(each["Timeout"]), str(each["MemorySize"])) for each in functions} == {chosen}


def test_the_application_repository_gets_the_packages_version(expanded: dict[str, Any]) -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    application = expanded["Metadata"]["AWS::ServerlessRepo::Application"]

    assert application["SemanticVersion"] == package["version"]
    assert application["SpdxLicenseId"] == package["license"]
    assert application["SourceCodeUrl"] in package["urls"]["Changelog"]
    for file in (application["LicenseUrl"], application["ReadmeUrl"]):
        assert (ROOT / file).is_file()
