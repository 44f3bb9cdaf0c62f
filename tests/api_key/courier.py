"""The worked example's courier, as a subject of `RotatorContract`, with the troubles of `Site`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.api_key.site import Asked, Site

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLE = Path(__file__).parents[2] / "examples/api-key"
DESCRIPTION = EXAMPLE / "providers/courier.toml"


def example() -> ModuleType:
    """Load the example's own module: it is no package of ours."""
    if "courier_example" not in sys.modules:
        spec = importlib.util.spec_from_file_location("courier_example", EXAMPLE / "courier.py")
        assert spec
        assert spec.loader
        sys.modules["courier_example"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["courier_example"]


class Courier(Site):
    """Answers as the example's courier does."""

    def __init__(self, *, most: int = 1000, late: float = 0.0) -> None:
        super().__init__()
        self.courier = example().Courier(most=most, late=late)
        #: Every key that there ever was.
        self.ever: list[str] = []
        issue = self.courier.issue

        def noted(label: str, rights: list[str]) -> tuple[str, str]:
            made: tuple[str, str] = issue(label, rights)
            self.ever.append(made[1])
            return made

        self.courier.issue = noted

    def close(self) -> None:
        super().close()
        self.courier._server.server_close()

    def value(self) -> dict[str, Any]:
        made, key = self.hand()
        return {"url": self.url, "api_key": key, "key_id": made, "provider": "courier", "note": "kept"}

    def hand(self) -> tuple[str, str]:
        """Make a key by hand, which everybody knows at once."""
        made, key = self.courier.issue("by hand", ["send"])
        self.courier.keys[made].known = 0.0
        return str(made), str(key)

    def holds(self, value: dict[str, Any]) -> bool:
        return bool(self.courier.opens(value["api_key"]))

    def ids(self) -> set[str]:
        return set(self.courier.keys)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        target = asked.path + ("?after=" + asked.query["after"] if "after" in asked.query else "")
        status, said = self.courier.answer(asked.method, target, asked.headers.get("authorization", ""), asked.body)
        return status, said
