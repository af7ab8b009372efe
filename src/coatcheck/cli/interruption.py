"""Ctrl-C while a library works that does not look for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ends_at_once"]


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
