"""Following in the background, in two threads of its own: one for the keys, one for the ledger.

They are daemons: they never keep a process from ending. A child process gets threads of its own, since a fork takes
none along.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import httpx

from ..errors import CoatcheckError
from .actions import Action, Answer, Close, Fetch, Open, Steps, T, Wait
from .errors import ConnectionFailedError
from .keys import follow_keys
from .ledger import follow_ledger
from .state import State
from .transport import FAILURES, Body, client_options, failed, fetch_options, open_options, without_body

__all__ = ["Threads", "perform", "run"]

_log = logging.getLogger("coatcheck.verifier")
_PAUSE_AFTER_A_BUG = 5.0


class Threads:
    """The two threads. They run from ``start`` to ``stop``."""

    __slots__ = ("_drivers", "_threads")

    def __init__(self, state: State) -> None:
        self._drivers = (_Driver(state, follow_keys), _Driver(state, follow_ledger))
        self._threads = [
            threading.Thread(target=driver.run, name=f"coatcheck {driver.name}", daemon=True)
            for driver in self._drivers
        ]

    def start(self) -> None:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout: float = 2.0) -> None:
        """End it, and wait a moment until it has ended."""
        for driver in self._drivers:
            driver.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout)


class _Driver:
    """Does what one of the followers asks for, in one thread."""

    def __init__(self, state: State, follow: Any) -> None:
        self._state = state
        self._follow = follow
        self._stopped = False
        self._waits_for: Any = None
        self._response: httpx.Response | None = None
        self._chunks: Any = None
        self.name: str = follow.__name__.replace("follow_", "")

    def run(self) -> None:
        """Go on until stopped. A mistake in here must not end the following: nothing would be revoked any more."""
        while not self._stopped:
            try:
                with httpx.Client(**client_options()) as client:
                    self._run(client)
            except Exception:  # noqa: BLE001 - logged, and begun anew
                if not self._stopped:
                    _log.exception("Following the %s failed in an unexpected way.", self.name)
                    time.sleep(_PAUSE_AFTER_A_BUG)

    def _run(self, client: httpx.Client) -> None:
        steps: Steps[None] = self._follow(self._state)
        action = next(steps)
        while not self._stopped:
            try:
                outcome = self._perform(client, action)
            except CoatcheckError as error:
                action = steps.throw(error)
            else:
                action = steps.send(outcome)
        self._close()

    def _perform(self, client: httpx.Client, action: Action) -> Any:
        try:
            match action:
                case Fetch():
                    return perform(client, action)
                case Open():
                    return self._open(client, action)
                case Wait():
                    self._waits_for = action.bell
                    return None if self._stopped else action.bell.wait(action.seconds)
                case Close():
                    return self._close()
                case _:
                    return next(self._chunks, b"")
        except FAILURES as error:
            raise failed(error) from None

    def _open(self, client: httpx.Client, action: Open) -> Answer:
        request = client.build_request(**open_options(action))
        self._response = client.send(request, stream=True)
        self._chunks = self._response.iter_raw()
        return without_body(self._response)

    def _close(self) -> None:
        response, self._response, self._chunks = self._response, None, None
        if response is not None:
            response.close()

    def stop(self) -> None:
        """End it, from another thread: wake it from whatever it waits for."""
        self._stopped = True
        bell, response = self._waits_for, self._response
        if bell is not None:
            bell.ring()
        if response is not None:
            with suppress(Exception):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def perform(client: httpx.Client, action: Fetch) -> Answer:
    """Fetch something. Raises kinds of ``FollowingError``."""
    # The timeout of httpx is that of each read: an answer that trickles needs another end.
    ends_at = time.monotonic() + action.timeout
    body = Body(action)
    try:
        with client.stream(**fetch_options(action)) as response:
            for chunk in response.iter_raw():
                body.add(chunk, response)
                if time.monotonic() > ends_at:
                    raise ConnectionFailedError("The answer of the server takes too long.")
            return body.answer(response)
    except FAILURES as error:
        raise failed(error) from None


def run(client: httpx.Client, steps: Steps[T]) -> T:
    """Take steps that only fetch and wait, here and now; return what they come to."""
    try:
        action = next(steps)
        while True:
            try:
                outcome = _perform_simple(client, action)
            except CoatcheckError as error:
                action = steps.throw(error)
            else:
                action = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


def _perform_simple(client: httpx.Client, action: Action) -> Any:
    if isinstance(action, Wait):
        return action.bell.wait(action.seconds)
    assert isinstance(action, Fetch)  # noqa: S101 - nothing else is asked for
    return perform(client, action)
