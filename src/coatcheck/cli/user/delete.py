"""``coatcheck user delete``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config, Email
from ..errors import UsageError

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["delete", "is_interactive"]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def delete(email: Email, *, yes: Yes = False, config: Config = None) -> None:
    """Delete an account and all that belongs to it.

    There is no way back.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    if not yes:
        if not is_interactive():
            raise UsageError("Nobody is here to be asked: --yes deletes without a question.")
        typer.confirm(f"Delete {visible(email)} and all that belongs to it?", abort=True)

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.administration.delete(email)

    administer(config, action)
    write_text(f"Deleted {visible(email)}.")


def is_interactive() -> bool:
    """Tell whether a person can answer a question."""
    return sys.stdin.isatty()
