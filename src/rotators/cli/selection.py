"""Which secrets an operator's command is about: a prefix, tags and Regions, and the list of what matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.cli import account
from rotators.cli.account import Account, CommandRefused
from rotators.cli.terminal import progress

if TYPE_CHECKING:
    import argparse

    from rotators.fleet import Rotated


def options(parser: argparse.ArgumentParser) -> None:
    """Add ``--prefix`` and ``--tag``, and the options of the account."""
    parser.add_argument("--prefix", default="", help="of the names")
    parser.add_argument(
        "--tag", action="append", default=[], metavar="KEY[=VALUE]", help="that the secrets have; may be said again"
    )
    account.options(parser)


def selected(arguments: argparse.Namespace, *, everything: bool = False) -> tuple[list[Rotated], list[str]]:
    """
    Return the secrets with a rotation that the options select, worst first, and the Regions that were asked.

    Args:
        arguments: what argparse made of `options`.
        everything: those too that nobody ever set a rotation up for.

    Raises:
        CommandRefused: a Region could not be asked; says which, and what it answered.
    """
    from rotators.fleet import listed  # noqa: PLC0415 - with boto3's exceptions below

    owner = Account(arguments)
    tags = [(key, value if said else None) for key, said, value in (tag.partition("=") for tag in arguments.tag)]
    found: list[Rotated] = []
    for region in owner.regions:
        client = owner.client("secretsmanager", region=region)
        try:
            with progress(f"{region}: secrets read") as read:
                found += listed(
                    client, region=region, prefix=arguments.prefix, tags=tags, everything=everything, progress=read
                )
        except Exception as error:
            if not type(error).__module__.startswith("botocore"):
                raise
            raise CommandRefused(f"{region}: {error}") from None
    return sorted(found, key=lambda secret: secret.order), owner.regions
