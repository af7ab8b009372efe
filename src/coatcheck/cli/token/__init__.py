"""``coatcheck token``: one file per command."""

from __future__ import annotations

import typer

from .decrypt import decrypt
from .encrypt import encrypt
from .inspect import inspect
from .sign import sign
from .verify import verify

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="Look into tokens, sign, verify, encrypt and decrypt them.", rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _command in (inspect, sign, verify, encrypt, decrypt):
    commands.command()(_command)
