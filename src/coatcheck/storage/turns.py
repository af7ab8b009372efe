"""One writer at a time, among the tasks of an event loop."""

from __future__ import annotations

import asyncio

from .errors import StorageMisuseError

__all__ = ["Turns"]


class Turns:
    """Lets tasks in one after the other, in the order in which they came.

    Unlike an ``asyncio.Lock`` it may be made outside of a loop and then serve several loops, one after the other;
    and a task that would wait for itself is told so.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._holder = 0  # the task's id: the task itself would stay in memory with all that it refers to

    async def take(self) -> asyncio.Lock:
        """Wait for the turn, and return what has to be released at its end.

        Raises:
            StorageMisuseError: If the task has the turn already, or another loop that still runs uses the storage.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._serve(loop)
        task = id(asyncio.current_task(loop))
        lock = self._lock
        if lock.locked() and task == self._holder:
            raise StorageMisuseError(
                "A transaction is open in this task: inside of it, use the records that it gave."
            )
        await lock.acquire()
        self._holder = task
        return lock

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None and self._loop.is_running():
            raise StorageMisuseError("The storage is in use by another event loop. Open one for each.")
        self._loop = loop
        self._lock = asyncio.Lock()  # whoever held or awaited the old one went with its loop
