"""Whose turn it is to write: first among the tasks of this process, then among processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final

from ..errors import StorageBusyError
from ..turns import Turns
from .connection import Connection

__all__ = ["WriteTransaction", "Writer"]

_FIRST_DELAY: Final = 0.001  # seconds
_LONGEST_DELAY: Final = 0.01
_RETRY_AFTER: Final = 1.0


class Writer:
    """The connection that writes.

    Args:
        connection: It. Nothing else may use it.
        busy_timeout: For how many seconds to wait for another process.

    Attributes:
        commits: How many transactions it has committed.
    """

    def __init__(self, connection: Connection, *, busy_timeout: float) -> None:
        self.connection = connection
        self._busy_timeout = busy_timeout
        self._turns = Turns()
        self._open: asyncio.Lock | None = None
        self.commits: int = 0
        self._wakers: list[Callable[[], None]] = []

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called after each commit."""
        self._wakers.append(waker)

    async def begin(self) -> asyncio.Lock:
        """Begin a transaction, and return what ``finish`` has to be given at its end.

        Raises:
            StorageBusyError: If another process writes for longer than ``busy_timeout``.
        """
        # Counted from here, not from the turn: else all who wait behind each other would wait for their sum.
        deadline = asyncio.get_running_loop().time() + self._busy_timeout
        turn = await self._turns.take()
        try:
            self.connection.roll_back()  # what a task left that died with its event loop
            if not self.connection.try_begin():
                await self._begin_later(deadline)
        except BaseException:
            turn.release()
            raise
        self._open = turn
        return turn

    async def _begin_later(self, deadline: float) -> None:
        """Try again until another process has finished, without holding up the event loop."""
        loop = asyncio.get_running_loop()
        delay = _FIRST_DELAY
        while loop.time() < deadline:
            await asyncio.sleep(delay)
            if self.connection.try_begin():
                return
            delay = min(2 * delay, _LONGEST_DELAY)
        raise StorageBusyError(retry_after=_RETRY_AFTER)

    def finish(self, turn: asyncio.Lock, *, keep: bool) -> None:
        """End the transaction. Nothing here waits, so nothing can come between the decision and the commit."""
        if self._open is not turn:
            return  # its event loop is gone, and the next one has rolled back what it left
        self._open = None
        try:
            if keep:
                self.connection.commit()
                self.commits += 1
                for waker in self._wakers:
                    waker()
            else:
                self.connection.roll_back()
        finally:
            turn.release()

    async def close(self) -> None:
        """Close the connection, after the transaction that is open."""
        turn = await self._turns.take()
        try:
            self.connection.close()
        finally:
            turn.release()


class WriteTransaction:
    """A transaction as a block: committed at its end, rolled back if it raises or is cancelled."""

    __slots__ = ("_turn", "_writer")

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def __aenter__(self) -> Connection:
        self._turn = await self._writer.begin()
        return self._writer.connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.finish(self._turn, keep=kind is None)
