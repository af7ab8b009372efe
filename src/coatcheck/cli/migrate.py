"""``coatcheck migrate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .configured import Config
from .failures import REFUSED
from .options import AsJSON

if TYPE_CHECKING:
    from ..server.moving import KeyState, Progress, Report, Survey, TableReport

__all__ = ["migrate"]

Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="An SQLite file, or postgresql://…", show_default=False),
]
Target = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="The same: empty, or not there yet.", show_default=False),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what there is, and what would be in the way.")
]
VerifyOnly = Annotated[bool, typer.Option("--verify-only", help="Only compare the two. Nothing is locked.")]
StartOver = Annotated[
    bool,
    typer.Option("--start-over", help="Drop what an unfinished move from elsewhere left in the target."),
]


def migrate(
    source: Source,
    target: Target,
    *,
    dry_run: DryRun = False,
    verify_only: VerifyOnly = False,
    start_over: StartOver = False,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Move all records to another database, and verify them there.

    Nobody is signed out: sessions, tokens, keys and the ledger go over as they are. Until it is done nobody can write
    to the source, and no server starts on the target. If it is interrupted, run it again: it goes on where it was.

    Ends with status 0 if the target holds all, 1 if --verify-only found a difference or --dry-run something in the way.
    """
    from .configured import need_server
    from .errors import UsageError

    if dry_run and verify_only:
        raise UsageError("--dry-run and --verify-only do not go together: choose one.")
    need_server()
    if verify_only:
        _verify(source, target, as_json=as_json)
    elif dry_run:
        _survey(source, target, start_over=start_over, as_json=as_json, config=config)
    else:
        _move(source, target, start_over=start_over, as_json=as_json, config=config)


def _move(source: str, target: str, *, start_over: bool, as_json: bool, config: str | None) -> None:
    from ..server.moving import move, survey
    from .notices import notice

    plan = survey(source, target, start_over=start_over)
    if not plan.problems:  # else it will be refused for them
        goes = "Goes on moving" if plan.resumes else "Moves"
        what = "everything" if plan.is_old else f"{sum(plan.rows.values()):,} rows of {len(plan.rows)} tables"
        notice(
            f"{goes} {what} from {plan.source} to {plan.target}. "
            "Until that is done, nobody can write to the source."
        )
    with _progress() as show, _told_how_to_go_on(show) as on_progress:
        report = move(source, target, start_over=start_over, on_progress=on_progress)
    keys = _keys(source, config)
    if as_json:
        _write_json({**_report(report), "keys": keys})
        return
    _show(report)
    _tell_of_keys(keys)
    notice("Now start the servers on the target, with the secret that those of the source had.")


@contextmanager
def _told_how_to_go_on(show: Callable[[Progress], None]) -> Iterator[Callable[[Progress], None]]:
    """Say what to do next if it stops when something was moved already, for whatever reason."""
    from .notices import notice

    began = False

    def on_progress(progress: Progress) -> None:
        nonlocal began
        began = True
        show(progress)

    try:
        yield on_progress
    except BaseException:
        if began:
            notice("The target is not finished, and no server starts on it. Run the same again to go on.")
        raise


def _verify(source: str, target: str, *, as_json: bool) -> None:
    from ..server.moving import compare

    with _progress() as show:
        report = compare(source, target, on_progress=show)
    if as_json:
        _write_json(_report(report))
    else:
        _show(report)
    if not report.is_equal:
        raise typer.Exit(REFUSED)


def _survey(source: str, target: str, *, start_over: bool, as_json: bool, config: str | None) -> None:
    from ..server.moving import survey

    plan = survey(source, target, start_over=start_over)
    keys = "unknown" if plan.is_old else _keys(source, config)
    if as_json:
        import msgspec

        _write_json({**msgspec.to_builtins(plan), "keys": keys})
    else:
        _show_plan(plan)
        _tell_of_keys(keys)
    if plan.problems:
        raise typer.Exit(REFUSED)


def _keys(source: str, config: str | None) -> KeyState:
    import asyncio

    from ..server.moving import try_keys

    return asyncio.run(try_keys(source, config=config))


def _tell_of_keys(keys: KeyState) -> None:
    from .notices import notice

    if keys == "open":
        notice("The signing keys open with the secret that is configured here.")
    elif keys == "closed":
        notice(
            "The signing keys do not open with the secret that is configured here: servers need the one that was "
            "configured when the keys were made."
        )
    elif keys == "unknown":
        notice("No secret is configured here, so it was not tried whether the signing keys open.")


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Show how far it is, if a person is there to see it."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[table]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            task = tasks.get(progress.stage)
            if task is None:
                name = {"copy": "Moving", "verify": "Verifying"}[progress.stage]
                task = tasks[progress.stage] = bars.add_task(name, total=None, table="")
            bars.update(task, completed=progress.done, total=progress.total, table=progress.table)

        yield show


def _show_plan(plan: Survey) -> None:
    from .sinks import write_text
    from .terminal import cell, grid, make_console, symbols_for

    if plan.is_old:
        write_text(
            "The source is of an older release: a move would bring it up to date first. Nothing was counted."
        )
        return
    console = make_console()
    rows = [(cell(name), cell(f"{count:,}")) for name, count in plan.rows.items() if count]
    console.print(grid(rows))
    write_text(f"{sum(plan.rows.values()):,} rows; the other {len(plan.rows) - len(rows)} tables are empty.")
    if plan.resumes:
        write_text(f"A move into {plan.target} was begun: it would go on.")
    symbol = symbols_for(console).failed
    if plan.problems:
        console.print(grid([(symbol, cell(f"{each.message} [{each.code}]")) for each in plan.problems]))


def _show(report: Report) -> None:
    from .sinks import write_text
    from .terminal import grid, make_console, symbols_for

    console = make_console()
    symbols = symbols_for(console)
    shown = [each for each in report.tables if each.source.rows or each.target.rows]
    console.print(grid([_row(each, symbols.passed, symbols.failed) for each in shown]))
    empty = len(report.tables) - len(shown)
    write_text(
        f"{_verdict(report)} {report.rows:,} rows, {empty} tables without any, {report.seconds:.1f} seconds."
    )


def _row(table: TableReport, passed: str, failed: str) -> tuple[Any, ...]:
    from .terminal import cell

    if table.is_equal:
        return (cell(table.table), cell(passed, "green"), cell(f"{table.source.rows:,}"))
    there = (
        "as many, but others"
        if table.source.rows == table.target.rows
        else f"{table.target.rows:,} in the target"
    )
    return (cell(table.table), cell(failed, "red"), cell(f"{table.source.rows:,}, {there}"))


def _verdict(report: Report) -> str:
    if not report.is_equal:
        return "They differ:" if report.numbers_are_kept else "They differ, and numbers would be given again:"
    if report.was_there:
        return "All was there already:"
    return "Equal:"


def _report(report: Report) -> dict[str, Any]:
    return {
        "source": report.source,
        "target": report.target,
        "equal": report.is_equal,
        "resumed": report.resumed,
        "was_there": report.was_there,
        "rows": report.rows,
        "seconds": round(report.seconds, 3),
        "tables": [
            {
                "table": each.table,
                "equal": each.is_equal,
                "source": {"rows": each.source.rows, "digest": each.source.hex},
                "target": {"rows": each.target.rows, "digest": each.target.hex},
            }
            for each in report.tables
        ],
        "numbers": {
            name: {"source": ours, "target": theirs} for name, (ours, theirs) in report.numbers.items()
        },
    }


def _write_json(value: Any) -> None:
    from .sinks import write_text
    from .text import as_json

    write_text(as_json(value, indent=2))
