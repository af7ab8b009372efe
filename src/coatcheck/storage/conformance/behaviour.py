"""The first tier: what each method of the ports does."""

from __future__ import annotations

from .behaviour_of_accounts import LinkBehaviour, ThrottleBehaviour, UserBehaviour
from .behaviour_of_server import KeyBehaviour, MailBehaviour, StorageBehaviour
from .behaviour_of_sessions import RefreshTokenBehaviour, SessionBehaviour

__all__ = ["Behaviour"]


class Behaviour(
    UserBehaviour,
    LinkBehaviour,
    ThrottleBehaviour,
    SessionBehaviour,
    RefreshTokenBehaviour,
    MailBehaviour,
    KeyBehaviour,
    StorageBehaviour,
):
    """Every port's behaviour."""
