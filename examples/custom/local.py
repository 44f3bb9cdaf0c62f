"""Secrets Manager and the stand-in on this machine, for `sam local invoke`: nothing of it reaches AWS.

Run it, and do what it prints. A container finds this machine at Docker's bridge (Linux, mostly: --listen 172.17.0.1), or
by a name (Docker Desktop: --host host.docker.internal).
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from rotators.testing import Endpoint, SecretsManager

from relay_stand_in import StandIn

HERE = Path(__file__).parent
FUNCTION = "RelayRotation"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def main() -> None:
    """Serve both until Ctrl+C; the secret and the version of the sample events wait for createSecret."""
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)  # a shell has its background jobs ignore Ctrl+C
    parser = argparse.ArgumentParser(description="Secrets Manager and the stand-in, for the sample events.")
    parser.add_argument("--listen", default="127.0.0.1", help="the address of this machine at which both are served")
    parser.add_argument("--host", help="by which name the function reaches that address (default: the address)")
    arguments = parser.parse_args()
    listen, host = arguments.listen, arguments.host or arguments.listen
    event = json.loads((HERE / "events/createSecret.json").read_text())
    arn = event["SecretId"]
    with StandIn(listen, host) as stand_in:
        service = SecretsManager(region=arn.split(":")[3])
        service.client().create_secret(Name=arn.split(":secret:")[1], SecretString=stand_in.secret())
        service.put_placeholder(arn, event["ClientRequestToken"])
        endpoint = Endpoint(service, host=listen)
        endpoint.start()
        variables = {"SECRETS_MANAGER_ENDPOINT": f"http://{host}:{endpoint.port}", **stand_in.variables()}
        (HERE / "local.json").write_text(json.dumps({FUNCTION: variables}, indent=2) + "\n")
        print("Secrets Manager and the stand-in are up; what the function needs to know stands in local.json. Type:\n")
        for step in STEPS:
            print(f"  sam local invoke {FUNCTION} -e events/{step}.json -n local.json")
        print("\nCtrl+C ends it.", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"\nthe labels of {arn}: {service.labels(arn)}")
        finally:
            endpoint.stop()


if __name__ == "__main__":
    main()
