"""The first tier: what each method of the ports does."""

from __future__ import annotations

from .behaviour_of_accounts import LinkBehaviour, ThrottleBehaviour, UserBehaviour
from .behaviour_of_authorizations import (
    AssertionBehaviour,
    AuthorizationBehaviour,
    ConsentBehaviour,
    GrantBehaviour,
    OpenCodeBehaviour,
)
from .behaviour_of_clients import (
    APIBehaviour,
    ClientBehaviour,
    InitialAccessTokenBehaviour,
    PermissionBehaviour,
    RoleBehaviour,
)
from .behaviour_of_families import FamilyBehaviour
from .behaviour_of_ledger import LedgerBehaviour, ServiceBehaviour
from .behaviour_of_logout import EndedClientSessionBehaviour, LogoutBehaviour
from .behaviour_of_profiles import ProfileBehaviour
from .behaviour_of_revocation import EndOfAllBehaviour
from .behaviour_of_server import KeyBehaviour, MailBehaviour, StorageBehaviour
from .behaviour_of_sessions import RefreshTokenBehaviour, SessionBehaviour
from .behaviour_of_signals import SignalBehaviour, StreamBehaviour, UnwantedSubjectBehaviour
from .behaviour_of_statuses import StatusBehaviour

__all__ = ["Behaviour"]


class Behaviour(
    UserBehaviour,
    LinkBehaviour,
    ThrottleBehaviour,
    SessionBehaviour,
    RefreshTokenBehaviour,
    FamilyBehaviour,
    EndOfAllBehaviour,
    MailBehaviour,
    KeyBehaviour,
    StatusBehaviour,
    LedgerBehaviour,
    ServiceBehaviour,
    StreamBehaviour,
    SignalBehaviour,
    UnwantedSubjectBehaviour,
    ProfileBehaviour,
    ClientBehaviour,
    APIBehaviour,
    RoleBehaviour,
    PermissionBehaviour,
    InitialAccessTokenBehaviour,
    AuthorizationBehaviour,
    OpenCodeBehaviour,
    AssertionBehaviour,
    GrantBehaviour,
    ConsentBehaviour,
    LogoutBehaviour,
    EndedClientSessionBehaviour,
    StorageBehaviour,
):
    """Every port's behaviour."""
