"""The terminal, or the pipe, that the demo is shown on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rotators.lab.drawing import ASCII, Drawing, Glyphs
from rotators.lab.login_client import Login

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType

    from rotators.lab.promises import Promise
    from rotators.lab.story import Act
    from rotators.lab.world import World

_NARROW, _WIDE = 72, 120
_FRAMES = 20  # a second


class Stage:
    """Shows a `Scenario`: in colours and while it happens on a terminal, else in plain lines when it has happened.

    `log` is where the handler's log is kept. `plain` is for pipes, for NO_COLOR and for terminals that can't move the cursor.
    """

    def __init__(self, out: TextIO, log: Path, *, plain: bool) -> None:
        self._log = log
        self._console = Console(
            file=out,
            force_terminal=not plain,
            color_system=None if plain else "auto",
            highlight=False,
            soft_wrap=True,
            emoji=False,
            markup=False,
        )
        self._live = not plain
        glyphs = Glyphs() if (out.encoding or "").lower().replace("-", "") == "utf8" else ASCII
        self._drawing = Drawing(min(max(self._console.width, _NARROW), _WIDE), glyphs)
        self._began = time.monotonic()

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show that something takes its time."""
        if self._live:
            with self._console.status(text + " …"):
                yield
        else:
            yield

    def scene(self, world: World) -> None:
        """Show what was set up."""
        server, glyphs = world.server, self._drawing.glyphs
        tls = "TLS, verify-full" if server.tls else "without TLS, which this build lacks"
        facts = {
            "database": f"PostgreSQL {server.version} on {server.host}:{server.port}, {tls}",
            "secrets": f"a Secrets Manager in memory, on {world.url}",
            "handler": f"{world.handler}, in a process of its own",
            "client": f"reads AWSCURRENT and logs in as role {world.role}, again and again",
            "": f"{glyphs.opened * 3} it was let in   {glyphs.refused * 3} it was refused",
            "labels": f"{glyphs.yes} its password opens the database   {glyphs.no} it does not",
            "ready in": f"{time.monotonic() - self._began:.1f} s",
        }
        self._print(Text())
        for name, fact in facts.items():
            self._print(Text.assemble("  ", (f"{name:<14}", "bold"), fact))
        self._print(Text())

    @contextmanager
    def watching(self, act: Act) -> Iterator[None]:
        """Show an act while it is played, or when it is over."""
        if not self._live:
            yield
            self._print(*self._drawing.act(act))
            return
        with Live(
            get_renderable=lambda: self._frame(act), console=self._console, refresh_per_second=_FRAMES, transient=True
        ):
            yield
        self._print(*self._drawing.act(act))

    def verdict(self, acts: list[Act], kept: list[Promise]) -> None:
        """Show which promises were kept, and one line for all."""
        for promise in kept:
            self._print(self._drawing.promise(promise))
        logins = sum(len(act.attempts) for act in acts)
        refused = sum(act.count(Login.REFUSED) for act in acts)
        broken = sum(not promise.kept for promise in kept)
        verdict = f"{broken} of {len(kept)} promises broken" if broken else "all promises kept"
        took = time.monotonic() - self._began
        self._print(
            Text(),
            Text(f"kept:    the handler's log, {self._log}", "dim"),
            Text("removed: the database, the secrets, every file and process of theirs", "dim"),
            Text.assemble(
                (verdict, "bold red" if broken else "bold green"),
                f": {len(acts)} rotations, {refused} of {logins} logins refused, {took:.1f} s",
            ),
        )

    def _frame(self, act: Act) -> RenderableType:
        return Group(*self._drawing.act(act))

    def _print(self, *lines: Text) -> None:
        for line in lines:
            line.rstrip()
            self._console.print(line, no_wrap=True, overflow="ignore", crop=False)
