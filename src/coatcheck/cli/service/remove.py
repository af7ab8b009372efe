"""``coatcheck service remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from .add import Name

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["remove"]


def remove(name: Name, *, config: Config = None) -> None:
    """Remove a service: its key is worth nothing from then on."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.services.remove(name)

    administer(config, action)
    write_text(f"Removed {name}.")
