"""``rotators lab``: a Secrets Manager and a database on this machine, for the AWS CLI, for SAM and for the sample events."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotators.cli.event import SECRET, TOKEN
from rotators.machine import Step

if TYPE_CHECKING:
    import argparse

    from rotators.lab.laboratory import Laboratory

_REFUSED = 2
_HIGHEST_PORT = 65535
_ENGINES = ("postgres", "mariadb")
#: The AWS CLI of version 1 knows only the second name of the Region, and Node's SDK only the first. Version 2 would show
#: each answer in a pager, which swallows the lines that were pasted after it.
_ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_PAGER": "",
}


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "lab",
        help="a Secrets Manager and a database on this machine, for the AWS CLI, SAM and the sample events",
        description=(
            "Serves a Secrets Manager with AWS's rules and a database until Ctrl+C: one secret for the files in events/, one to "
            "rotate with RotateSecret. Nothing reaches AWS, and nothing is left behind but the log and what --state keeps. "
            "Exit code 0; 2: refused."
        ),
    )
    database = parser.add_mutually_exclusive_group()
    database.add_argument(
        "--engine", metavar="NAME", help="of the database: postgres, which is the default, or mariadb"
    )
    database.add_argument(
        "--secret",
        type=Path,
        metavar="FILE",
        help="the JSON of a secret for a database that is there; its password WILL change",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIRECTORY",
        help="keep secrets and database in it, and go on with what is there; it holds passwords in plain text",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        help="of this machine (default: 127.0.0.1); for containers mostly 172.17.0.1",
    )
    parser.add_argument("--port", help="of Secrets Manager (default: the one in --state, or one that is free)")
    parser.add_argument(
        "--env-vars", type=Path, metavar="FILE", help="write what `sam local invoke --env-vars FILE` needs (default: lab.json)",
        default=Path("lab.json"),
    )  # fmt: skip
    function = parser.add_mutually_exclusive_group()
    function.add_argument(
        "--handler",
        metavar="NAME",
        help="package.module.attribute of what rotates (default: this package's for databases)",
    )
    function.add_argument(
        "--lambda-url",
        metavar="URL",
        help="let RotateSecret invoke a function there: of the runtime emulator or `sam local start-lambda`",
    )
    parser.add_argument(
        "--function", default="DatabaseRotation", metavar="NAME", help="its name there (default: DatabaseRotation)"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="append the handler's log to it (default: a new file)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal."""
    try:
        from rotators.lab import LabError  # noqa: PLC0415 - the rest of the command line works without the extra
        from rotators.lab.laboratory import Laboratory  # noqa: PLC0415
        from rotators.lab.remote_function import RemoteFunction  # noqa: PLC0415
        from rotators.lab.setting import HANDLER, Setting  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: pip install 'rotators[lab]'")
    ended = threading.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: ended.set())
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would obey them
    try:
        setting = Setting(
            engine=_engine(arguments.engine),
            secret=_secret(arguments.secret) if arguments.secret else None,
            host=arguments.listen,
            port=_port(arguments.port),
            state=arguments.state,
            handler=_handler(arguments.handler or HANDLER),
            function=RemoteFunction(_url(arguments.lambda_url), arguments.function) if arguments.lambda_url else None,
            log=_log(arguments.log),
            said=_say,
        )
        with Laboratory(setting, {"SecretId": SECRET, "ClientRequestToken": TOKEN}) as laboratory:
            variables = {"Parameters": {"SECRETS_MANAGER_ENDPOINT": laboratory.url}}
            arguments.env_vars.write_text(json.dumps(variables, indent=2) + "\n")
            print("\n".join(_told(laboratory, arguments)), flush=True)
            ended.wait()
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except (LabError, ValueError) as error:
        return _fail(str(error))
    print(f"\nended; everything was stopped and {'kept in ' + str(setting.state) if setting.state else 'removed'}")
    return 0


def _told(laboratory: Laboratory, arguments: argparse.Namespace) -> list[str]:
    """Return what to type."""
    environment = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": laboratory.url, **_ENVIRONMENT}
    file, function = shlex.quote(str(arguments.env_vars)), shlex.quote(arguments.function)
    state = laboratory.setting.state
    kept = f" Both are kept in {state}." if state else ""
    went_on = " It goes on with what was there." if laboratory.went_on else ""
    return [
        f"Secrets Manager is at {laboratory.url}, the database is {laboratory.database}.{kept}{went_on}",
        *(f"The rotation of {name} was cut short: rotate-secret goes on with it." for name in laboratory.interrupted),
        "",
        "In another terminal, for the AWS CLI:",
        "",
        f"  export {' '.join(f'{name}={value}' for name, value in environment.items())}",
        "  aws secretsmanager rotate-secret --secret-id shop/app",
        "  aws secretsmanager describe-secret --secret-id shop/app",
        "",
        "The sample events, for functions that `make build` has built; a version waits for createSecret:",
        "",
        *(f"  sam local invoke {function} -e events/{step.value}.json --env-vars {file}" for step in Step),
        "",
        f"For RotateSecret of secrets of your own, the function is {laboratory.function}.",
        f"The handler's log is {laboratory.setting.log}. Ctrl+C ends it.",
    ]


def _say(arn: str, step: str, seconds: float, problem: str) -> None:
    name = arn.rpartition(":")[2][: -len("-AbCdEf")]
    took = f"{seconds:.2f} s"
    print(f"{name}  {step:<12}  {took}  {problem or 'done'}", flush=True)


def _engine(name: str | None) -> str | None:
    if name not in (None, *_ENGINES):
        raise ValueError(f"--engine {name}: there is {' and '.join(_ENGINES)}")
    return name


def _port(text: str | None) -> int | None:
    if text is not None and not (re.fullmatch("[0-9]{1,5}", text) and int(text) <= _HIGHEST_PORT):
        raise ValueError(f"--port {text}: a port is a number from 1 to {_HIGHEST_PORT}, or 0 for one that is free")
    return None if text is None else int(text)


def _handler(name: str) -> str:
    if not re.fullmatch(r"\w+(\.\w+)+", name):
        raise ValueError(f"--handler {name}: it must read package.module.attribute, such as my_rotators.relay.handler")
    return name


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", text):
        raise ValueError(f"--lambda-url {text}: it must read http://ADDRESS:PORT, such as http://127.0.0.1:3001")
    return text


def _secret(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f'{file} is no JSON object, such as {{"engine": "postgres", "host": …}}')  # noqa: TRY004
    return value


def _log(named: Path | None) -> Path:
    if named is not None:
        named.touch(mode=0o600)
        return named
    descriptor, path = tempfile.mkstemp(prefix="rotators-lab-", suffix=".log")
    os.close(descriptor)
    return Path(path)


def _fail(text: str) -> int:
    print(f"rotators lab: {text}", file=sys.stderr)
    return _REFUSED
