"""``coatcheck permission``."""

from __future__ import annotations

import typer

from .giving import grant, withdraw
from .listing import list_permissions

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(help="Say who may do what at which API.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (("grant", grant), ("withdraw", withdraw), ("list", list_permissions)):
    commands.command(_name)(_command)
