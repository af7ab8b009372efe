"""What the flows need of a storage as a whole, and of whoever delivers mail."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..accounts.ports import LinkRecords, ThrottleRecords, UserRecords
from ..sessions.ports import RefreshTokenRecords, SessionRecords
from .messages import Message
from .model import QueuedMail, StoredKey

__all__ = ["KeyRecords", "MailComposer", "MailRecords", "Records", "Storage"]


class MailRecords(Protocol):
    """Mail that waits to be sent."""

    async def add_mail(self, mail: QueuedMail) -> None:
        """Queue a message."""
        ...

    async def claim_mail(self, now: float, *, until: float) -> QueuedMail | None:
        """Return a message that is due, with ``attempts`` counted up, and hide it from others until then."""
        ...

    async def delete_mail(self, mail_id: str) -> None:
        """Forget a message: it was delivered, or given up."""
        ...


class KeyRecords(Protocol):
    """The server's keys."""

    async def add_key(self, key: StoredKey) -> None:
        """Add a key. Its ``kid`` is new."""
        ...

    async def list_keys(self) -> list[StoredKey]:
        """Return all keys, the newest first."""
        ...


class Records(
    UserRecords,
    LinkRecords,
    ThrottleRecords,
    SessionRecords,
    RefreshTokenRecords,
    MailRecords,
    KeyRecords,
    Protocol,
):
    """All records of a storage, as one object."""


class Storage(Protocol):
    """A storage. It is open from when it is made until ``close``, and safe to use from many tasks of one event loop.

    Attributes:
        records: The committed records. Reading them never waits for a transaction of another; a write through them
            is a transaction of its own.
    """

    @property
    def records(self) -> Records:
        """The committed records."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Records]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing.

        Transactions that write are serial: what one reads does not change before it commits. Inside, await the
        transaction's own methods and nothing else: others wait.
        """
        ...

    def version(self) -> int:
        """Return a number that differs from an earlier one if anything may have been committed since, by anybody.

        It is what makes it safe to keep records in memory: it is cheap and does not wait. It counts the commits of
        this object at once, and those of other processes within a few milliseconds.
        """
        ...

    async def close(self) -> None:
        """Close the storage; whatever was committed stays."""
        ...


class MailComposer(Protocol):
    """Turns messages into mail that can be queued in the transaction that it reports of."""

    def compose(self, message: Message, *, now: float) -> QueuedMail:
        """Return the message written out, sealed and due at once."""
        ...

    def wake(self) -> None:
        """Note that mail was queued and committed."""
        ...
