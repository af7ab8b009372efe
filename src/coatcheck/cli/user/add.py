"""``coatcheck user add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config, Email

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["add"]

Scope = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", metavar="NAME", help="What the user may do; may be repeated.", show_default=False
    ),
]


def add(email: Email, *, scope: Scope = None, config: Config = None) -> None:
    """Add a user, who is mailed a link to set a password."""
    from ..configured import administer, tell_of_mail
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> None:
        user = await flows.administration.add_user(email, scopes=scope or ())
        write_text(f"Added {visible(user.email)} ({user.id}).")
        tell_of_mail(settings, to=user.email)

    administer(config, action, begins=True)
