"""All tables as one object."""

from __future__ import annotations

from .authorizations import AuthorizationTable
from .clients import ClientTable
from .families import FamilyTable
from .grants import GrantTable
from .keys import KeyTable
from .ledger import LedgerTable
from .links import LinkTable
from .logout_notices import LogoutNoticeTable
from .mail import MailTable
from .permissions import PermissionTable
from .profiles import ProfileTable
from .refresh_tokens import RefreshTokenTable
from .services import ServiceTable
from .sessions import SessionTable
from .signals import SignalTable
from .statuses import StatusTable
from .throttles import ThrottleTable
from .users import UserTable

__all__ = ["SQLRecords"]


class SQLRecords(
    UserTable,
    LinkTable,
    ThrottleTable,
    SessionTable,
    RefreshTokenTable,
    FamilyTable,
    MailTable,
    KeyTable,
    LedgerTable,
    ServiceTable,
    StatusTable,
    SignalTable,
    ClientTable,
    PermissionTable,
    AuthorizationTable,
    GrantTable,
    LogoutNoticeTable,
    ProfileTable,
):
    """Satisfies ``flows.ports.Records``."""
