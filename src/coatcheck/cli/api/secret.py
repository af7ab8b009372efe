"""``coatcheck api secret``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON
from .options import Audience

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import API
    from ...server.settings_model import Settings

__all__ = ["secret"]


def secret(audience: Audience, *, as_json: AsJSON = False, config: Config = None) -> None:
    """Give an API another secret to verify its tokens by (HS256 only).

    Tokens that the old one signed do not verify any more.
    """
    from ..configured import administer
    from .rendering import render_secret

    async def action(settings: Settings, flows: Flows) -> tuple[API, str]:
        return await flows.provider.apis.new_secret(audience)

    api, new = administer(config, action)
    render_secret(api, new, as_json=as_json, word="There is a new secret for")
