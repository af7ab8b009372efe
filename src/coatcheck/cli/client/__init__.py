"""``coatcheck client``: one file per command."""

from __future__ import annotations

import typer

from .add import add
from .change import change
from .key import key
from .listing import list_clients
from .remove import remove
from .secret import secret
from .show import show
from .switch import disable, enable
from .tokens import commands as token

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="Register the apps and machines that sign in here.", rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (
    ("add", add),
    ("list", list_clients),
    ("show", show),
    ("change", change),
    ("secret", secret),
    ("key", key),
    ("disable", disable),
    ("enable", enable),
    ("remove", remove),
):
    commands.command(_name)(_command)
commands.add_typer(token, name="token")
