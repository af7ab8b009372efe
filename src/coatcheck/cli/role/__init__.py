"""``coatcheck role``."""

from __future__ import annotations

import typer

from .giving import give, take
from .listing import list_roles
from .making import add, remove

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(help="Name permissions that several users have.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (
    ("add", add),
    ("remove", remove),
    ("list", list_roles),
    ("give", give),
    ("take", take),
):
    commands.command(_name)(_command)
