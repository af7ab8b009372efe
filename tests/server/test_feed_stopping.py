"""Being told of the signals that stop a process, beside whoever else is."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from coatcheck.server.stopping import told_of_signals

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def received() -> Iterator[list[int]]:
    """What whoever runs the server is told, as uvicorn would be."""
    numbers: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        numbers.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
async def test_both_are_told(received: list[int], number: int) -> None:
    told = asyncio.Event()
    before = signal.getsignal(number)
    with told_of_signals(told.set):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await told.wait()
    assert received == [number]
    assert signal.getsignal(number) is before


async def test_a_process_that_a_signal_ends_at_once_is_left_alone() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with told_of_signals(lambda: None):
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_who_came_later_keeps_the_signal(received: list[int]) -> None:
    def another(number: int, _: FrameType | None) -> None:
        received.append(-number)

    with told_of_signals(lambda: None):
        signal.signal(signal.SIGTERM, another)
    assert signal.getsignal(signal.SIGTERM) is another


@pytest.mark.usefixtures("received")
async def test_another_thread_has_no_signals() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def in_another_loop() -> None:
        with told_of_signals(lambda: None):
            assert signal.getsignal(signal.SIGTERM) is before

    thread = threading.Thread(target=lambda: asyncio.run(in_another_loop()))
    thread.start()
    await asyncio.to_thread(thread.join)


def test_a_loop_that_is_gone_is_not_told(received: list[int]) -> None:
    async def main() -> object:
        with told_of_signals(lambda: None):
            return signal.getsignal(signal.SIGTERM)

    handler = asyncio.run(main())
    assert callable(handler)
    handler(signal.SIGTERM, None)
    assert received == [signal.SIGTERM]
