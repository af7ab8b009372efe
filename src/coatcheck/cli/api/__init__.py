"""``coatcheck api``: one file per command."""

from __future__ import annotations

import typer

from .add import add
from .change import change
from .listing import list_apis
from .remove import remove
from .secret import secret
from .show import show

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(help="Register the APIs that tokens are for.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (
    ("add", add),
    ("list", list_apis),
    ("show", show),
    ("change", change),
    ("secret", secret),
    ("remove", remove),
):
    commands.command(_name)(_command)
