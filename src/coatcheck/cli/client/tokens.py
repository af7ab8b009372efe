"""``coatcheck client token``: the tokens by which clients may register themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import InitialAccessToken
    from ...server.settings_model import Settings

__all__ = ["commands"]

commands: typer.Typer = typer.Typer(
    help="Hand out tokens by which clients may register themselves.", rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whom it is for.", show_default=False)]
Identifier = Annotated[
    str, typer.Argument(metavar="ID", help="Its identifier, as the list shows it.", show_default=False)
]
Uses = Annotated[
    int | None,
    typer.Option(
        "--uses",
        metavar="NUMBER",
        help="How many clients may be registered with it. Without, any number.",
        min=1,
        show_default=False,
    ),
]
Lifetime = Annotated[
    str | None,
    typer.Option(
        "--lifetime",
        metavar="SPAN",
        help="How long it is good, such as 30d. Without, until it is removed.",
        show_default=False,
    ),
]


@commands.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@commands.command("add")
def add(
    name: Name,
    *,
    uses: Uses = None,
    lifetime: Lifetime = None,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Make a token, and print it, once.

    The token is stored as its hash. Whoever has it may register clients, unless registration is off.
    """
    from ..configured import administer
    from ..notices import notice
    from ..sinks import write_text
    from ..text import as_json as written
    from ..times import parse_span

    span = None if lifetime is None else parse_span(lifetime)

    async def action(settings: Settings, flows: Flows) -> tuple[Settings, InitialAccessToken, str]:
        tokens = flows.provider.initial_access_tokens
        return settings, *await tokens.add(name, uses=uses, lifetime=span)

    settings, record, token = administer(config, action, begins=True)
    write_text(written({**_shown(record), "token": token}) if as_json else token)
    notice(
        f"The token of {record.name} is shown this once. It is sent to the registration endpoint as a bearer token."
    )
    if settings.registration == "off" or (settings.registration is None and settings.mode == "production"):
        notice("Registration is off: set registration to token.")


@commands.command("list")
def list_tokens(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List the tokens, the newest first, those that are used up or expired too.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> list[InitialAccessToken]:
        return await flows.provider.initial_access_tokens.list()

    tokens = administer(config, action)
    if as_json:
        for token in tokens:
            write_text(written(_shown(token)))
    elif tokens:
        _render(tokens)
    else:
        write_text("No tokens.")


@commands.command("remove")
def remove(token_id: Identifier, *, config: Config = None) -> None:
    """Remove a token: nothing can be registered with it from then on. What was, stays."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.provider.initial_access_tokens.remove(token_id)

    administer(config, action)
    write_text(f"Removed {token_id}.")


def _shown(token: InitialAccessToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "uses_left": token.uses_left,
    }


def _render(tokens: list[InitialAccessToken]) -> None:
    from .. import times
    from ..terminal import cell, grid, make_console

    now = times.now()
    rows = [
        (
            cell(token.id),
            cell(token.name),
            cell("any number of uses" if token.uses_left is None else f"{token.uses_left} uses left"),
            cell(
                f"added {times.relative(token.created_at, now)}"
                if token.expires_at is None
                else f"ends {times.relative(token.expires_at, now)}",
                "dim",
            ),
        )
        for token in tokens
    ]
    make_console().print(grid(rows, fixed=4))
