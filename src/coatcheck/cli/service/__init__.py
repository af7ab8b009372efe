"""``coatcheck service``: one file per command."""

from __future__ import annotations

import typer

from .add import add
from .listing import list_services
from .remove import remove

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(help="Say which services may follow the ledger.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (("add", add), ("list", list_services), ("remove", remove)):
    commands.command(_name)(_command)
