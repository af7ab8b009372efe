"""``coatcheck revoke``: what ends access on purpose."""

from __future__ import annotations

import typer

from .everything import everything
from .listing import list_revocations
from .named import client, key, session, token, user

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="End access at once, here and at all services.", rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


# The name of a key may begin with a hyphen, as that of a session of an earlier release may, and have an h in it: only
# whole words are options here.
_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}

for _name, _command in (
    ("user", user),
    ("session", session),
    ("token", token),
    ("client", client),
    ("key", key),
    ("everything", everything),
    ("list", list_revocations),
):
    commands.command(_name, context_settings=_SETTINGS)(_command)
