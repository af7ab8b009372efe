"""``coatcheck advise``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJSON, Force, not_empty

if TYPE_CHECKING:
    from ..advice.model import Case

__all__ = ["advise"]

File = Annotated[
    str | None,
    typer.Argument(
        metavar="CASE",
        help="A TOML file with the answers, which --write makes; - reads standard input. Without: questions.",
        show_default=False,
    ),
]
Write = Annotated[
    str | None,
    typer.Option("--write", metavar="FILE", help="Also save the answers there, to be given next time."),
]


def advise(case: File = None, *, write: Write = None, force: Force = False, as_json: AsJSON = False) -> None:
    """Say which credential each client should carry, and why.

    Without a file it asks a handful of questions. What comes out: the credential for each client with the reason and
    its sources, the threats that remain, and settings, commands and lines of code for Coatcheck. Nothing is changed,
    and nobody is contacted.
    """
    from .sinks import check_target

    not_empty(write=write)
    check_target(write, force=force)
    described = _read(case) if case is not None else _ask()
    if write is not None:
        _save(described, write, force=force)
    _show(described, as_json=as_json)


def _read(file: str) -> Case:
    from ..advice.case_file import read_case
    from .sources import read_source

    return read_case(read_source(file))


def _ask() -> Case:
    """Ask on the terminal; where there is none, say what can be done instead."""
    from .asking import ask_all
    from .errors import UsageError
    from .sources import is_terminal

    if not is_terminal():
        raise UsageError(
            "There is no terminal to ask on: name a TOML file with the answers. "
            'The shortest is: clients = ["browser"]'
        )
    return ask_all()


def _save(case: Case, path: str, *, force: bool) -> None:
    from ..advice.case_file import write_case
    from .notices import notice
    from .sinks import write_file

    write_file(path, write_case(case).encode(), private=False, force=force)
    notice(f"The answers are in {path}.")


def _show(case: Case, *, as_json: bool) -> None:
    from ..advice.deciding import advise as decide

    advice = decide(case)
    if as_json:
        import msgspec

        from .sinks import write_text
        from .text import as_json as written

        members = msgspec.to_builtins(advice)
        members["configuration"]["toml"] = advice.configuration.toml()
        write_text(written(members, indent=2))
    else:
        from .advice_report import render
        from .terminal import make_console

        render(advice, make_console())
