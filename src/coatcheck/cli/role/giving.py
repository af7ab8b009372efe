"""``coatcheck role give`` and ``take``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config, Email
from .making import RoleName

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["give", "take"]


def give(name: RoleName, email: Email, *, config: Config = None) -> None:
    """Give a user a role."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> bool:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.roles.give(name, email, actor=ADMINISTRATOR)

    given = administer(config, action)
    write_text(f"{visible(email)} {'is' if given else 'was already'} {name}.")


def take(name: RoleName, email: Email, *, config: Config = None) -> None:
    """Take a role from a user, whose tokens have to be refreshed."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> bool:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.roles.take(name, email, actor=ADMINISTRATOR)

    taken = administer(config, action)
    write_text(f"{visible(email)} {'is no longer' if taken else 'was not'} {name}.")
