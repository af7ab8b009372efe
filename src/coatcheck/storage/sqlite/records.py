"""All tables as one object."""

from __future__ import annotations

from .keys import KeyTable
from .links import LinkTable
from .mail import MailTable
from .refresh_tokens import RefreshTokenTable
from .sessions import SessionTable
from .throttles import ThrottleTable
from .users import UserTable

__all__ = ["SQLiteRecords"]


class SQLiteRecords(
    UserTable, LinkTable, ThrottleTable, SessionTable, RefreshTokenTable, MailTable, KeyTable
):
    """Satisfies ``flows.ports.Records``."""
