"""Times competing callables against each other, round by round."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Any

_NS_PER_US = 1_000


@dataclass(frozen=True)
class Contender:
    """One way of doing the work: ``call`` is applied to each of ``inputs`` in turn.

    Several different inputs are used so that remembering the last answer gains nothing.
    """

    name: str
    call: Callable[[Any], object]
    inputs: Sequence[Any]
    note: str = ""


@dataclass(frozen=True)
class Effort:
    """How long to measure: ``rounds`` samples of at least ``sample_ms`` for each contender."""

    rounds: int
    sample_ms: float


FULL = Effort(rounds=41, sample_ms=12)
QUICK = Effort(rounds=9, sample_ms=2.5)


@dataclass(frozen=True)
class Timing:
    """What one contender took: one figure per round, in microseconds per call."""

    name: str
    samples_us: tuple[float, ...]
    note: str = ""

    @property
    def median_us(self) -> float:
        """The middle round."""
        return median(self.samples_us)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a fraction of the median."""
        first, _, third = quantiles(self.samples_us, n=4)
        return (third - first) / 2 / self.median_us

    def ratio_to(self, other: Timing) -> float:
        """How many times as long as ``other``: the median over the rounds, paired."""
        pairs = zip(self.samples_us, other.samples_us, strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    def beyond(self, other: Timing) -> float:
        """How many microseconds more than ``other``: the median over the rounds, paired."""
        pairs = zip(self.samples_us, other.samples_us, strict=True)
        return median(mine - theirs for mine, theirs in pairs)


@dataclass(frozen=True)
class Row:
    """One race: who took how long, and who could not take part though the library says it can."""

    label: str
    timings: tuple[Timing, ...]
    failures: dict[str, str]

    def timing(self, name: str) -> Timing | None:
        """The contender's timing, if it took part."""
        return next((timing for timing in self.timings if timing.name == name), None)


def run(label: str, entries: Mapping[str, Callable[[], Contender]], effort: Effort) -> Row:
    """Set up and check every contender, then race those that passed."""
    contenders: list[Contender] = []
    failures: dict[str, str] = {}
    for name, enter in entries.items():
        try:
            contenders.append(enter())
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            failures[name] = f"{type(error).__name__}: {error}"
    return Row(label, tuple(race(contenders, effort)), failures)


def race(contenders: Sequence[Contender], effort: Effort) -> list[Timing]:
    """Time the contenders in turn, A B C A B C, starting each round with another one.

    A machine that speeds up or slows down meanwhile does so for all of them alike.
    """
    samples: list[list[float]] = [[] for _ in contenders]
    with without_gc():
        passes = [_calibrate(contender, effort.sample_ms) for contender in contenders]
        for turn in range(effort.rounds):
            for place in range(len(contenders)):
                index = (turn + place) % len(contenders)
                samples[index].append(_sample(contenders[index], passes[index]))
            gc.collect()
    return [
        Timing(contender.name, tuple(taken), contender.note)
        for contender, taken in zip(contenders, samples, strict=True)
    ]


def _sample(contender: Contender, passes: int) -> float:
    call, inputs = contender.call, contender.inputs
    start = perf_counter_ns()
    for _ in range(passes):
        for value in inputs:
            call(value)
    elapsed = perf_counter_ns() - start
    return elapsed / (passes * len(inputs)) / _NS_PER_US


def _calibrate(contender: Contender, sample_ms: float) -> int:
    """How many passes over the inputs one sample takes; warms the contender up as well."""
    passes = 1
    while True:
        per_call = _sample(contender, passes)
        took_ms = per_call * passes * len(contender.inputs) / 1_000
        if took_ms >= sample_ms / 4:
            return max(1, round(passes * sample_ms / took_ms))
        passes *= 2


@contextmanager
def without_gc() -> Iterator[None]:
    """Keep the garbage collector from running while a clock does."""
    gc.collect()
    gc.freeze()  # what exists already need not be looked at again between the rounds
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
