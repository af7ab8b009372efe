"""``coatcheck role list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...accounts.model import User
    from ...flows.service import Flows
    from ...oauth.model import Role
    from ...server.settings_model import Settings

__all__ = ["list_roles"]

OfUser = Annotated[str | None, typer.Option("--user", metavar="EMAIL", help="Only the roles of this user.")]


def list_roles(*, user: OfUser = None, as_json: AsJSON = False, config: Config = None) -> None:
    """List roles and who has them.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> list[tuple[Role, list[User]]]:
        roles = flows.provider.roles
        found = await roles.list()
        if user is not None:
            theirs = await roles.of(user)
            found = [each for each in found if each.name in theirs]
        return [(each, await roles.members(each.name)) for each in found]

    roles = administer(config, action)
    if as_json:
        for role, members in roles:
            record = {"name": role.name, "description": role.description}
            write_text(written({**record, "members": [each.email for each in members]}))
    elif roles:
        _render(roles)
    else:
        write_text("No roles.")


def _render(roles: list[tuple[Role, list[User]]]) -> None:
    from ..terminal import cell, grid, make_console

    rows = [
        (
            cell(role.name),
            cell(role.description, "dim"),
            cell(" ".join(each.email for each in members) or "nobody"),
        )
        for role, members in roles
    ]
    make_console().print(grid(rows, fixed=2))
