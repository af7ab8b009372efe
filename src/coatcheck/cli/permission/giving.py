"""``coatcheck permission grant`` and ``withdraw``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..errors import UsageError
from .holders import ClientHolder, RoleHolder, UserHolder, holder_of

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import Permission
    from ...server.settings_model import Settings

__all__ = ["AtAPI", "grant", "withdraw"]

AtAPI = Annotated[
    str, typer.Option("--api", metavar="URI", help="The audience of the API.", show_default=False)
]
Scopes = Annotated[
    list[str], typer.Argument(metavar="SCOPE...", help="What they may do there.", show_default=False)
]
LessScopes = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCOPE]...", help="What they may do no more.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="Take all that they have at the API.")]


def grant(
    scopes: Scopes,
    *,
    api: AtAPI,
    user: UserHolder = None,
    role: RoleHolder = None,
    client: ClientHolder = None,
    config: Config = None,
) -> None:
    """Let a user, a role or a client do something at an API."""
    from ..configured import administer

    kind, holder = holder_of(user, role, client)

    async def action(settings: Settings, flows: Flows) -> Permission:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.permissions.grant(kind, holder, api, scopes=scopes, actor=ADMINISTRATOR)

    _tell(holder, administer(config, action))


def withdraw(
    scopes: LessScopes = None,
    *,
    api: AtAPI,
    everything: All = False,
    user: UserHolder = None,
    role: RoleHolder = None,
    client: ClientHolder = None,
    config: Config = None,
) -> None:
    """Take it back. Tokens that say otherwise are void, and refreshed."""
    from ..configured import administer

    kind, holder = holder_of(user, role, client)
    if bool(scopes) == everything:
        raise UsageError("Name the scopes, or take all away with --all.")

    async def action(settings: Settings, flows: Flows) -> Permission:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.permissions.withdraw(
            kind, holder, api, scopes=scopes or None, actor=ADMINISTRATOR
        )

    _tell(holder, administer(config, action))


def _tell(holder: str, permission: Permission) -> None:
    from ..sinks import write_text
    from ..text import visible

    may = " ".join(sorted(permission.scopes)) or "nothing"
    write_text(f"{visible(holder)} may at {permission.audience}: {may}.")
