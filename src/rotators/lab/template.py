"""Data directories kept for further servers: making one takes seconds, copying it does not."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.account import Account


def copied_from(template: Path | None, data: Path, account: Account, make: Callable[[], str]) -> str:
    """Fill `data` with what `make` makes there, which is kept in `template` and copied for all but the first.

    Returns what `make` returned for the first: the superuser's password, where there is one.
    """
    if template is None:
        return make()
    kept = template / "superuser"
    if not kept.exists():
        password = make()
        template.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(dir=template))
        shutil.copytree(data, copy / "data")
        (copy / "superuser").touch(mode=0o600)
        (copy / "superuser").write_text(f"{copy.name}\n{password}")
        (copy / "superuser").rename(kept)  # last, and at once: a template is whole or not there
        return password
    name, password = kept.read_text().split("\n")
    shutil.copytree(template / name / "data", data)
    data.chmod(0o700)
    account.own(data)
    return password
