"""``coatcheck user profile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..configured import Config, Email
from ..errors import UsageError
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["profile"]

Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CLAIM=VALUE]...",
        help="What to set, as name='Ada Lovelace' or address.country=GB. Without a value it is taken away.",
        show_default=False,
    ),
]
PhoneVerified = Annotated[
    bool | None,
    typer.Option(
        "--phone-verified/--phone-unverified",
        help="Whether the telephone number is known to be the user's.",
        show_default=False,
    ),
]


def profile(
    email: Email,
    changes: Changes = None,
    *,
    phone_verified: PhoneVerified = None,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Show what apps may be told of a user, or change it.

    An app is told only what it asks for and the user agrees to.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    wanted = _read(changes or [])

    async def action(settings: Settings, flows: Flows) -> dict[str, Any]:
        user = await flows.administration.find_user(email)
        profiles = flows.provider.profiles
        if not wanted and phone_verified is None:
            return await profiles.get(user.id)
        given: dict[str, Any] = {**wanted}
        if "address" in given:
            before = (await profiles.get(user.id)).get("address", {})
            given["address"] = {**before, **given["address"]}
        return await profiles.change(user.id, given, phone_verified=phone_verified)

    claims = administer(config, action)
    if as_json:
        write_text(written(claims, indent=2))
    else:
        _render(claims)


def _read(changes: list[str]) -> dict[str, Any]:
    """Return values by the names of claims; parts of the address in an object of their own."""
    wanted: dict[str, Any] = {}
    for change in changes:
        name, separator, value = change.partition("=")
        if not separator:
            raise UsageError("Say what to set as CLAIM=VALUE, for example name='Ada Lovelace'.")
        claim, _, part = name.partition(".")
        if claim == "address":
            wanted.setdefault("address", {})[part] = value
        else:
            wanted[name] = value
    return wanted


def _render(claims: dict[str, Any]) -> None:
    from ..terminal import cell, grid, make_console

    rows: list[tuple[str, str]] = []
    for name, value in sorted(claims.items()):
        if isinstance(value, dict):
            rows += [(f"{name}.{part}", str(text)) for part, text in value.items()]
        else:
            rows.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    if not rows:
        make_console().print("Nothing is said.", markup=False)
        return
    make_console().print(grid([(name, cell(value)) for name, value in rows]))
