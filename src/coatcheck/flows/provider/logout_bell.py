"""Waking what tells clients that sessions ended, as soon as there is something to tell."""

from __future__ import annotations

import asyncio
from contextlib import suppress

__all__ = ["LogoutBell"]


class LogoutBell:
    """Rung inside the transactions that queue notices, waited for by the one task that sends them.

    What other processes queue rings nothing here: who waits looks again after a while.
    """

    def __init__(self) -> None:
        self._rung: asyncio.Event | None = None

    def ring(self) -> None:
        """Note that the transaction that is open will have queued something. It need not have been committed yet."""
        if self._rung is not None:
            self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until it was rung since the last time, but no longer than that; tell whether it was.

        What rang it may not have been committed yet. Transactions are serial: one that is begun now sees it.
        """
        if self._rung is None:
            self._rung = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        was_rung = self._rung.is_set()
        self._rung.clear()
        return was_rung
