"""``coatcheck client remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from .options import ClientId

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["remove"]


def remove(client_id: ClientId, *, config: Config = None) -> None:
    """Remove a client: its sessions end, and its tokens are void."""
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> int:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.clients.remove(client_id, actor=ADMINISTRATOR)

    write_text(f"Removed {client_id}; sessions ended: {administer(config, action)}.")
