"""``coatcheck demo``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import IMPOSSIBLE
from .options import AsJSON

if TYPE_CHECKING:
    from ..server.live.headless import Figures

__all__ = ["demo"]

Port = Annotated[
    int, typer.Option("--port", metavar="NUMBER", help="The port of the server.", min=1, max=65_535)
]
Headless = Annotated[
    bool, typer.Option("--headless", help="Show no page: play some rounds, print the figures, and leave.")
]
Rounds = Annotated[
    int, typer.Option("--rounds", metavar="NUMBER", help="How many, headless.", min=1, max=10_000)
]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open the page.")]


def demo(
    *,
    port: Port = 8000,
    headless: Headless = False,
    rounds: Rounds = 50,
    as_json: AsJSON = False,
    browser: Browser = True,
) -> None:
    """See services refuse who has signed out, at once.

    A server and two services are started on this machine, each a process of its own. The services check cookies and
    tokens in their own memory. Nothing is kept afterwards.
    """
    from .configured import need_server
    from .interruption import leave_nothing_behind

    need_server()
    leave_nothing_behind()
    import asyncio

    from ..server.live import demonstration

    if headless:
        with _progress(rounds) as show:
            figures = asyncio.run(demonstration.demonstrate_headless(port=port, rounds=rounds, on_round=show))
        _report(figures, as_json=as_json)
        if any(each.refused < each.rounds for each in figures):
            raise typer.Exit(IMPOSSIBLE)
        return
    asyncio.run(demonstration.demonstrate(port=port, on_ready=_opener(browser=browser)))


def _opener(*, browser: bool) -> Callable[[str], None]:
    def opened(address: str) -> None:
        import webbrowser

        from .sinks import write_text

        write_text(f"Coatcheck, live: {address}")
        write_text("Ctrl-C ends it.")
        sys.stdout.flush()
        if browser:
            webbrowser.open(address)

    return opened


@contextmanager
def _progress(rounds: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("Signing in, and out everywhere", total=rounds)
        yield lambda done: progress.update(task, completed=done)


def _report(figures: list[Figures], *, as_json: bool) -> None:
    from .sinks import write_text

    if as_json:
        import msgspec

        for each in figures:
            write_text(msgspec.json.encode(each).decode("utf-8"))
        return
    from .terminal import cell, grid, make_console

    rows = [
        (
            cell(each.service),
            cell(each.credential),
            cell(f"{each.refused} of {each.rounds} refused"),
            cell(f"half within {each.median_ms:.1f} ms"),
            cell(f"99 % within {each.p99_ms:.1f} ms"),
            cell(f"all within {each.slowest_ms:.1f} ms", "dim"),
        )
        for each in figures
    ]
    console = make_console()
    console.print("From the order to sign out everywhere to the first refusal, by services that ask nobody:")
    console.print(grid(rows, fixed=6))
