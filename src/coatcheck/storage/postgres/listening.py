"""Hearing of what other nodes commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psycopg

from ..._core.clock import monotonic_clock, system_clock
from .connections import Connection, cut
from .migrations import CHANNEL

__all__ = ["Listener"]

_log = logging.getLogger("coatcheck.storage")
_LOOK: Final = "SELECT number, extract(epoch FROM clock_timestamp())::float8 FROM changes"
_MOST_SKEW: Final = 5.0  # seconds
_LISTEN: Final = f"LISTEN {CHANNEL}"
_STALE_AFTER: Final = 4  # looks: one may be late, and its connection may have to be made again
_LONGEST_DELAY: Final = 2.0  # seconds


class Listener:
    """A connection of its own that waits for messages, and looks by itself every so often.

    A message is only to wake whoever waits. What is true stands in the table: a message that is lost costs the time
    until the next look.

    Args:
        address: Where the server is.
        moved: Called when something may have been committed.
        lost: Called when the server has gone.
        poll: How many seconds between two looks.

    Attributes:
        clock_skew: By how many seconds this machine's clock is ahead of the server's.
    """

    def __init__(
        self, address: str, *, moved: Callable[[], None], lost: Callable[[], None], poll: float
    ) -> None:
        self._address = address
        self._moved = moved
        self._lost = lost
        self._poll = poll
        self._number: int | None = None
        self._heard_at: float | None = None
        self.clock_skew: float = 0.0
        self._has_tried = asyncio.Event()
        self._connection: Connection | None = None

    def is_current(self) -> bool:
        """Tell whether this has heard from the server lately, so that nothing was committed that it does not know of.

        It has not if the server cannot be reached, and neither when this process was stopped and has just gone on.
        """
        heard_at = self._heard_at
        return heard_at is not None and monotonic_clock() - heard_at < self._poll * _STALE_AFTER

    def _compare_clocks(self, time: float) -> None:
        """Note how far this machine's clock is from the server's; tell the operator, once, if it is too far."""
        before, self.clock_skew = self.clock_skew, system_clock() - time
        if abs(self.clock_skew) > _MOST_SKEW >= abs(before):
            _log.error(
                "the clock of this machine differs from the database's by %.0f seconds: what it issues is not good for"
                " others, and it takes what others refuse",
                self.clock_skew,
            )

    async def has_looked(self, *, within: float) -> None:
        """Wait for the first look, or until it has failed, or for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._has_tried.wait()

    async def run(self) -> None:
        """Listen until cancelled, over one connection after another."""
        delay = self._poll
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                if self._heard_at is not None:
                    _log.warning("the database is not heard any more: %s", type(error).__name__)
                    self._lost()
                    delay = self._poll
                self._heard_at = None
            self._has_tried.set()
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._address, autocommit=True) as connection:
            self._connection = connection
            await connection.execute(_LISTEN)
            _log.debug("the database is heard")
            while True:
                await self._look(connection)
                async for _ in connection.notifies(timeout=self._poll):
                    self._moved()

    async def _look(self, connection: Connection) -> None:
        # Cancelled, the driver would ask a server that stands still to cancel, for ten seconds.
        late = asyncio.get_running_loop().call_later(self._poll * _STALE_AFTER, cut, connection)
        try:
            found = await (await connection.execute(_LOOK)).fetchone()
        finally:
            late.cancel()
        number, time = (None, system_clock()) if found is None else found
        self._compare_clocks(time)
        if number != self._number:
            self._number = number
            self._moved()
        self._heard_at = monotonic_clock()
        self._has_tried.set()

    def release(self) -> None:
        """Let nobody wait any longer for the first look: there will be none."""
        self._has_tried.set()

    def abandon(self) -> None:
        """Close the connection when its event loop is gone, and nothing can be waited for."""
        if self._connection is not None:
            self._connection.pgconn.finish()
