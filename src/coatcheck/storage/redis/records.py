"""The database's records with the limits of Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from ...flows.ports import Records
from ..errors import StorageMisuseError
from .limits import Changes, Limits
from .server import AwayError

__all__ = ["CommittedRecords", "Layer", "TransactionRecords"]

Result = TypeVar("Result")


class Layer(Protocol):
    """What the records ask of the storage that they belong to."""

    async def limits_or(
        self, ask: Callable[[Limits], Awaitable[Result]], otherwise: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Ask Redis, or the database if it is away."""
        ...

    def check_free(self) -> None:
        """Refuse what would be a write beside the transaction that the running task has open."""
        ...


class CommittedRecords:
    """What is committed. Everything but limits is the database's; satisfies ``flows.ports.Records`` so."""

    def __init__(self, records: Records, layer: Layer) -> None:
        self._records = records
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        # Once for each method: what is found stands in the object then.
        found = self.__dict__[name] = getattr(self._records, name)
        return found

    async def read_throttles(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one."""
        return await self._layer.limits_or(
            lambda limits: limits.read(keys), lambda: self._records.read_throttles(keys)
        )

    async def write_throttles(self, times: dict[str, float]) -> None:
        """Set the times of keys."""
        await self._set(times, lambda: self._records.write_throttles(times))

    async def delete_throttles(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        await self._set(dict.fromkeys(keys), lambda: self._records.delete_throttles(keys))

    async def _set(self, changes: Changes, otherwise: Callable[[], Awaitable[None]]) -> None:
        self._layer.check_free()

        async def apply(limits: Limits) -> None:
            if changes:
                await limits.apply(changes)

        await self._layer.limits_or(apply, otherwise)

    async def delete_expired_throttles(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed, also those that were counted while Redis was away."""
        self._layer.check_free()

        async def nothing() -> int:
            return 0

        count = await self._layer.limits_or(lambda limits: limits.delete_expired(now, limit=limit), nothing)
        return count + await self._records.delete_expired_throttles(now, limit=limit - count)


class TransactionRecords:
    """The records of a transaction of the database. Changes of limits are kept until just before it commits.

    Were they made afterwards, the next transaction of the same user could begin before they are.
    """

    def __init__(self, records: Records, limits: Limits) -> None:
        self._records = records
        self._limits = limits
        self._changes: dict[str, float | None] = {}
        self._before: Changes = {}
        self._is_without = False  # Redis was away when it was needed, so all is done in the database
        self._has_ended = False

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = getattr(self._records, name)
        return found

    async def read_throttles(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one, as this transaction has left them."""
        times: dict[str, float] = {}
        if await self._has_redis():
            try:
                times = await self._limits.read([key for key in keys if key not in self._changes])
            except AwayError:
                await self._do_without()
        if self._is_without:
            return await self._records.read_throttles(keys)
        return times | {key: time for key in keys if (time := self._changes.get(key)) is not None}

    async def write_throttles(self, times: dict[str, float]) -> None:
        """Set the times of keys."""
        if await self._has_redis():
            self._changes |= times
        else:
            await self._records.write_throttles(times)

    async def delete_throttles(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        if await self._has_redis():
            self._changes |= dict.fromkeys(keys)
        else:
            await self._records.delete_throttles(keys)

    async def delete_expired_throttles(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed, also those that were counted while Redis was away."""
        expired: list[str] = []
        if await self._has_redis():
            try:
                expired = await self._list_expired(now, limit=limit)
            except AwayError:
                await self._do_without()
            else:
                self._changes |= dict.fromkeys(expired)
        return len(expired) + await self._records.delete_expired_throttles(now, limit=limit - len(expired))

    async def _list_expired(self, now: float, *, limit: int) -> list[str]:
        found = await self._limits.list_expired(now, limit=limit + len(self._changes))
        own = [(key, time) for key, time in self._changes.items() if time is not None and time <= now]
        found = [each for each in found if each[0] not in self._changes] + own
        return [key for key, _ in sorted(found, key=lambda each: each[1])][:limit]

    async def settle(self) -> None:
        """Make the changes, because the transaction is about to commit."""
        self._has_ended = True
        if not self._changes:
            return
        try:
            self._before = await self._limits.apply(self._changes)
        except AwayError:
            await self._do_without()

    async def take_back(self) -> None:
        """Undo the changes, because the transaction has not committed after all."""
        self._has_ended = True
        if self._before:
            with suppress(AwayError):
                await self._limits.take_back(self._changes, self._before)

    async def _has_redis(self) -> bool:
        if self._has_ended:
            raise StorageMisuseError("The transaction has ended.")
        return not self._is_without

    async def _do_without(self) -> None:
        self._is_without = True
        changes, self._changes = self._changes, {}
        written = {key: time for key, time in changes.items() if time is not None}
        if written:
            await self._records.write_throttles(written)
        if len(written) < len(changes):
            await self._records.delete_throttles([key for key, time in changes.items() if time is None])
