"""Racing several ways of doing something, round by round, so that the machine's moods hit all of them alike."""

from __future__ import annotations

import gc
import hmac
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final

import msgspec

from .model import Sample
from .samples import make_sample

__all__ = ["Contender", "Effort", "Race", "Raced", "clock_resolution", "yardstick"]

_NS: Final = 1e-9
_SHORTEST: Final = 40_000
"""Nanoseconds that a figure takes at least, as a mean of several calls if need be: then the clock costs nothing."""

Call = Callable[[Any], object]


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One way of doing it.

    Attributes:
        name: What it is called.
        call: Does it once with one input. It may be a coroutine function.
        inputs: Gives the inputs of one round. What it does is not timed.
        each: Whether each call is timed by itself, and each input used once: for what is different the first time.
    """

    name: str
    call: Callable[[Any], object]
    inputs: Callable[[], Sequence[Any] | Awaitable[Sequence[Any]]]
    each: bool = False

    def __repr__(self) -> str:
        return f"<Contender {self.name}>"


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How long to measure.

    Attributes:
        rounds: How many rounds.
        figures: How many figures for each contender in each, at most.
        sample_ms: For how many milliseconds, in each.
    """

    rounds: int
    figures: int
    sample_ms: float


class Raced(msgspec.Struct, frozen=True, kw_only=True):
    """What one contender took.

    Attributes:
        wall: By the clock.
        cpu: Of the processor, by this thread.
        rounds: The figures by the clock, round by round.
    """

    wall: Sample
    cpu: Sample
    rounds: tuple[tuple[float, ...], ...]


class Race:
    """Runs contenders in turn, A B C, then B C A: each round begins with another one."""

    def __init__(self, contenders: Sequence[Contender], effort: Effort) -> None:
        """Take who runs."""
        self._contenders = contenders
        self._effort = effort
        self._wall: dict[str, list[list[float]]] = {each.name: [] for each in contenders}
        self._cpu: dict[str, list[list[float]]] = {each.name: [] for each in contenders}
        self._calls: dict[str, int] = {each.name: 0 for each in contenders}
        self._repeats: dict[str, int] = {}

    async def run(self, on_round: Callable[[], None]) -> Mapping[str, Raced]:
        """Run all rounds; return what each contender took.

        Args:
            on_round: Called after each.
        """
        for contender in self._contenders:
            await self._warm_up(contender)
        for turn in range(self._effort.rounds):
            for place in range(len(self._contenders)):
                contender = self._contenders[(turn + place) % len(self._contenders)]
                await self._sample(contender)
            on_round()
        return {
            name: Raced(
                wall=make_sample(self._wall[name], calls=self._calls[name]),
                cpu=make_sample(self._cpu[name], calls=self._calls[name]),
                rounds=tuple(map(tuple, self._wall[name])),
            )
            for name in self._wall
        }

    async def _warm_up(self, contender: Contender) -> None:
        """Run the contender until it is clear how many calls make a figure that the clock can be trusted with."""
        inputs = await _inputs(contender)
        call = _caller(contender.call)
        took = []
        for value in [*inputs] if contender.each else [*inputs, *inputs]:
            start = perf_counter_ns()
            await call((value,))
            took.append(max(1, perf_counter_ns() - start))
        self._repeats[contender.name] = 1 if contender.each else max(1, round(_SHORTEST / min(took)))

    async def _sample(self, contender: Contender) -> None:
        inputs = await _inputs(contender)
        call, repeats = _caller(contender.call), self._repeats[contender.name]
        wall: list[float] = []
        cpu: list[float] = []
        longest = self._effort.sample_ms * 1e6
        figures = min(self._effort.figures, len(inputs)) if contender.each else self._effort.figures
        with _without_gc():
            began = perf_counter_ns()
            position = 0
            if not contender.each:  # what ran before has left the processor's caches to this one
                await call(inputs[:1])
            # One figure at least, however slow the machine is.
            while not wall or (len(wall) < figures and perf_counter_ns() - began < longest):
                chosen = [inputs[(position + offset) % len(inputs)] for offset in range(repeats)]
                position += repeats
                cpu_start, start = thread_time_ns(), perf_counter_ns()
                await call(chosen)
                end, cpu_end = perf_counter_ns(), thread_time_ns()
                wall.append((end - start) / repeats * _NS)
                cpu.append((cpu_end - cpu_start) / repeats * _NS)
        self._wall[contender.name].append(wall)
        self._cpu[contender.name].append(cpu)
        self._calls[contender.name] += len(wall) * repeats


async def _inputs(contender: Contender) -> Sequence[Any]:
    given = contender.inputs()
    return await given if inspect.isawaitable(given) else given


def _caller(call: Call) -> Callable[[Sequence[Any]], Awaitable[None]]:
    if inspect.iscoroutinefunction(call):

        async def call_async(values: Sequence[Any]) -> None:
            for value in values:
                await call(value)

        return call_async

    async def call_all(values: Sequence[Any]) -> None:
        for value in values:
            call(value)

    return call_all


def yardstick() -> Contender:
    """Return work that is always the same: an HMAC-SHA-256 of 400 octets, by the standard library."""
    key = bytes(32)
    messages = [bytes([number]) * 400 for number in range(16)]

    def compute(message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")

    return Contender(name="yardstick", call=compute, inputs=lambda: messages)


def clock_resolution() -> float:
    """Return the least difference that the clock shows, in seconds."""
    least = 1_000_000_000
    for _ in range(200):
        start = perf_counter_ns()
        while (now := perf_counter_ns()) == start:
            pass
        least = min(least, now - start)
    return least * _NS


@contextmanager
def _without_gc() -> Iterator[None]:
    """Keep the garbage collector from running while a clock does."""
    was_on = gc.isenabled()
    gc.collect(1)
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
