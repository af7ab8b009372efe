"""``coatcheck user reset``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config, Email

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["reset"]


def reset(email: Email, *, config: Config = None) -> None:
    """Mail a user the link to a new password.

    The old one goes on working until then.
    """
    from ..configured import administer, tell_of_mail

    async def action(settings: Settings, flows: Flows) -> None:
        await flows.administration.start_reset(email)
        tell_of_mail(settings, to=email)

    administer(config, action)
