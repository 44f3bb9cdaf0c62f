"""``rotators lab``: a Secrets Manager and a database on this machine, for the AWS CLI, for SAM and for the sample events."""

from __future__ import annotations

import json
import os
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
#: The AWS CLI of version 1 knows only the second name of the Region, and Node's SDK only the first.
_CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "lab",
        help="a Secrets Manager and a database on this machine, for the AWS CLI, SAM and the sample events",
        description=(
            "Serves a Secrets Manager with AWS's rules and a database until Ctrl+C: one secret for the files in events/, one to "
            "rotate with RotateSecret. Nothing reaches AWS, and nothing is left behind but the log. Exit code 0; 2: refused."
        ),
    )
    database = parser.add_mutually_exclusive_group()
    database.add_argument(
        "--engine", choices=["postgres", "mariadb"], default="postgres", help="the database (default: postgres)"
    )
    database.add_argument(
        "--secret",
        type=Path,
        metavar="FILE",
        help="the JSON of a secret for a database that is there; its password WILL change",
    )
    parser.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="of this machine; for containers mostly 172.17.0.1"
    )
    parser.add_argument("--port", type=int, default=0, help="of Secrets Manager (default: one that is free)")
    parser.add_argument(
        "--env-vars", type=Path, metavar="FILE", help="write what `sam local invoke --env-vars FILE` needs (default: lab.json)",
        default=Path("lab.json"),
    )  # fmt: skip
    parser.add_argument(
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
        from rotators.lab.laboratory import Laboratory, Setting  # noqa: PLC0415
        from rotators.lab.remote_function import RemoteFunction  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: pip install 'rotators[lab]'")
    ended = threading.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, lambda *_: ended.set())
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would obey them
    try:
        setting = Setting(
            engine=None if arguments.secret else arguments.engine,
            secret=_secret(arguments.secret) if arguments.secret else None,
            host=arguments.listen,
            port=arguments.port,
            log=_log(arguments.log),
            function=RemoteFunction(arguments.lambda_url, arguments.function) if arguments.lambda_url else None,
            said=_say,
        )
        with Laboratory(setting, {"SecretId": SECRET, "ClientRequestToken": TOKEN}) as laboratory:
            variables = {"Parameters": {"SECRETS_MANAGER_ENDPOINT": laboratory.url}}
            arguments.env_vars.write_text(json.dumps(variables, indent=2) + "\n")
            print("\n".join(_told(laboratory, arguments)), flush=True)
            ended.wait()
    except (LabError, OSError, ValueError) as error:
        return _fail(str(error))
    print("\nended; everything was stopped and removed")
    return 0


def _told(laboratory: Laboratory, arguments: argparse.Namespace) -> list[str]:
    """Return what to type."""
    environment = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": laboratory.url, **_CREDENTIALS}
    file = shlex.quote(str(arguments.env_vars))
    return [
        f"Secrets Manager is at {laboratory.url}, the database is {laboratory.database}. For the AWS CLI:",
        "",
        f"  export {' '.join(f'{name}={value}' for name, value in environment.items())}",
        "  aws secretsmanager rotate-secret --secret-id shop/app",
        "  aws secretsmanager describe-secret --secret-id shop/app",
        "",
        "The sample events, whose version waits for createSecret:",
        "",
        *(f"  sam local invoke {arguments.function} -e events/{step.value}.json --env-vars {file}" for step in Step),
        "",
        f"The handler's log is {laboratory.setting.log}. Ctrl+C ends it.",
    ]


def _say(arn: str, step: str, problem: str) -> None:
    print(f"{arn.rpartition(':')[2]}  {step}  {problem or 'done'}", flush=True)


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
