"""``coatcheck user``: one file per command. No command sets or shows a password."""

from __future__ import annotations

import typer

from .access import disable, enable
from .add import add
from .delete import delete
from .importing import import_users
from .listing import list_users
from .profile import profile
from .reset import reset
from .scopes import scopes
from .show import show

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(help="Add, find and change the users of a server.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _name, _command in (
    ("add", add),
    ("list", list_users),
    ("show", show),
    ("scopes", scopes),
    ("profile", profile),
    ("reset", reset),
    ("disable", disable),
    ("enable", enable),
    ("delete", delete),
    ("import", import_users),
):
    commands.command(_name)(_command)
