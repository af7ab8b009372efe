"""``coatcheck session end`` and ``end-all``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config, Email
from ..failures import IMPOSSIBLE, complain

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["end", "end_all"]

SessionId = Annotated[
    str, typer.Argument(metavar="ID", help="The session's identifier, as it is listed.", show_default=False)
]


def end(session_id: SessionId, *, config: Config = None) -> None:
    """End one session at once, with its refresh tokens."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> bool:
        return await flows.administration.end_session(session_id)

    if not administer(config, action):
        complain("There is no such session (any more).", "unknown_session")
        raise typer.Exit(IMPOSSIBLE)
    write_text("Ended.")


def end_all(email: Email, *, config: Config = None) -> None:
    """End all sessions of a user at once."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> int:
        return await flows.administration.end_sessions(email)

    write_text(f"Sessions ended: {administer(config, action)}.")
