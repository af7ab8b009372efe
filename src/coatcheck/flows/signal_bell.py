"""Waiting until something may have been committed, by this process or another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from ..errors import CoatcheckError
from .ports import Storage

__all__ = ["Bell"]


class Bell:
    """Wakes those who wait when the storage has moved: at once if this process rang, else within ``interval``.

    However many wait, one task watches for all of them, and none if nobody waits.

    Attributes:
        is_closed: Whether nobody waits any more.
    """

    def __init__(self, storage: Storage, *, interval: timedelta) -> None:
        """Take what is watched, and how often to look for what other processes have committed."""
        self._storage = storage
        self._interval = interval.total_seconds()
        self._waiting: set[asyncio.Future[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._rung: asyncio.Event | None = None
        self._has_rung = False
        self.is_closed: bool = False
        storage.watch(self._moved)

    def ring(self) -> None:
        """Note that the transaction that is open will have changed something. It need not have been committed yet."""
        self._has_rung = True

    def _moved(self) -> None:
        # Called at every commit, most of which are nothing to those who wait.
        if self._has_rung and self._rung is not None:
            self._rung.set()

    def wake_all(self) -> None:
        """Wake all who wait, whether anything was committed or not."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Let nobody wait any more."""
        self.is_closed = True
        self.wake_all()

    async def wait(self, seen: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - it says whether it was in time
        """Wait until the storage has another version than ``seen``. ``False`` if it has not in so many seconds.

        If it is closed, that is so at once. Take the version before you look, and look again afterwards: nothing can
        slip in between.
        """
        if self.is_closed:
            return False
        if self._storage.version() != seen:
            return True
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.add(future)
        if self._watch is None or self._watch.done() or self._watch.get_loop() is not loop:
            self._rung = asyncio.Event()
            self._watch = loop.create_task(self._follow(self._rung, seen), name="coatcheck signals watch")
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    async def _follow(self, rung: asyncio.Event, seen: int) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await rung.wait()
            # A storage that is busy, or closed: whoever waits finds out by themselves.
            with suppress(CoatcheckError):
                rung.clear()
                if (version := self._storage.version()) != seen:
                    seen, self._has_rung = version, False
                    self.wake_all()
