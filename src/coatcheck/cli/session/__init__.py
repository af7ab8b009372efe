"""``coatcheck session``: one file per command."""

from __future__ import annotations

import typer

from .ending import end, end_all
from .listing import list_sessions

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="See and end the sessions of a server's users.", rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (("list", list_sessions), ("end", end), ("end-all", end_all)):
    # What was made by an earlier release may have a name that begins with a hyphen.
    commands.command(_name, context_settings={"ignore_unknown_options": _name == "end"})(_command)
