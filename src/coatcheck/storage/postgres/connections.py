"""Connections to the server: how they are made, and the pool that an event loop has of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import pq

from ..errors import StorageBusyError, StorageMisuseError, StorageUnreachableError
from .addresses import seconds_to_connect
from .failures import is_lost, is_refused

__all__ = ["Connection", "Pool"]

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

# A node that is cut off in the middle of a transaction holds its locks until the server ends it: transactions here take
# milliseconds and wait for nothing else, so that it may do so soon, and others get their turn. The statements that take
# long are those of administrators who end everything, over a hundred million sessions.
_SESSION: Final = (
    "SET lock_timeout = {}; SET statement_timeout = '5min'; SET idle_in_transaction_session_timeout = '2s'"
)
_FIRST_DELAY: Final = 0.05  # seconds
_LONGEST_DELAY: Final = 0.5


class Pool:
    """The connections of one event loop, each in use by one task at a time.

    It has no task of its own: whoever needs a connection makes it, or waits until another is done with one.

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
        self._waiting: deque[asyncio.Future[None]] = deque()
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
            if is_lost(error):
                await self.renew()
            raise
        finally:
            await self._give(connection)

    async def _take(self) -> Connection:
        loop = asyncio.get_running_loop()
        deadline, delay = loop.time() + self._patience, _FIRST_DELAY
        until = deadline
        while True:
            if self._is_closed:
                raise StorageMisuseError("The storage is closed.")
            if self._free:
                return self._free.pop()
            if len(self._all) + self._making < self._size:
                try:
                    return await self._make()
                except psycopg.OperationalError as error:
                    # It is being started, or is full. What it refuses for good, it refuses at once.
                    if is_refused(error) or loop.time() + delay >= deadline:
                        raise
                until = loop.time() + delay
                delay = min(2 * delay, _LONGEST_DELAY)
            if not await self._wait(until) and loop.time() >= deadline:
                raise StorageBusyError(retry_after=1.0, detail="no connection was free in time")

    async def _wait(self, until: float) -> bool:
        """Wait for a connection; tell whether there may be one, or it is late."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout_at(until):
                await self._wait_for(waiter)
        except TimeoutError:
            return False
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
        return True

    async def _wait_for(self, waiter: asyncio.Future[None]) -> None:
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # it was for this one, who takes nothing any more
            raise

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def _make(self) -> Connection:
        self._making += 1
        try:
            async with asyncio.timeout(self._to_connect):
                connection = await self._connect()
            self._all.add(connection)
        except BaseException as error:
            self._wake()  # another may try
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
            self._free.append(connection)
        else:
            self._all.discard(connection)
            await connection.close()
        self._wake()

    async def renew(self) -> None:
        """Use none of these connections again: the server was restarted, say, and there they are gone."""
        free, self._free = self._free, []
        self._all.clear()
        for connection in free:
            await connection.close()
        self._wake()

    async def close(self) -> None:
        """Close all connections: those that are in use, when they are done with."""
        self._is_closed = True
        await self.renew()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def abandon(self) -> None:
        """Close all connections when their event loop is gone, and nothing can be waited for."""
        self._is_closed = True
        for connection in self._all:
            connection.pgconn.finish()
        self._all.clear()
        self._free.clear()

    def facts(self) -> dict[str, float]:
        """Return figures for whoever watches over it."""
        return {
            "pool_size": len(self._all),
            "pool_in_use": len(self._all) - len(self._free),
            "pool_waiting": len(self._waiting),
            "round_trips": self.round_trips,
        }


def _is_at_rest(connection: Connection) -> bool:
    """Tell whether a connection is as it was when it was made.

    A pipeline that was cancelled can stay open: what is asked next would be kept back, never sent, and not fail.
    """
    is_idle = connection.info.transaction_status == pq.TransactionStatus.IDLE
    return is_idle and connection.pgconn.pipeline_status == pq.PipelineStatus.OFF
