"""What the flows need of a storage as a whole, and of whoever delivers mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..accounts.ports import LinkRecords, ThrottleRecords, UserRecords
from ..oauth.ports import ProviderRecords
from ..revocation.ports import LedgerRecords
from ..sessions.ports import RefreshTokenRecords, SessionRecords
from .messages import Message
from .model import Family, QueuedMail, Service, StoredKey
from .signal_ports import SignalRecords, StreamRecords, UnwantedSubjectRecords
from .status_ports import StatusRecords

__all__ = [
    "FamilyRecords",
    "KeyRecords",
    "MailComposer",
    "MailRecords",
    "Records",
    "ServiceRecords",
    "Storage",
]


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


class FamilyRecords(Protocol):
    """Sessions with what belongs to them."""

    async def find_family(self, session_id: str, *, digest: bytes) -> Family | None:
        """Return a session with all that a refresh token of it depends on, read at one moment.

        Args:
            session_id: The session.
            digest: The token's.

        Returns:
            ``None`` if there is no such session.
        """
        ...


class KeyRecords(Protocol):
    """The server's keys."""

    async def add_key(self, key: StoredKey) -> None:
        """Add a key. Its ``kid`` is new."""
        ...

    async def list_keys(self) -> list[StoredKey]:
        """Return all keys, the newest first."""
        ...

    async def retire_key(self, kid: str, *, verifies_until: float) -> bool:
        """Set when a key is to be trusted no more, if it is not set to be sooner; ``False`` if there is no such key."""
        ...

    async def delete_retired_keys(self, now: float) -> int:
        """Delete the keys that are trusted no more; return how many."""
        ...


class ServiceRecords(Protocol):
    """The services that may read the ledger and ask about credentials."""

    async def add_service(self, service: Service) -> bool:
        """Add a service. ``False`` if there is one of that name; its ``id`` and ``digest`` are new."""
        ...

    async def find_service_by_digest(self, digest: bytes) -> Service | None:
        """Return the service whose key has that digest."""
        ...

    async def list_services(self) -> list[Service]:
        """Return all services in the order of their names."""
        ...

    async def delete_service(self, name: str) -> bool:
        """Delete a service with all that belongs to it; ``False`` if there is none of that name."""
        ...


class Records(
    UserRecords,
    LinkRecords,
    ThrottleRecords,
    SessionRecords,
    RefreshTokenRecords,
    FamilyRecords,
    MailRecords,
    KeyRecords,
    LedgerRecords,
    ServiceRecords,
    StatusRecords,
    StreamRecords,
    SignalRecords,
    UnwantedSubjectRecords,
    ProviderRecords,
    Protocol,
):
    """All records of a storage, as one object."""


class Storage(Protocol):
    """A storage. It is open from when it is made until ``close``, and safe to use from many tasks of one event loop.

    Whose a transaction is, and why that is enough. Several nodes write to one database, so a flow says whose records
    it decides by, and waits for nobody else. ``tests/flows/watched.py`` looks at every transaction of every test:

    - *What is a user's* (the account, sessions, refresh tokens, grants, consents, codes, links, the profile) is changed
      by transactions of that user. Who is not known yet is looked up among the committed records, and everything is
      read again inside (``flows.owners``). A sign-in that replaces another's session is of both.
    - *An address* that somebody wants (a sign-up, a move) is named too, by its key: of two, one is told that it is
      taken. So is whatever else stands for itself: a mail, a stream, what is left of ended sessions.
    - *What is set down for all* (clients, APIs, roles, permissions, keys, services and their streams), the end of
      everything, and what administrators do to users, is done alone. So a transaction of a user may read all of that.
    - *What users share* is changed by statements that are right in whatever order they come: a row that is new (an
      entry, a mail, a notice), or one that is counted up, taken or deleted where it stands (a place in a status list,
      a mail that is due, a limit). The streams, whose records are read and replaced, are held first:
      ``hold_streams``, or an entry of the ledger.
    - *Nobody waits in a circle.* Users' turns are taken at the beginning, in one order. Rows that are shared come
      after: limits and links, in one order; then the ledger with the streams, which have one turn for all; and a place
      in a status list in a transaction of its own, last. Whoever forgets what has expired passes over rows that others
      have. What an engine finds all the same, it breaks up, and one of the two is told to come again.

    Attributes:
        records: The committed records. Reading them never waits for a transaction of another; a write through them
            is a transaction of its own.
    """

    @property
    def records(self) -> Records:
        """The committed records."""
        ...

    def transaction(self, *of: str) -> AbstractAsyncContextManager[Records]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing.

        Transactions of the same user are serial, and one of nobody in particular is alone: what one reads does not
        change before it commits. Those of different users may go on at the same time, in other processes too. Inside,
        await the transaction's own methods and nothing else: others wait.

        Args:
            of: Whose records it reads to decide what it writes: identifiers of users, as a rule one. Beyond them it
                may only add records that are nobody else's (entries of the ledger, mail), and read what is set down
                for all (clients, APIs, roles, keys), which no other transaction changes meanwhile. Any text stands for
                itself where there is no user yet. None at all: it may do anything.
        """
        ...

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        """Read the times of limits, decide, and write what was decided, in one step that nothing comes between.

        Args:
            keys: The limits.
            decide: Is given the times of those keys that have one, and returns what to write. It may be called more
                than once. If it raises, nothing is written.
        """
        ...

    def version(self) -> int:
        """Return a number that differs from an earlier one if something may have been committed since, by anybody.

        Something is at least: an entry of the ledger, and any change of what is set down for all (clients, APIs, roles,
        permissions, keys, services, streams and their events). So it is what makes it safe to keep those in memory, and
        a user's or session's record for as long as the ledger says nothing of it. It is cheap and does not wait. It
        counts the commits of this object at once, and those of other processes within a few milliseconds.
        """
        ...

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called whenever ``version`` may have moved by a commit of this object. It must not raise.

        Storages that are told of other processes' commits call it for those as well; others have to be asked.
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
