"""The storage: one committed state, and a copy of it for whoever writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TypeVar

from ..errors import StorageMisuseError
from ..turns import Turns
from .accounts import LinkTable, ThrottleTable, UserTable
from .authorizations import AuthorizationTable
from .clients import ClientTable
from .families import FamilyTable
from .grants import GrantTable
from .ledger import LedgerTable
from .logout_notices import LogoutNoticeTable
from .permissions import PermissionTable
from .profiles import ProfileTable
from .server import KeyTable, MailTable, ServiceTable
from .sessions import RefreshTokenTable, SessionTable
from .signals import SignalTable
from .state import State
from .statuses import StatusTable

__all__ = ["MemoryRecords", "MemoryStorage"]

Result = TypeVar("Result")


class MemoryRecords(
    UserTable,
    LinkTable,
    ThrottleTable,
    SessionTable,
    RefreshTokenTable,
    FamilyTable,
    MailTable,
    KeyTable,
    LedgerTable,
    ServiceTable,
    StatusTable,
    SignalTable,
    ClientTable,
    PermissionTable,
    AuthorizationTable,
    GrantTable,
    LogoutNoticeTable,
    ProfileTable,
):
    """Satisfies ``flows.ports.Records``."""


class MemoryStorage:
    """Records in memory, for tests: simple, not fast. Satisfies ``flows.ports.Storage``.

    It may be made before there is an event loop, and used from several, one after the other.
    """

    def __init__(self) -> None:
        self._committed = _Committed()
        self._records = MemoryRecords(self._committed)

    @property
    def records(self) -> MemoryRecords:
        """The committed records. A write through them is a transaction of its own."""
        return self._records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[MemoryRecords]:
        """Begin a transaction: all of it happens, or, if the block raises, nothing. It is alone, whatever it is ``of``.

        Entering raises ``StorageMisuseError`` inside of another transaction of the same task.
        """
        del of
        return _Transaction(self._committed)

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        """Read the times of limits, decide, and write what was decided, in one transaction."""
        async with self.transaction() as records:
            await records.write_throttles(dict(decide(await records.read_throttles(keys))))

    def watch(self, waker: Callable[[], None]) -> None:
        """Have something called after each commit."""
        self._committed.wakers.append(waker)

    def version(self) -> int:
        """Return a number that differs from an earlier one if anything may have been committed since."""
        self._committed.require_open()
        return self._committed.version

    async def close(self) -> None:
        """Close the storage, after the transaction that is open. Harmless if it is closed already."""
        turn = await self._committed.turns.take()
        self._committed.is_closed = True
        turn.release()


class _Committed:
    """What is committed. Satisfies ``Source``."""

    def __init__(self) -> None:
        self._state = State()
        self.turns = Turns()
        self.version = 0
        self.is_closed = False
        self.wakers: list[Callable[[], None]] = []

    def require_open(self) -> None:
        if self.is_closed:
            raise StorageMisuseError("The storage is closed.")

    @property
    def state(self) -> State:
        self.require_open()
        return self._state

    def commit(self, state: State) -> None:
        self._state = state
        self.version += 1
        for waker in self.wakers:
            waker()

    async def write(self, change: Callable[[State], Result]) -> Result:
        turn = await self.turns.take()
        try:
            state = self.state.copy()
            result = change(state)
            self.commit(state)
        finally:
            turn.release()
        return result


class _Open:
    """What one transaction sees, until it ends. Satisfies ``Source``."""

    def __init__(self, state: State) -> None:
        self._state: State | None = state

    def end(self) -> State:
        state, self._state = self.state, None
        return state

    @property
    def state(self) -> State:
        if self._state is None:
            raise StorageMisuseError("The transaction has ended.")
        return self._state

    async def write(self, change: Callable[[State], Result]) -> Result:
        # A change decides before it changes anything, so one that raises has done nothing.
        return change(self.state)


class _Transaction:
    __slots__ = ("_committed", "_open", "_turn")

    _turn: asyncio.Lock

    def __init__(self, committed: _Committed) -> None:
        self._committed = committed

    async def __aenter__(self) -> MemoryRecords:
        self._turn = await self._committed.turns.take()
        try:
            self._open = _Open(self._committed.state.copy())
        except BaseException:
            self._turn.release()
            raise
        return MemoryRecords(self._open)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        state = self._open.end()
        if kind is None:
            self._committed.commit(state)
        self._turn.release()
