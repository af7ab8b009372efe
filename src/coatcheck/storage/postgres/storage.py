"""The storage: a pool of connections for the statements, and one that listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType

import psycopg
from psycopg.pq import TransactionStatus

from ..errors import StorageMisuseError
from ..sql import SQLRecords
from .access import CommittedAccess, TransactionAccess
from .connections import Connection, Pool
from .failures import failure_of, is_lost, loses_all, our_failures
from .listening import Listener
from .locks import begin
from .opening import prepare

__all__ = ["PostgresStorage"]


class PostgresStorage:
    """Records in a PostgreSQL database, shared by any number of nodes. Satisfies ``flows.ports.Storage``.

    It may be made before there is an event loop, and used from several, one after the other.

    Args:
        url: Where it is: ``postgresql://user:password@host:port/name``, or libpq's ``key=value`` form. What else libpq
            knows may stand behind a question mark (``sslmode``, ``options`` …).
        pool: How many connections this process may have, beside the one that listens.
        patience: How long a statement waits for a connection, and for a lock. When the server is not heard any more,
            whoever still waits for its answer is told after that time that it is lost.
        poll: How long it takes until a commit is noticed whose message was lost. Four times as long after it has last
            heard from the server, a process believes no more that it knows what was committed.

    Raises:
        StorageOpenError: If the database cannot be used, one subclass per reason. It was left as it was.
        StorageBusyError: If another node kept it locked, or the server cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: int = 10,
        patience: timedelta = timedelta(seconds=5),
        poll: timedelta = timedelta(milliseconds=500),
    ) -> None:
        self._address = prepare(url)
        self._size = pool
        self._patience = patience.total_seconds()
        self._poll = poll.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: Pool | None = None
        self._listener: Listener | None = None
        self._listening: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._is_closed = False
        self._version = 0
        self._wakers: list[Callable[[], None]] = []
        self._holders: set[int] = set()  # the tasks that have a transaction open, by their ids
        self._records = SQLRecords(CommittedAccess(self))

    @property
    def records(self) -> SQLRecords:
        """The committed records. A write through them is a transaction of its own."""
        return self._records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[SQLRecords]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing.

        Entering raises ``StorageBusyError`` if it does not get its turn in time, and ``StorageMisuseError`` inside of
        another transaction of the same task.

        Args:
            of: Whose it is; of nobody for one that is alone. See ``flows.ports.Storage``.
        """
        return _Transaction(self, of)

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        """Read the times of limits, decide, and write what was decided, in one transaction of those limits."""
        async with self.transaction(*keys) as records:
            await records.write_throttles(dict(decide(await records.read_throttles(keys))))

    def version(self) -> int:
        """Return a number that differs from an earlier one if something may have been committed since, by anybody.

        A process that has not heard from the server lately cannot know, and gets another number each time.
        """
        if self._is_closed:
            raise StorageMisuseError("The storage is closed.")
        if self._listener is None or not self._listener.is_current():
            self._version += 1
        return self._version

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called after each commit that ``version`` tells of, of this node or another."""
        self._wakers.append(waker)

    def facts(self) -> dict[str, float]:
        """Return figures for whoever watches over it: connections, round trips, whether the server is heard."""
        pool = {} if self._pool is None else self._pool.facts()
        listener = self._listener
        if listener is None:
            return {**pool, "is_current": 0.0}
        return {**pool, "is_current": float(listener.is_current()), "clock_skew": listener.clock_skew}

    async def close(self) -> None:
        """Close the storage. Harmless if it is closed already."""
        self._is_closed = True
        if self._loop is not asyncio.get_running_loop():
            self._abandon()
            return
        await self._stop()

    # --- for the accesses --------------------------------------------------------------------------------------

    async def pool(self, *, writes: bool) -> Pool:
        """Return the pool of the running event loop.

        Raises:
            StorageMisuseError: If the storage is closed or in use by another loop, or this would be a write beside the
                transaction that the task has open.
        """
        if writes and self.holds():
            raise StorageMisuseError(
                "A transaction is open in this task: inside of it, use the records that it gave."
            )
        if self._is_closed:
            raise StorageMisuseError("The storage is closed.")
        loop = asyncio.get_running_loop()
        if self._pool is None or loop is not self._loop:
            return await self._serve(loop)
        return self._pool

    def committed(self) -> None:
        """Note that something was committed which every node is told of."""
        self._version += 1
        for waker in self._wakers:
            waker()

    def holds(self) -> bool:
        """Tell whether the running task has a transaction open."""
        return bool(self._holders) and id(asyncio.current_task()) in self._holders

    def hold(self, task: int, *, is_held: bool) -> None:
        """Note that a task has a transaction open, or has it no more."""
        (self._holders.add if is_held else self._holders.discard)(task)

    # --- its connections, which belong to one event loop ------------------------------------------------------

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> Pool:
        if self._loop is not None and self._loop is not loop and self._loop.is_running():
            raise StorageMisuseError("The storage is in use by another event loop. Open one for each.")
        self._abandon()
        self._loop = loop
        pool = self._pool = Pool(self._address, size=self._size, patience=self._patience)
        self._listener = Listener(self._address, moved=self.committed, lost=self._lost, poll=self._poll)
        self._listening = loop.create_task(self._listener.run(), name="coatcheck storage")
        # Whoever is the first to read knows from then on what was committed. A server that is down tells them itself.
        await self._listener.has_looked(within=self._patience)
        return pool

    def _lost(self) -> None:
        if self._pool is not None and self._loop is not None:
            self._renewing = self._loop.create_task(self._pool.renew(), name="coatcheck storage renews")

    async def _stop(self) -> None:
        pool, self._pool = self._pool, None
        tasks = [task for task in (self._listening, self._renewing) if task is not None]
        if self._listener is not None:
            self._listener.release()
        self._listening = self._renewing = self._listener = None
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled() and (error := task.exception()) is not None:
                    raise error
        finally:
            if pool is not None:
                await pool.close()

    def _abandon(self) -> None:
        if self._pool is not None:
            self._pool.abandon()
        if self._listener is not None:
            self._listener.abandon()
        self._pool = self._listener = self._listening = self._renewing = None
        self._holders.clear()


class _Transaction:
    """A transaction as its user sees it: records that live as long as the block."""

    __slots__ = ("_access", "_block", "_connection", "_of", "_pool", "_storage", "_task")

    _connection: Connection

    def __init__(self, storage: PostgresStorage, of: Sequence[str]) -> None:
        self._storage = storage
        self._of = of

    async def __aenter__(self) -> SQLRecords:
        pool = await self._storage.pool(writes=True)
        self._task = id(asyncio.current_task())
        try:
            await self._begin(pool)
        except psycopg.Error as error:
            if not is_lost(error):
                raise failure_of(error) from error
            with our_failures():  # nothing was done yet, so it can be begun again
                await self._begin(pool)
        self._pool = pool
        self._access = TransactionAccess(self._connection, pool)
        self._storage.hold(self._task, is_held=True)
        return SQLRecords(self._access)

    async def _begin(self, pool: Pool) -> None:
        block = pool.connection()
        connection = await block.__aenter__()
        pool.round_trips += 1
        try:
            await connection.execute(begin(self._of).encode(), prepare=False)
        except BaseException as error:
            await _undo(connection)
            await block.__aexit__(type(error), error, error.__traceback__)
            raise
        self._block, self._connection = block, connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._access.end()
        self._storage.hold(self._task, is_held=False)
        try:
            if error is not None and loses_all(error.__cause__):
                await self._pool.renew()  # as after any other statement that met a server of no use
            if kind is None:
                await self._commit()
            else:
                await _undo(self._connection)
        finally:
            await self._block.__aexit__(None, None, None)

    async def _commit(self) -> None:
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            # The server would roll back, and say so in a whisper.
            await _undo(self._connection)
            raise StorageMisuseError("A change of the transaction was refused: leave its block.")
        try:
            with our_failures():
                await self._connection.execute(b"COMMIT", prepare=False)
        except BaseException:
            await _undo(self._connection)
            raise
        if self._access.tells:
            self._storage.committed()


async def _undo(connection: Connection) -> None:
    """Roll back what is open. Where that fails, the connection is closed, and the server rolls back by itself."""
    try:
        await connection.rollback()
    except psycopg.Error:
        await connection.close()
