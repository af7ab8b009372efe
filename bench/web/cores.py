"""Which processor does what: the server alone on one, everything else on another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SEPARATE = len(_ALL) > 1
"""Whether there are two, and the system lets a process be kept on one."""


def give_to_server(pid: int) -> None:
    """Keep a process on the server's core."""
    if SEPARATE:
        os.sched_setaffinity(pid, {_ALL[0]})


@contextmanager
def load_core() -> Iterator[None]:
    """Keep this process, and what it starts, off the server's core."""
    if not SEPARATE:
        yield
        return
    os.sched_setaffinity(0, {_ALL[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(_ALL))
