"""Hearing of what other nodes commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import psycopg

from ..._core.clock import monotonic_clock
from .migrations import CHANNEL

__all__ = ["Listener"]

_log = logging.getLogger("coatcheck.storage")
_LOOK: Final = "SELECT number FROM changes"
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
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    def is_current(self) -> bool:
        """Tell whether this has heard from the server lately, so that nothing was committed that it does not know of.

        It has not if the server cannot be reached, and neither when this process was stopped and has just gone on.
        """
        heard_at = self._heard_at
        return heard_at is not None and monotonic_clock() - heard_at < self._poll * _STALE_AFTER

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

    async def _look(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        async with asyncio.timeout(self._poll * _STALE_AFTER):
            found = await (await connection.execute(_LOOK)).fetchone()
        number = None if found is None else int(found[0])
        if number != self._number:
            self._number = number
            self._moved()
        self._heard_at = monotonic_clock()

    def abandon(self) -> None:
        """Close the connection when its event loop is gone, and nothing can be waited for."""
        if self._connection is not None:
            self._connection.pgconn.finish()
