"""Ctrl-C while a library works that does not look for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ends_at_once", "leave_nothing_behind"]


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process itself: Python would notice it only when the work is done."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # somebody ignores it, or handles it in another way
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def leave_nothing_behind() -> None:
    """End on a closed terminal, or when told to, as on Ctrl-C: with everything that was started and written."""

    def leave(_: int, frame: FrameType | None) -> None:
        on_interrupt = signal.getsignal(signal.SIGINT)
        if callable(on_interrupt):  # asyncio has one of its own, which lets everything be tidied up
            on_interrupt(signal.SIGINT, frame)
        else:
            raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
