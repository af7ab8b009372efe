"""``coatcheck user import``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ..configured import Config
from ..failures import REFUSED
from ..options import Force

if TYPE_CHECKING:
    from ...accounts.errors import ImportRefusedError
    from ...accounts.importing import FirebaseParameters, UserReader
    from ...flows.model import ImportReport
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["import_users"]

_CHUNK = 65_536
_SHOWN = 20

File = Annotated[str, typer.Argument(metavar="FILE", help="CSV, JSON lines or JSON.", show_default=False)]
Report = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE", help="Write all refused rows there, as JSON lines.", show_default=False
    ),
]
Firebase = Annotated[
    str | None,
    typer.Option(
        "--firebase-parameters",
        metavar="FILE",
        help="The project's hash parameters as JSON: signer_key, salt_separator (base64), rounds, mem_cost.",
        show_default=False,
    ),
]


def import_users(
    file: File,
    *,
    report: Report = None,
    force: Force = False,
    firebase_parameters: Firebase = None,
    config: Config = None,
) -> None:
    """Add users from elsewhere, with their passwords' hashes.

    The passwords go on working. It reads exports of Auth0, Firebase, better-auth and Django, and plain columns: email,
    password_hash, scopes, email_verified, disabled, created_at. A row is added wholly or not at all; addresses that
    are there already are passed over, so that an import that was interrupted can simply be run again. Nobody is mailed.

    Ends with status 1 if a row was refused.
    """
    from ...accounts.importing import UserReader
    from ..configured import administer
    from ..sinks import check_target

    check_target(report, force=force)
    parameters = None if firebase_parameters is None else _read_parameters(firebase_parameters)
    with _opened(file) as source:
        reader = UserReader(iter(partial(source.read, _CHUNK), b""), firebase=parameters)
        size = os.fstat(source.fileno()).st_size

        async def action(settings: Settings, flows: Flows) -> ImportReport:
            with _progress(reader, size) as show:
                return await flows.administration.import_users(reader, on_progress=show)

        outcome = administer(config, action, begins=True)
    _tell(outcome, reader, report=report)
    if report is not None:
        _write_report(outcome.refused, report, force=force)
    if outcome.refused:
        raise typer.Exit(REFUSED)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    from pathlib import Path

    from ..errors import InputError

    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening may fail in this way
    except OSError as error:
        raise InputError(f"{path!r} cannot be read: {error.strerror or 'the system refused'}.") from None
    with file:
        yield file


def _read_parameters(path: str) -> FirebaseParameters:
    import msgspec

    from ...accounts.importing import FirebaseParameters
    from ..errors import InputError

    with _opened(path) as file:
        text = file.read(_CHUNK)
    try:
        return msgspec.json.decode(text, type=FirebaseParameters)
    except (msgspec.DecodeError, ValueError):  # its words might quote the key
        raise InputError(
            f"{path!r} does not hold the parameters of Firebase: a JSON object of signer_key and salt_separator in "
            "base64, rounds and mem_cost."
        ) from None


@contextmanager
def _progress(reader: UserReader, size: int) -> Iterator[Callable[[int], None]]:
    """Show how far the file is read, if a person is there to see it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Importing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("import", total=size, rows=0)
        yield lambda rows: bar.update(task, completed=reader.octets, rows=rows)


def _tell(outcome: ImportReport, reader: UserReader, *, report: str | None) -> None:
    from ..notices import notice
    from ..sinks import write_text
    from ..terminal import cell, grid, make_console

    if reader.ignored:
        notice(f"These columns mean nothing here: {', '.join(sorted(reader.ignored))}.")
    rows = [
        ("added", cell(f"{outcome.added:,}")),
        ("there already", cell(f"{outcome.present:,}")),
        ("refused", cell(f"{len(outcome.refused):,}")),
    ]
    console = make_console()
    console.print(grid(rows))
    if outcome.refused:
        write_text("")
        shown = outcome.refused[:_SHOWN]
        console.print(grid([(f"row {error.row:,}", cell(error.reason)) for error in shown]))
    if len(outcome.refused) > _SHOWN:
        where = "--report FILE writes all of them" if report is None else f"all of them are in {report}"
        write_text(f"and {len(outcome.refused) - _SHOWN:,} more: {where}.")


def _write_report(refused: tuple[ImportRefusedError, ...], path: str, *, force: bool) -> None:
    from ..sinks import write_file
    from ..text import as_json

    lines = [as_json({"row": error.row, "reason": error.reason}) for error in refused]
    write_file(path, "".join(f"{line}\n" for line in lines).encode("ascii"), private=True, force=force)
