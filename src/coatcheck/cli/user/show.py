"""``coatcheck user show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config, Email
from ..options import AsJSON

if TYPE_CHECKING:
    from ...accounts.model import User
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["show"]


def show(email: Email, *, as_json: AsJSON = False, config: Config = None) -> None:
    """Show a user: state, scopes, and how many sessions."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written
    from .rendering import as_record

    async def action(settings: Settings, flows: Flows) -> tuple[User, int]:
        user = await flows.administration.find_user(email)
        return user, len(await flows.administration.list_sessions(email))

    user, sessions = administer(config, action)
    if as_json:
        write_text(written({**as_record(user), "sessions": sessions}, indent=2))
    else:
        _render(user, sessions)


def _render(user: User, sessions: int) -> None:
    from .. import times
    from ..terminal import cell, grid, heading, make_console
    from .rendering import kind_of_hash, state_of

    console = make_console()
    rows = [
        ("id", user.id),
        ("state", state_of(user)),
        ("scopes", " ".join(sorted(user.scopes)) or "none"),
        ("password", kind_of_hash(user) or "not set"),
        ("added", times.iso(user.created_at) or ""),
        ("sessions", str(sessions)),
    ]
    console.print(heading(user.email).plain.strip(), markup=False)
    console.print(grid([(name, cell(value)) for name, value in rows]))
