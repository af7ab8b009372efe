"""What the commands around a server share: its settings, and its flows without the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .failures import IMPOSSIBLE, complain

if TYPE_CHECKING:  # the server's parts take long to import, and --help needs none of them
    from ..flows.service import Flows
    from ..server.settings_model import Settings

__all__ = ["Config", "Email", "administer", "need_server", "read_settings", "tell_of_mail"]

Result = TypeVar("Result")

Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The TOML file with the settings.", show_default=False),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.", show_default=False)]


def need_server() -> None:
    """End the command if what a server needs is not installed."""
    from importlib import import_module

    try:
        import_module("..server.server", __package__)
    except ModuleNotFoundError as error:
        # A module of our own that is missing is a fault and must be seen.
        if error.name is None or error.name.startswith("coatcheck"):
            raise
        complain('This command needs the extra "server": pip install "coatcheck[server]"', "wrong_usage")
        raise typer.Exit(IMPOSSIBLE) from None


def read_settings(config: str | None, **arguments: Any) -> Settings:
    """Return the settings. What is wrong with them is said line by line, and ends the command."""
    need_server()
    from ..server.errors import SettingsError
    from ..server.settings import load_settings

    try:
        return load_settings(config=config, **arguments)
    except SettingsError as error:
        for problem in error.problems:
            complain(str(problem), error.code)
        raise typer.Exit(IMPOSSIBLE) from None


def administer(
    config: str | None, action: Callable[[Settings, Flows], Awaitable[Result]], *, begins: bool = False
) -> Result:
    """Do something with the flows of the server that the settings describe, beside it if it runs.

    A database that is not there is made only by what ``begins`` with an empty one. Everything else was most likely
    meant for another directory.
    """
    import asyncio

    settings = read_settings(config)
    from ..server.server import open_flows
    from ..server.storages import is_server

    if not is_server(settings.database):
        _look_for_database(settings.database, begins=begins)

    async def run() -> Result:
        async with open_flows(settings) as flows:
            return await action(settings, flows)

    return asyncio.run(run())


def _look_for_database(path: str, *, begins: bool) -> None:
    from pathlib import Path

    from .notices import notice

    if Path(path).exists():
        return
    if begins:
        notice(f"There is no database at {path} yet: this makes it.")
        return
    complain(
        f"There is no database at {path}. Run this where the server runs, or say where it is: COATCHECK_DATABASE, "
        "or --config with the server's settings.",
        "no_database",
    )
    raise typer.Exit(IMPOSSIBLE)


def tell_of_mail(settings: Settings, *, to: str) -> None:
    """Say where the mail is that was just queued. In development it is printed."""
    from .notices import notice

    if settings.mail == "off":
        notice(f"Mail is switched off: nothing goes to {to}.")
    elif settings.mode == "production":
        notice(f"A mail to {to} is queued: the running server sends it.")
