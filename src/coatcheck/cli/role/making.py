"""``coatcheck role add`` and ``remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["RoleName", "add", "remove"]

RoleName = Annotated[
    str,
    typer.Argument(metavar="ROLE", help="Its name: letters, digits, dots and dashes.", show_default=False),
]
Description = Annotated[str, typer.Option("--description", metavar="TEXT", help="What it is for.")]


def add(name: RoleName, *, description: Description = "", config: Config = None) -> None:
    """Make a role. Permissions are given to it by coatcheck permission grant."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.provider.roles.add(name, description=description)

    administer(config, action, begins=True)
    write_text(f"Added {name}.")


def remove(name: RoleName, *, config: Config = None) -> None:
    """Remove a role; whoever had it has its permissions no more."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> None:
        from ...flows.ending import ADMINISTRATOR

        await flows.provider.roles.remove(name, actor=ADMINISTRATOR)

    administer(config, action)
    write_text(f"Removed {name}.")
