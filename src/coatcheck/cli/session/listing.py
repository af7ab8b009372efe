"""``coatcheck session list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..configured import Config, Email
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings
    from ...sessions.model import Session

__all__ = ["list_sessions"]


def list_sessions(email: Email, *, as_json: AsJSON = False, config: Config = None) -> None:
    """List a user's sessions, the most recently used first.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> list[Session]:
        return await flows.administration.list_sessions(email)

    sessions = administer(config, action)
    if as_json:
        for session in sessions:
            write_text(written(_record(session)))
    elif sessions:
        _render(sessions)
    else:
        write_text("No sessions.")


def _record(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "kind": session.kind,
        "created_at": session.created_at,
        "authenticated_at": session.authenticated_at,
        "last_seen_at": session.last_seen_at,
        "ends_at": session.ends_at,
        "methods": list(session.methods),
        "address": session.client.address,
        "user_agent": session.client.user_agent,
    }


def _render(sessions: list[Session]) -> None:
    from .. import times
    from ..terminal import cell, grid, make_console

    now = times.now()
    rows = [
        (
            cell(session.id),
            cell(session.kind, "dim"),
            cell(f"seen {times.relative(session.last_seen_at, now)}"),
            cell(session.client.address or "no address"),
            cell(session.client.user_agent or "no name", "dim"),
        )
        for session in sessions
    ]
    make_console().print(grid(rows, fixed=4))
