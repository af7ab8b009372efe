"""``coatcheck client disable`` and ``enable``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from .options import ClientId

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["disable", "enable"]


def disable(client_id: ClientId, *, config: Config = None) -> None:
    """Switch a client off: its sessions end, and its tokens are void."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> int:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.clients.disable(client_id, actor=ADMINISTRATOR)

    write_text(f"Disabled {client_id}; sessions ended: {administer(config, action)}.")


def enable(client_id: ClientId, *, config: Config = None) -> None:
    """Switch a client on again."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.provider.clients.enable(client_id)

    administer(config, action)
    write_text(f"Enabled {client_id}.")
