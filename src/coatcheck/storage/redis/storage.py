"""The storage: a database, and Redis before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Final, TypeVar, cast

from ..._core.clock import Clock, monotonic_clock
from ...flows.ports import Records, Storage
from ..errors import StorageMisuseError
from .following import Stream
from .limits import Decision, Limits
from .records import CommittedRecords, TransactionRecords
from .server import AwayError, Server

__all__ = ["RedisStorage"]

Result = TypeVar("Result")
_ASKED_AGAIN: Final = 1.0  # seconds


class RedisStorage:
    """A database that Redis or Valkey (6.2 and newer) takes load off. Satisfies ``flows.ports.Storage``.

    Limits on attempts are counted in Redis, and commits are told to other nodes by a stream. All other records are the
    database's. While Redis is away, limits are counted in the database: there is no moment without any.

    It may be made before there is an event loop, and used from several, one after the other. Redis need not be there.

    Args:
        database: Where the records are. It is closed with this.
        url: Where Redis is: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path``.
        patience: How long to wait for a connection, and for an answer.
        pause: After a failure, how long Redis is not asked again.
        connections: How many this process may have, beside the one that listens.
        prefix: What the names of all keys begin with. All nodes have the same, and nobody else.
        ticks: A clock that only goes on.

    Raises:
        StorageOpenError: If the address cannot be used. The database is left open.
    """

    def __init__(
        self,
        database: Storage,
        url: str,
        *,
        patience: timedelta = timedelta(milliseconds=250),
        pause: timedelta = timedelta(seconds=1),
        connections: int = 16,
        prefix: str = "coatcheck",
        ticks: Clock = monotonic_clock,
    ) -> None:
        self._database = database
        self._server = Server(
            url,
            patience=patience.total_seconds(),
            pause=pause.total_seconds(),
            most=connections,
            prefix=prefix,
            ticks=ticks,
        )
        self._limits = Limits(self._server)
        self._stream = Stream(self._server, heard=self._hear)
        self._wakers: list[Callable[[], None]] = []
        self._holders: set[int] = set()  # the tasks that have a transaction open, by their ids
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._is_closed = False
        self._heard = 0
        self._was_told = False
        database.watch(self._note)
        self._fallbacks = 0
        # It has all methods, and most of them are not written out.
        self._records = cast("Records", CommittedRecords(database.records, self))

    @property
    def records(self) -> Records:
        """The committed records. A write through them is a transaction of its own."""
        with suppress(RuntimeError):  # before there is an event loop, it is enough to have them
            self._tend()
        return self._records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[Records]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing.

        Changes of limits are made just before the database commits. If it does not commit after all, they are undone as
        far as nobody has counted on; if this process dies in between, they stay.

        Args:
            of: Whose it is. See ``flows.ports.Storage``.
        """
        return self._transaction(of)

    async def change_throttles(self, keys: Sequence[str], decide: Decision) -> None:
        """Read the times of limits, decide, and write what was decided, in one step that nothing comes between.

        Raises:
            StorageBusyError: If others changed the same limits all the time.
        """
        self.check_free()
        await self.limits_or(
            lambda limits: limits.change(keys, decide), lambda: self._database.change_throttles(keys, decide)
        )

    def version(self) -> int:
        """Return a number that differs from an earlier one if something may have been committed since, by anybody."""
        return self._database.version() + self._heard

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called after each commit that ``version`` tells of, of this node or another."""
        self._wakers.append(waker)
        self._database.watch(waker)

    def facts(self) -> Mapping[str, float]:
        """Return figures for whoever watches over it: those of the database, and of Redis."""
        tells: Callable[[], Mapping[str, float]] | None = getattr(self._database, "facts", None)
        return {
            **({} if tells is None else tells()),
            "redis_is_up": float(self._server.is_up is True),
            "redis_round_trips": float(self._server.round_trips),
            "redis_errors": float(self._server.errors),
            "redis_fallbacks": float(self._fallbacks),
            "redis_told": float(self._stream.told),
            "redis_heard": float(self._stream.heard_of),
        }

    async def close(self) -> None:
        """Close the storage and its database. Harmless if it is closed already."""
        self._is_closed = True
        self._server.disconnect()
        serving, self._serving = self._serving, None
        try:
            if serving is not None and self._loop is asyncio.get_running_loop():
                while not serving.done():  # the driver may have caught it
                    serving.cancel()
                    await asyncio.wait({serving}, timeout=_ASKED_AGAIN)
        finally:
            await self._database.close()

    # --- for the records and transactions ----------------------------------------------------------------------

    async def limits_or(
        self, ask: Callable[[Limits], Awaitable[Result]], otherwise: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Ask Redis, or the database if it is away."""
        self._tend()
        try:
            return await ask(self._limits)
        except AwayError:
            self._fallbacks += 1
        return await otherwise()

    def check_free(self) -> None:
        """Refuse what would be a write beside the transaction that the running task has open."""
        if self._holders and id(asyncio.current_task()) in self._holders:
            raise StorageMisuseError(
                "A transaction is open in this task: inside of it, use the records that it gave."
            )

    @asynccontextmanager
    async def _transaction(self, of: Sequence[str]) -> AsyncIterator[Records]:
        limits: TransactionRecords | None = None
        try:
            async with self._database.transaction(*of) as records:
                self._tend()
                limits = TransactionRecords(records, self._limits)
                with self._holding():
                    yield cast("Records", limits)
                await limits.settle()
                version = self._database.version()
        except BaseException:
            if limits is not None:
                await limits.take_back()
            raise
        if self._database.version() != version:
            self._stream.tell()

    @contextmanager
    def _holding(self) -> Iterator[None]:
        task = id(asyncio.current_task())
        self._holders.add(task)
        try:
            yield
        finally:
            self._holders.discard(task)

    def _note(self) -> None:
        self._was_told = True

    def _hear(self) -> None:
        # A database that tells of others' commits itself is the quicker one, and nobody is to look twice. Had it told
        # of something else, it costs the time until the next look.
        was_told, self._was_told = self._was_told, False
        if was_told:
            return
        self._heard += 1
        for waker in self._wakers:
            waker()

    def _tend(self) -> None:
        """Have connections in the running event loop. They are closed when it ends, or with the storage."""
        loop = asyncio.get_running_loop()
        if loop is self._loop or self._is_closed:
            return
        self._loop = loop
        self._holders.clear()
        self._serving = loop.create_task(self._stream.serve(self._server.connect()), name="coatcheck redis")
