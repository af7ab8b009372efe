"""Records kept in memory for as long as nothing is committed: as exact as reading them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..ports import Storage

__all__ = ["ExactCache"]

Value = TypeVar("Value")

_MOST = 10_000


class ExactCache:
    """What was read from one storage, by key. All of it is forgotten when anything is committed, by anybody.

    A token endpoint that writes nothing, for machines say, reads its records once. One that writes with every token
    reads them every time, which costs no more than a lookup.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._storage: Storage | None = None
        self._version = -1

    async def get(
        self, storage: Storage, key: Hashable, load: Callable[[], Awaitable[Value | None]]
    ) -> Value | None:
        """Return what belongs to a key, which ``load`` reads. That there is nothing is not kept.

        Args:
            storage: Where it is read from.
            key: Its name, the same for the same ``load`` only.
            load: Reads it.
        """
        version = storage.version()
        if version != self._version or storage is not self._storage:
            self._kept.clear()
            self._storage, self._version = storage, version
        kept: Value | None = self._kept.get(key)  # what this key's own load returned
        if kept is not None:
            return kept
        found = await load()
        # Read at this version or a later one. If it is a later one, the next look finds out and reads again.
        if found is not None and self._version == version and self._storage is storage:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = found
        return found
