"""Being told that the process is to stop, before the server that runs it waits for the last answer to be finished.

uvicorn and its like stop listening, wait for open answers, and only then end the lifespan. A stream that ends with the
lifespan would keep them waiting for ever.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["told_of_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def told_of_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Have something called in the event loop when the process is told to stop, besides what is done about it anyway.

    Only where that is done by a function of Python's: a process that a signal ends at once needs no more. Outside of
    the main thread, which has the signals, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    added = {number: _with(stop, then, loop) for number, then in before.items() if callable(then)}
    for number, handler in added.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in added.items():
            if signal.getsignal(number) is handler:  # else it is somebody else's by now
                signal.signal(number, before[number])


def _with(
    stop: Callable[[], None], then: Callable[[int, FrameType | None], object], loop: asyncio.AbstractEventLoop
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop)
        then(number, frame)

    return handle
