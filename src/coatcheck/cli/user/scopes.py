"""``coatcheck user scopes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config, Email
from ..errors import UsageError

if TYPE_CHECKING:
    from ...accounts.model import User
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["scopes"]

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCOPE]...", help="All that the user may do.", show_default=False),
]
Clear = Annotated[bool, typer.Option("--none", help="Take all of them away.")]


def scopes(email: Email, names: Names = None, *, none: Clear = False, config: Config = None) -> None:
    """Set what a user may do.

    It replaces what was set before, and holds from the next request.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    if bool(names) == none:
        raise UsageError("Name the scopes, or take all away with --none.")

    async def action(settings: Settings, flows: Flows) -> User:
        return await flows.administration.set_scopes(email, names or ())

    user = administer(config, action)
    write_text(f"{visible(user.email)} may: {' '.join(sorted(user.scopes)) or 'nothing in particular'}.")
