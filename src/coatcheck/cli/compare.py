"""``coatcheck compare``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .options import Force, not_empty

if TYPE_CHECKING:
    from ..comparison.claims import Subject
    from ..comparison.model import Report
    from ..comparison.run import OnStep

__all__ = ["compare"]

_USUAL_RATE: Final = 100.0
_HIGHEST_RATE: Final = 1e9
_STDOUT: Final = "-"

ClaimsFile = Annotated[
    str | None,
    typer.Option(
        "--claims",
        metavar="FILE",
        help="What your tokens say: a JSON object; - is stdin. By default a usual set.",
        show_default=False,
    ),
]
Rate = Annotated[
    float,
    typer.Option(
        "--requests-per-second", metavar="NUMBER", help="How many requests carry a credential, on average."
    ),
]
StoreNames = Annotated[
    list[str] | None,
    typer.Option(
        "--store",
        metavar="STORE",
        help="Measure this one too: postgresql://… or redis://…; can be repeated. Memory and sqlite always are.",
        show_default=False,
    ),
]
StoreVariables = Annotated[
    list[str] | None,
    typer.Option(
        "--store-env",
        metavar="NAME",
        help="The same, with the address in an environment variable: for one with a password.",
        show_default=False,
    ),
]
HTMLFile = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Write a page with plots too.", show_default=False),
]
JSONFile = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the figures for programs too; - is stdout, without the text.",
        show_default=False,
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Ten seconds instead of a minute or two, and more noise.")
]


def compare(
    *,
    claims: ClaimsFile = None,
    requests_per_second: Rate = _USUAL_RATE,
    store: StoreNames = None,
    store_env: StoreVariables = None,
    html: HTMLFile = None,
    json: JSONFile = None,
    quick: Quick = False,
    force: Force = False,
) -> None:
    """Measure sessions and tokens on this machine, with your claims.

    Sizes, the time of a check, look-ups in stores, and how long a revoked credential still works. A server and two
    services are started on this machine for it. What is put into your store is in a table, or under keys, of its own,
    and is removed again. Nothing else is kept.
    """
    from .configured import need_server
    from .interruption import leave_nothing_behind
    from .sinks import check_target

    not_empty(claims=claims, store=store, html=html, json=json)
    _check(requests_per_second, html=html, json=json)
    for path in (html, None if json == _STDOUT else json):
        check_target(path, force=force)
        _check_folder(path)
    stores = _stores(store, store_env)
    need_server()
    leave_nothing_behind()
    import asyncio

    from ..comparison import run
    from .compare_command import command_line

    order = run.Order(
        subject=_subject(claims),
        requests_per_second=requests_per_second,
        stores=tuple(each for each in stores if each not in {"memory", "sqlite"}),
        pace=run.QUICK if quick else run.FULL,
        command=command_line(claims=claims, rate=requests_per_second, stores=stores, quick=quick),
        quick=quick,
    )
    with _progress() as on_step:
        report = asyncio.run(run.compare(order, on_step=on_step))
    _write(report, html=html, json=json, force=force)


def _check(rate: float, *, html: str | None, json: str | None) -> None:
    from .errors import UsageError

    if not 0 < rate <= _HIGHEST_RATE:  # NaN is neither
        raise UsageError("--requests-per-second takes a number above 0, up to a thousand million.")
    if html == _STDOUT:
        raise UsageError("--html takes the name of a file.")
    if html is not None and html == json:
        raise UsageError("--html and --json name the same file.")


def _check_folder(path: str | None) -> None:
    """Raise ``OutputError`` if there is no folder for a file: before the minutes that its content takes."""
    from pathlib import Path

    from .errors import OutputError

    if path is not None and not Path(path).parent.is_dir():
        raise OutputError(f"{path!r} cannot be written: there is no such directory.")


def _stores(named: list[str] | None, variables: list[str] | None) -> list[str]:
    import os

    from .sources import read_variable

    addresses = [os.fsdecode(read_variable(name)).strip() for name in variables or ()]
    return [*(named or ()), *addresses]


def _subject(claims: str | None) -> Subject:
    from ..comparison.claims import default_claims, read_claims
    from .sources import read_source

    return default_claims() if claims is None else read_claims(read_source(claims))


@contextmanager
def _progress() -> Iterator[OnStep]:
    """Show on a terminal how far it is; tell nobody if nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("Preparing", total=None)
        yield lambda done, total, what: progress.update(
            task, completed=done, total=total, description=f"{what:24}"
        )


def _write(report: Report, *, html: str | None, json: str | None, force: bool) -> None:
    import msgspec

    from .notices import notice
    from .sinks import write_file, write_text

    figures = msgspec.json.format(msgspec.json.encode(report), indent=1)
    # The figures first: should anything be wrong with the page, the minutes were not for nothing.
    if json == _STDOUT:
        write_text(figures.decode("utf-8"))
    else:
        from .compare_text import show

        show(report)
        if json is not None:
            write_file(json, figures + b"\n", private=False, force=force)
            notice(f"The figures are in {json}.")
    if html is not None:
        from ..comparison.page import render

        write_file(html, render(report).encode("utf-8"), private=False, force=force)
        notice(f"The page is {html}: open it in a browser.")
