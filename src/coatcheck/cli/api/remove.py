"""``coatcheck api remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from .options import Audience

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["remove"]


def remove(audience: Audience, *, config: Config = None) -> None:
    """Remove an API with all permissions on it. Tokens have to be refreshed."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible

    async def action(settings: Settings, flows: Flows) -> None:
        from ...flows.ending import ADMINISTRATOR

        await flows.provider.apis.remove(audience, actor=ADMINISTRATOR)

    administer(config, action)
    write_text(f"Removed {visible(audience)}.")
