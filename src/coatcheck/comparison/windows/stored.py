"""Designs in which every request asks a store: a session that is looked up, a token that is looked for in a list.

Who asks is a thread with a connection of its own; the order goes over another connection.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from time import perf_counter
from typing import Final

import msgspec

from ..._core.secrets import digest, new_identifier, new_token
from ..model import Event
from ..stores.base import Line, Store, look_up, record_of
from .lifetimes import Tickets

__all__ = ["Case", "denylisted", "looked_up", "measure"]

_BETWEEN: Final = 0.0005
_ROLE: Final = "customer"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One credential, how it is checked over a connection, and how it ends over another."""

    accepted: Callable[[Line], bool]
    order: Callable[[Line], None]


class _Watch:
    """What the thread is to do next, and what it found."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.seen = threading.Event()
        self.refused: Future[float] = Future()


async def measure(store: Store, make: Callable[[Line], Case], *, rounds: int) -> list[float]:
    """Return the seconds from the order to the first refusal, for so many credentials, one after the other.

    Args:
        store: Which is asked.
        make: Puts a credential there, and tells how it is checked.
        rounds: How many.

    Raises:
        StoreError: If a connection cannot be opened.
    """
    line = store.connect()
    to_do: SimpleQueue[_Watch | None] = SimpleQueue()
    gone = threading.Event()
    # Not one of asyncio's: those hold up the end of the process if they are waited for and do not end.
    thread = threading.Thread(
        target=_watch, args=(store, to_do, gone), name="coatcheck comparison", daemon=True
    )
    thread.start()
    try:
        found = []
        for _ in range(rounds):
            watch = _Watch(make(line))
            to_do.put(watch)
            while not watch.seen.is_set() and not watch.refused.done():  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.001)
            ordered = perf_counter()
            watch.case.order(line)
            found.append(await asyncio.wrap_future(watch.refused) - ordered)
        return found
    finally:
        gone.set()
        to_do.put(None)
        thread.join()
        line.close()


def _watch(store: Store, to_do: SimpleQueue[_Watch | None], gone: threading.Event) -> None:
    line: Line | None = None
    try:
        while (watch := to_do.get()) is not None:
            watch.refused.set_running_or_notify_cancel()  # whoever waits may go; what is found then is told to nobody
            try:
                line = line or store.connect()
                while watch.case.accepted(line) and not gone.is_set():
                    watch.seen.set()
                    time.sleep(_BETWEEN)
                watch.refused.set_result(perf_counter())
            except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits is told
                watch.refused.set_exception(error)
    finally:
        if line is not None:
            line.close()


def looked_up(event: Event) -> Callable[[Line], Case]:
    """Return what makes sessions that are looked up with each request."""

    def make(line: Line) -> Case:
        secret = new_token()
        key = digest(secret)
        line.put(key, record_of(roles=(_ROLE,)))

        def accepted(line: Line) -> bool:
            record = look_up(line, secret)
            return record is not None and _ROLE in record.roles

        def order(line: Line) -> None:
            if event == "revoked":
                line.remove(key)
            else:
                line.put(key, record_of(roles=()))

        return Case(accepted=accepted, order=order)

    return make


def denylisted(tickets: Tickets) -> Callable[[Line], Case]:
    """Return what makes tokens that are verified, and then looked for in a list of those that were revoked.

    Args:
        tickets: Makes them; they outlive the measurement.
    """

    def make(_: Line) -> Case:
        token = tickets.issue()
        key = digest(new_identifier())

        def accepted(line: Line) -> bool:
            return tickets.roles(token) is not None and line.find(key) is None

        def order(line: Line) -> None:
            line.put(key, b"revoked")

        return Case(accepted=accepted, order=order)

    return make
