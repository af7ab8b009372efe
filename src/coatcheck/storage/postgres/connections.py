"""Connections to the server: how they are made, and the pool that an event loop has of them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import pq

from ..errors import StorageBusyError, StorageMisuseError, StorageUnreachableError
from .addresses import seconds_to_connect
from .failures import is_refused, loses_all

__all__ = ["Connection", "Pool", "cut"]

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Waiter = asyncio.Future[Connection | None]

# A node that is cut off in the middle of a transaction holds its locks until the server ends it: transactions here take
# milliseconds and wait for nothing else, so that it may do so soon, and others get their turn. The statements that take
# long are those of administrators who end everything, over a hundred million sessions.
_SESSION: Final = (
    "SET lock_timeout = {}; SET statement_timeout = '5min'; SET idle_in_transaction_session_timeout = '2s'"
)
_FIRST_DELAY: Final = 0.05  # seconds
_LONGEST_DELAY: Final = 0.5


def cut(connection: Connection) -> None:
    """End a conversation: whoever waits for an answer is told that it is lost.

    If the connection were closed instead, the task that waits on its descriptor would wait for ever.
    """
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


class Pool:
    """The connections of one event loop, each in use by one task at a time.

    It has no task of its own: whoever needs a connection makes it, or waits in a line until another is done with one.

    Args:
        address: Where to.
        size: How many there may be.
        patience: For how many seconds to wait for one.

    Attributes:
        round_trips: How often the server was asked and waited for.
    """

    def __init__(self, address: str, *, size: int, patience: float) -> None:
        self._address = address
        self._size = size
        self._patience = patience
        self._to_connect = seconds_to_connect(address, patience=patience)
        self._session = _SESSION.format(round(patience * 1000)).encode()
        self._all: set[Connection] = set()
        self._free: list[Connection] = []  # the one that was used last is the first to be used again
        self._making = 0
        self._left: set[Connection] = set()  # in use, and not to be used again
        self._waiting: deque[Waiter] = deque()
        self._is_closed = False
        self.round_trips: int = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Give a connection for as long as the block takes. If it was lost in there, so are the others.

        Raises:
            StorageBusyError: If none is free in time.
            StorageUnreachableError: If none is made in time.
            StorageMisuseError: If the pool is closed.
            psycopg.Error: If none can be made.
        """
        connection = await self._take()
        try:
            yield connection
        except psycopg.Error as error:
            if loses_all(error):
                await self.renew()
            raise
        finally:
            await self._give(connection)

    async def _take(self) -> Connection:
        loop = asyncio.get_running_loop()
        deadline, delay = loop.time() + self._patience, _FIRST_DELAY
        next_try, has_waited = 0.0, False
        while True:
            if self._is_closed:
                raise StorageMisuseError("The storage is closed.")
            if self._free:
                return self._free.pop()
            until = deadline
            if self._places() > 0 and loop.time() >= next_try:
                try:
                    return await self._make()
                except psycopg.OperationalError as error:
                    # It is being started, or is full. What it refuses for good, it refuses at once.
                    if is_refused(error) or loop.time() + delay >= deadline:
                        raise
                next_try = until = loop.time() + delay
                delay = min(2 * delay, _LONGEST_DELAY)
            elif self._places() > 0:
                until = min(next_try, deadline)
            connection = await self._wait(until, is_first=has_waited)
            has_waited = True
            if connection is not None:
                return connection
            if loop.time() >= deadline:
                raise StorageBusyError(retry_after=1.0, detail="no connection was free in time")

    def _places(self) -> int:
        """Return how many connections may still be made."""
        return self._size - len(self._all) - self._making

    async def _wait(self, until: float, *, is_first: bool) -> Connection | None:
        """Wait in the line for a connection; return none if one may be made, or it is late."""
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        # Whoever has waited before, and found that another was quicker, does not begin anew.
        (self._waiting.appendleft if is_first else self._waiting.append)(waiter)
        try:
            await asyncio.wait([waiter], timeout=max(0.0, until - loop.time()))
        except asyncio.CancelledError:
            if waiter.done():
                self._pass_on(waiter.result())  # it was for this one, who takes nothing any more
            raise
        finally:
            if not waiter.done():
                self._waiting.remove(waiter)
        return waiter.result() if waiter.done() else None

    def _pass_on(self, connection: Connection | None) -> None:
        """Give what nobody has to the one who has waited longest: a connection, or the place for one."""
        if connection is not None and (self._is_closed or connection not in self._all):
            self._left.discard(connection)
            connection.pgconn.finish()
            connection = None
        if self._waiting:
            self._waiting.popleft().set_result(connection)
        elif connection is not None:
            self._free.append(connection)

    async def _make(self) -> Connection:
        self._making += 1
        try:
            async with asyncio.timeout(self._to_connect):
                connection = await self._connect()
            self._all.add(connection)
        except BaseException as error:
            self._pass_on(None)  # another may try
            if isinstance(error, TimeoutError):
                raise StorageUnreachableError(
                    retry_after=1.0, detail="no connection was made in time"
                ) from None
            raise
        finally:
            self._making -= 1
        return connection

    async def _connect(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._address, autocommit=True, prepare_threshold=0
        )
        try:
            await connection.execute(self._session, prepare=False)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _give(self, connection: Connection) -> None:
        if connection in self._all and not self._is_closed and _is_at_rest(connection):
            self._pass_on(connection)
            return
        self._all.discard(connection)
        self._left.discard(connection)
        await connection.close()
        self._pass_on(None)

    async def renew(self) -> None:
        """Use none of these connections again: the server was restarted, say, and there they are gone.

        Those that are in use are closed when they are given back. A server that stands still answers nobody: whoever
        waits there for longer than ``patience`` from now on is told that the connection is lost.
        """
        free, self._free = self._free, []
        left = self._all.difference(free)
        self._all.clear()
        self._left |= left
        if left:
            asyncio.get_running_loop().call_later(self._patience, self._cut, left)
        for connection in free:
            await connection.close()
        for _ in range(min(self._places(), len(self._waiting))):
            self._pass_on(None)

    def _cut(self, connections: set[Connection]) -> None:
        for connection in connections & self._left:
            cut(connection)

    async def close(self) -> None:
        """Close all connections: those that are in use, when they are done with."""
        self._is_closed = True
        await self.renew()
        while self._waiting:
            self._pass_on(None)

    def abandon(self) -> None:
        """Close all connections when their event loop is gone, and nothing can be waited for."""
        self._is_closed = True
        for connection in self._all | self._left:
            connection.pgconn.finish()
        self._all.clear()
        self._left.clear()
        self._free.clear()

    def facts(self) -> dict[str, float]:
        """Return figures for whoever watches over it."""
        return {
            "pool_size": len(self._all) + len(self._left),
            "pool_in_use": len(self._all) + len(self._left) - len(self._free),
            "pool_waiting": len(self._waiting),
            "round_trips": self.round_trips,
        }


def _is_at_rest(connection: Connection) -> bool:
    """Tell whether a connection is as it was when it was made.

    A pipeline that was cancelled can stay open: what is asked next would be kept back, never sent, and not fail.
    """
    is_idle = connection.info.transaction_status == pq.TransactionStatus.IDLE
    return is_idle and connection.pgconn.pipeline_status == pq.PipelineStatus.OFF
