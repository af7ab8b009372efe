"""``coatcheck user disable`` and ``enable``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config, Email

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["disable", "enable"]


def disable(email: Email, *, config: Config = None) -> None:
    """Deactivate an account and end all its sessions."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> int:
        return await flows.administration.disable(email)

    ended = administer(config, action)
    write_text(f"Disabled {visible(email)}; sessions ended: {ended}.")


def enable(email: Email, *, config: Config = None) -> None:
    """Activate an account again."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.administration.enable(email)

    administer(config, action)
    write_text(f"Enabled {visible(email)}.")
