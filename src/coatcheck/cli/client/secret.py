"""``coatcheck client secret``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON
from .options import ClientId

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings
    from .rendering import Made

__all__ = ["secret"]


def secret(client_id: ClientId, *, as_json: AsJSON = False, config: Config = None) -> None:
    """Give a client a new secret.

    The old one is worth nothing from then on, but what was issued with it is
    still good. If it was stolen, void that: coatcheck revoke client ID.
    """
    from ..configured import administer
    from .rendering import made_of, render_made

    async def action(settings: Settings, flows: Flows) -> Made:
        client, new = await flows.provider.clients.new_secret(client_id)
        return made_of(flows, client, secret=new)

    made = administer(config, action)
    render_made(made, out=None, force=False, as_json=as_json, word="There is a new secret for")
