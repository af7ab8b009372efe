"""``coatcheck permission list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON
from .holders import ClientHolder, RoleHolder, UserHolder, holder_of

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import HolderKind, Permission
    from ...server.settings_model import Settings

__all__ = ["list_permissions"]

AnyAPI = Annotated[str | None, typer.Option("--api", metavar="URI", help="Only at this API.")]


def list_permissions(
    *,
    user: UserHolder = None,
    role: RoleHolder = None,
    client: ClientHolder = None,
    api: AnyAPI = None,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """List who may do what at which API.

    What a user may through a role stands at the role. As JSON, there is one
    object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    named: tuple[HolderKind | None, str | None] = (None, None)
    if user is not None or role is not None or client is not None:
        named = holder_of(user, role, client)

    async def action(settings: Settings, flows: Flows) -> list[tuple[str, Permission]]:
        records = flows.context.storage.records
        found = []
        for each in await flows.provider.permissions.list(kind=named[0], holder=named[1], audience=api):
            who = await records.find_user(each.holder) if each.kind == "user" else None
            found.append((each.holder if who is None else who.email, each))
        return found

    permissions = administer(config, action)
    if as_json:
        for holder, each in permissions:
            record = {"kind": each.kind, "holder": holder, "api": each.audience}
            write_text(written({**record, "scopes": sorted(each.scopes)}))
    elif permissions:
        _render(permissions)
    else:
        write_text("No permissions.")


def _render(permissions: list[tuple[str, Permission]]) -> None:
    from ..terminal import cell, grid, make_console

    rows = [
        (cell(each.kind, "dim"), cell(holder), cell(each.audience), cell(" ".join(sorted(each.scopes))))
        for holder, each in permissions
    ]
    make_console().print(grid(rows, fixed=3))
