"""One reader of the feed, and what it gets next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from .._core.clock import monotonic_clock
from .feed_packing import Frame, Gzip

__all__ = ["Reader"]

_log = logging.getLogger("coatcheck.feed")


def _do_nothing() -> None:
    """A reader that nobody serves yet is not cut off by anything else than its end."""


class Reader:
    """A reader, from when it is admitted until ``close``.

    Attributes:
        service_id: The service that reads; ``None`` in development, for one that shows no key.
        name: What the log calls it.
        packs: Whether it gets gzip.
        has_ended: Whether it gets no more than what is on its way.
    """

    __slots__ = (
        "_close",
        "_cut",
        "_gzip",
        "_history",
        "_most",
        "_queue",
        "_waiter",
        "_writes_since",
        "has_ended",
        "name",
        "packs",
        "service_id",
    )

    def __init__(
        self, *, service_id: str | None, name: str, packs: bool, most: int, close: Callable[[Reader], None]
    ) -> None:
        """Take who it is.

        Args:
            service_id: The service that reads.
            name: What the log is to call it.
            packs: Whether it gets gzip.
            most: How many events may wait for it.
            close: Called at its end.
        """
        self.service_id: str | None = service_id
        self.name: str = name
        self.packs: bool = packs
        self.has_ended: bool = False
        self._gzip = Gzip() if packs else None
        self._history: AsyncGenerator[Frame] | None = None
        self._queue: list[Frame] = []
        self._waiter: asyncio.Future[None] | None = None
        self._writes_since: float | None = None
        self._most = most
        self._cut: Callable[[], object] = _do_nothing
        self._close = close

    def begin(self, history: AsyncGenerator[Frame]) -> None:
        """Take what it gets first."""
        self._history = history

    def on_cut(self, cut: Callable[[], object]) -> None:
        """Have something called when it is cut off: what ends the writing that it does not let end."""
        self._cut = cut

    def put(self, frame: Frame) -> None:
        """Give it a live event, or cut it off if too many wait: others do not wait for it."""
        if self.has_ended:
            return
        if len(self._queue) >= self._most:
            self.cut(why="too many events wait for it")
            return
        self._queue.append(frame)
        self._wake()

    def end(self) -> None:
        """Let it have what is on its way, and then the end of the stream."""
        self.has_ended = True
        self._wake()

    def cut(self, *, why: str) -> None:
        """Break it off at once. It comes back, and goes on where it was."""
        _log.info("a reader of the feed was cut off: %s (%s)", why, self.name)
        self.has_ended = True
        self._queue.clear()
        self._cut()

    def is_stalled(self, *, longest: float = 0.0) -> bool:
        """Tell whether it has taken nothing for so many seconds, although there was something."""
        return self._writes_since is not None and monotonic_clock() - self._writes_since >= longest

    def close(self) -> None:
        """Let go of everything. It may be called again."""
        self.has_ended = True
        self._queue.clear()
        self._close(self)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the octets of the stream, as they come."""
        if self._gzip is not None:
            yield Gzip.head
        assert self._history is not None  # noqa: S101 - begun before
        async with aclosing(self._history) as history:
            async for frame in history:
                self._writes_since = monotonic_clock()
                yield self._octets(frame, frame.alone if self.packs else frame.plain)
                self._writes_since = None
                if self.has_ended:
                    break
        while True:
            frames, self._queue = self._queue, []
            if frames:
                self._writes_since = monotonic_clock()
                yield b"".join(
                    [self._octets(each, each.live if self.packs else each.plain) for each in frames]
                )
                self._writes_since = None
            elif self.has_ended:
                break
            else:
                await self._more()
        if self._gzip is not None:
            yield self._gzip.tail()

    def _octets(self, frame: Frame, octets: bytes) -> bytes:
        if self._gzip is not None:
            self._gzip.count(frame.plain)
        return octets

    async def _more(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
