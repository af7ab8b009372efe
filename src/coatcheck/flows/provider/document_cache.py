"""Keeping documents that clients name, so that nobody has them fetched as often as they like."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import Final, Protocol

import msgspec

from ..._core.clock import Clock
from ...oauth.documents import Document, DocumentError
from ...oauth.ports import DocumentFetcher

__all__ = ["DocumentCache", "Keeping", "Surroundings"]

_MOST: Final = 500


class Surroundings(Protocol):
    """What is needed of what flows share, which is ``Context``."""

    @property
    def documents(self) -> DocumentFetcher:
        """Who fetches."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """How long a kind of documents is kept.

    Attributes:
        accept: The media types that it may have.
        least: At least, whatever its server says: nobody has it fetched with every request.
        usual: Where its server says nothing.
        most: At most, whatever its server says.
        stale: Until when after it was fetched it is used if it cannot be fetched again; ``None`` for never.
        again: After which time it is fetched before its time, because something is not in it.
        pause: After which time it is tried again that could not be fetched.
    """

    accept: tuple[str, ...] = ("application/json",)
    least: timedelta
    usual: timedelta
    most: timedelta
    stale: timedelta | None = None
    again: timedelta = timedelta(seconds=30)
    pause: timedelta = timedelta(0)


class _Entry(msgspec.Struct, kw_only=True):
    document: Document | None = None
    fetched_at: float = 0.0
    fresh_until: float = 0.0
    tried_at: float = float("-inf")
    running: asyncio.Task[Document] | None = None


class DocumentCache:
    """The documents of one process, by URL. The least used go first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def get(self, context: Surroundings, url: str, *, keeping: Keeping, lacking: bool = False) -> bytes:
        """Return a document, fetched or kept. Of several callers at once one fetches it, for all.

        Args:
            context: Who fetches, and the time.
            url: Where it is.
            keeping: How long it is kept.
            lacking: Whether something is not in what was kept, so that a newer one is wanted.

        Raises:
            DocumentError: If it cannot be had, and none is kept that may still be used.
        """
        now, entry = context.clock(), self._entry(url)
        usable = entry.document if now < entry.fresh_until else None
        if usable is not None and not (lacking and now >= entry.tried_at + keeping.again.total_seconds()):
            return usable.body
        if entry.running is None and now < entry.tried_at + keeping.pause.total_seconds():
            return _kept(entry, keeping, DocumentError(detail="it was tried a moment ago"), now=now)
        try:
            return (await self._fetch(context, url, keeping=keeping)).body
        except DocumentError as error:
            return _kept(entry, keeping, error, now=now)

    def is_fresh(self, url: str, *, at: float) -> bool:
        """Tell whether a document is kept that need not be fetched."""
        entry = self._entries.get(url)
        return entry is not None and entry.document is not None and at < entry.fresh_until

    def forget(self, url: str) -> None:
        """Have a document fetched when it is asked for the next time."""
        self._entries.pop(url, None)

    async def _fetch(self, context: Surroundings, url: str, *, keeping: Keeping) -> Document:
        entry = self._entry(url)
        if entry.running is None:
            entry.tried_at = context.clock()
            # A task of its own: whoever asked first may go away, and others wait for the same.
            entry.running = asyncio.create_task(_fetched(context, url, keeping=keeping, entry=entry))
            entry.running.add_done_callback(_look_at)
        return await asyncio.shield(entry.running)

    def _entry(self, url: str) -> _Entry:
        entry = self._entries.setdefault(url, _Entry())
        self._entries.move_to_end(url)
        if len(self._entries) > _MOST:
            self._entries.popitem(last=False)
        return entry


def _look_at(task: asyncio.Task[Document]) -> None:
    """Take note of how a fetch ended, also where nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


async def _fetched(context: Surroundings, url: str, *, keeping: Keeping, entry: _Entry) -> Document:
    try:
        document = await context.documents.get(url, accept=keeping.accept)
    finally:
        entry.running = None
    now = context.clock()
    wanted = keeping.usual if document.fresh_for is None else timedelta(seconds=document.fresh_for)
    kept = min(max(wanted, keeping.least), keeping.most)
    entry.document, entry.fetched_at, entry.fresh_until = document, now, now + kept.total_seconds()
    return document


def _kept(entry: _Entry, keeping: Keeping, error: DocumentError, *, now: float) -> bytes:
    """Return what is kept, if it is not too old. Raises the error otherwise."""
    if entry.document is None:
        raise error
    stale = keeping.stale.total_seconds() if keeping.stale is not None else 0.0
    if now < max(entry.fresh_until, entry.fetched_at + stale):
        return entry.document.body
    raise error
