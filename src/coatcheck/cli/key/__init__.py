"""``coatcheck key``: one file per command."""

from __future__ import annotations

import typer

from .convert import convert
from .generate import generate
from .rotation import list_keys, rotate
from .show import show
from .thumbprint import thumbprint

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="Make, show and convert keys; rotate those of a server.", rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _command in (generate, show, convert, thumbprint, rotate):
    commands.command()(_command)
commands.command("list")(list_keys)
