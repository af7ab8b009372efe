"""The storage: two connections to one file, one of which only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from ..._core.clock import monotonic_clock
from ..sql import SQLRecords
from .access import CommittedAccess, TransactionAccess
from .connection import Connection, failure_of
from .opening import Synchronous, open_connections
from .writing import Writer, WriteTransaction

__all__ = ["SQLiteStorage"]


class SQLiteStorage:
    """Records in an SQLite file. Satisfies ``flows.ports.Storage``.

    It may be made before there is an event loop, and used from several, one after the other. Several processes may
    use the same file on one machine; a file on a network drive is not safe (SQLite, "Write-Ahead Logging").

    Args:
        path: The file. It is made, readable by its owner alone, if it is not there; its directory must be.
        synchronous: ``normal``: what was committed survives the death of the process, and what was committed last may
            be lost if the machine loses its power. ``full``: survives that too, and each commit waits for the disk.
        busy_timeout: How long a transaction waits for another process that writes.
        notice: How long after a commit of another process ``version`` may still tell the number of before. The commits
            of this object it tells at once.

    Raises:
        StorageOpenError: If the file cannot be used, one subclass per reason. It was left as it was.
        StorageBusyError: If another process kept the file locked.
        DamagedDatabaseError: If the file is corrupt.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "normal",
        busy_timeout: timedelta = timedelta(seconds=5),
        notice: timedelta = timedelta(milliseconds=1),
    ) -> None:
        reader, writer = open_connections(Path(path), synchronous=synchronous)
        self._reader = Connection(reader)
        self._writer = Writer(Connection(writer), busy_timeout=busy_timeout.total_seconds())
        self._records = SQLRecords(CommittedAccess(reader=self._reader, writer=self._writer))
        self._ask = reader.cursor().execute  # a cursor of its own: it is asked at nearly every request
        self._notice = notice.total_seconds()
        self._ask_at = 0.0
        self._commits = -1
        self._version = 0

    @property
    def records(self) -> SQLRecords:
        """The committed records. A write through them is a transaction of its own."""
        return self._records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[SQLRecords]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing.

        A file has one writer, so it is alone whatever it is ``of``.

        Entering raises ``StorageBusyError`` if another process writes for too long, and ``StorageMisuseError`` inside
        of another transaction of the same task.
        """
        del of
        return _Transaction(self._writer)

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        """Read the times of limits, decide, and write what was decided, in one transaction."""
        async with self.transaction() as records:
            await records.write_throttles(dict(decide(await records.read_throttles(keys))))

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called after each commit of this object. For those of others, ask ``version``."""
        self._writer.watch(waker)

    def version(self) -> int:
        """Return a number that differs from an earlier one if anything may have been committed since, by anybody."""
        now = monotonic_clock()
        if now < self._ask_at and self._commits == self._writer.commits:
            return self._version
        self._ask_at = now + self._notice
        self._commits = self._writer.commits
        # It counts the commits of all connections but the one that is asked, and that one only reads.
        try:
            self._version = self._ask("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise failure_of(error) from error
        return self._version

    async def close(self) -> None:
        """Close the storage, after the transaction that is open. Harmless if it is closed already."""
        await self._writer.close()
        self._reader.close()


class _Transaction:
    """A transaction as its user sees it: records that live as long as the block."""

    __slots__ = ("_access", "_block")

    def __init__(self, writer: Writer) -> None:
        self._block = WriteTransaction(writer)

    async def __aenter__(self) -> SQLRecords:
        self._access = TransactionAccess(await self._block.__aenter__())
        return SQLRecords(self._access)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._access.end()
        await self._block.__aexit__(kind, error, traceback)
