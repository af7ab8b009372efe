"""The tree of commands."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from .failures import Commands
from .key import commands as key
from .token import commands as token

__all__ = ["app"]

app: typer.Typer = typer.Typer(
    name="coatcheck",
    cls=Commands,
    help="Make keys, and make, check and look into tokens. Everything happens here: nothing is sent anywhere.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(token, name="token")
app.add_typer(key, name="key")


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,  # noqa: FBT002
) -> None:
    if show_version:
        print(f"coatcheck {version('coatcheck')}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
