"""Rotate a key of the courier four times, with Secrets Manager in memory and the courier on this machine."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

from courier import Courier

from rotators import KeyRotator, SecretStore
from rotators.engines.api_key import described
from rotators.testing import SecretsManager, rotate

os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"  # a table is what is wanted here, and not the function's own lines
DESCRIPTION = Path(__file__).parent / "providers" / "courier.toml"
LABELS = ("AWSCURRENT", "AWSPREVIOUS")


def main() -> None:
    table = sys.stdout
    service = SecretsManager()
    client = service.client()
    with Courier(late=0.3) as courier, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        key_id, key = courier.issue("made by hand", ["send", "track"])
        value = {"provider": "courier", "url": courier.url, "api_key": key, "key_id": key_id}
        arn = client.create_secret(Name="courier", SecretString=json.dumps(value))["ARN"]
        rotator = KeyRotator(described(DESCRIPTION), store=SecretStore(client))
        client.rotate_secret(
            SecretId=arn,
            RotationLambdaARN=service.add_function("courier", rotator),
            RotationRules={"AutomaticallyAfterDays": 30},
            RotateImmediately=False,
        )
        service.wait(arn, 20)  # RotateSecret has testSecret run once
        print(f"{'':12}AWSCURRENT   AWSPREVIOUS  keys at the courier", file=table)
        print(f"at first    {key_id:13}{'-':13}{', '.join(sorted(courier.keys))}", file=table)
        for turn in range(1, 5):
            outcome = rotate(service, arn)
            if not outcome.succeeded:
                raise SystemExit(str(outcome.error))
            answers = [client.get_secret_value(SecretId=arn, VersionStage=label) for label in LABELS]
            held = "".join(f"{json.loads(answer['SecretString'])['key_id']:13}" for answer in answers)
            print(f"rotation {turn}  {held}{', '.join(sorted(courier.keys))}", file=table)


if __name__ == "__main__":
    main()
