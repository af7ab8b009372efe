"""Following in two tasks of an event loop: one for the keys, one for the ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

import httpx

from ..errors import CoatcheckError
from .actions import Action, Answer, Bell, Close, Fetch, Open, Steps, T, Wait
from .errors import ConnectionFailedError
from .keys import follow_keys
from .ledger import follow_ledger
from .state import State
from .threaded import perform as perform_in_thread
from .transport import FAILURES, Body, client_options, failed, fetch_options, open_options, without_body

__all__ = ["Tasks", "perform", "run", "wait_for"]

_log = logging.getLogger("coatcheck.verifier")
_PAUSE_AFTER_A_BUG = 5.0


class Tasks:
    """The two tasks. They run from ``start`` to ``stop``, in the loop that calls them."""

    __slots__ = ("_state", "_tasks")

    def __init__(self, state: State) -> None:
        self._state = state
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow."""
        self._tasks = [
            asyncio.create_task(_Driver(self._state, follow).run(), name=f"coatcheck {follow.__name__}")
            for follow in (follow_keys, follow_ledger)
        ]

    async def stop(self) -> None:
        """End it, and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Driver:
    """Does what one of the followers asks for, in one task."""

    def __init__(self, state: State, follow: Callable[[State], Steps[None]]) -> None:
        self._state = state
        self._follow = follow
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def run(self) -> None:
        """Go on until cancelled. A mistake in here must not end the following: nothing would be revoked any more."""
        while True:
            try:
                async with httpx.AsyncClient(**client_options()) as client:
                    await self._run(client)
            except Exception:  # noqa: BLE001 - logged, and begun anew
                _log.exception("%s failed in an unexpected way.", self._follow.__name__)
                await asyncio.sleep(_PAUSE_AFTER_A_BUG)

    async def _run(self, client: httpx.AsyncClient) -> None:
        steps = self._follow(self._state)
        action = next(steps)
        try:
            while True:
                try:
                    outcome = await self._perform(client, action)
                except CoatcheckError as error:
                    action = steps.throw(error)
                else:
                    action = steps.send(outcome)
        finally:
            with suppress(*FAILURES):
                await self._close()

    async def _perform(self, client: httpx.AsyncClient, action: Action) -> Any:
        try:
            match action:
                case Fetch():
                    return await perform(client, action)
                case Open():
                    return await self._open(client, action)
                case Wait():
                    return await wait_for(action.bell, action.seconds)
                case Close():
                    return await self._close()
                case _:
                    assert self._chunks is not None  # noqa: S101 - it was opened
                    return await anext(self._chunks, b"")
        except FAILURES as error:
            raise failed(error) from None

    async def _open(self, client: httpx.AsyncClient, action: Open) -> Answer:
        request = client.build_request(**open_options(action))
        self._response = await client.send(request, stream=True)
        self._chunks = self._response.aiter_raw()
        return without_body(self._response)

    async def _close(self) -> None:
        response, self._response, self._chunks = self._response, None, None
        if response is not None:
            await response.aclose()


async def perform(client: httpx.AsyncClient, action: Fetch) -> Answer:
    """Fetch something. Raises kinds of ``FollowingError``."""
    body = Body(action)
    try:
        # The timeout of httpx is that of each read: an answer that trickles needs another end.
        async with asyncio.timeout(action.timeout), client.stream(**fetch_options(action)) as response:
            async for chunk in response.aiter_raw():
                body.add(chunk, response)
            return body.answer(response)
    except TimeoutError:
        raise ConnectionFailedError("The answer of the server takes too long.") from None
    except FAILURES as error:
        raise failed(error) from None


async def run(client: httpx.Client, steps: Steps[T], *, threads: Executor) -> T:
    """Take steps that only fetch and wait; return what they come to.

    Only fetching takes a thread: a client of threads can be used from any event loop, and keeps its connections. Who
    waits takes none.
    """
    loop = asyncio.get_running_loop()
    try:
        action = next(steps)
        while True:
            try:
                if isinstance(action, Wait):
                    outcome: Any = await wait_for(action.bell, action.seconds)
                else:
                    assert isinstance(action, Fetch)  # noqa: S101 - nothing else is asked for
                    outcome = await loop.run_in_executor(threads, perform_in_thread, client, action)
            except CoatcheckError as error:
                action = steps.throw(error)
            else:
                action = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def wait_for(bell: Bell, seconds: float | None) -> bool:
    """Wait for a bell, whichever thread rings it. Tells whether it was rung."""
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()

    def ring() -> None:
        with suppress(RuntimeError):  # the loop may have been closed
            loop.call_soon_threadsafe(rung.set)

    unsubscribe = bell.subscribe(ring)
    try:
        async with asyncio.timeout(seconds):
            await rung.wait()
    except TimeoutError:
        return False
    finally:
        unsubscribe()
    return True
