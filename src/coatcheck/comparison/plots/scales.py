"""From values to places: linear and logarithmic axes with ticks that people count in."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ..figures import say_octets
from .lettering import SIZES, middle_of, text_width

__all__ = ["LinearScale", "LogScale", "Scale", "Tick", "octets_scale", "seconds_scale", "tick_seconds"]

_DECADES: Final = tuple(10.0**power for power in range(-12, 2))
_MAJOR: Final = (*_DECADES, 60.0, 600.0, 3_600.0, 36_000.0, *(86_400.0 * 10.0**power for power in range(12)))
"""What durations are counted in: powers of ten up to ten seconds, then minutes, hours and days."""

_GAP: Final = 10.0
_ZERO_SLOT: Final = 34.0
_MOST_OCTETS: Final = 1e18


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis.

    Attributes:
        value: Where.
        label: What it says; empty if it is only a line.
        major: Whether it is one of the values that people count in.
    """

    value: float
    label: str
    major: bool


class LinearScale(msgspec.Struct, frozen=True, kw_only=True):
    """Equal distances for equal differences.

    Attributes:
        low: The value at ``start``.
        high: The value at ``end``.
        start: A place, in units of the picture.
        end: Another, to the right of it.
        ticks: In ascending order, all of them on the axis.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """Return where a value is; one beyond the axis, or none at all, is at the nearer end."""
        return _between(self.start, self.end, _share(value - self.low, self.high - self.low))


class LogScale(msgspec.Struct, frozen=True, kw_only=True):
    """Equal distances for equal ratios.

    Attributes:
        low: The least value above 0 that is on the axis.
        high: The greatest.
        start: Where ``low`` is, in units of the picture.
        end: Where ``high`` is.
        zero: Where 0 is, apart from the rest: no ratio leads there. ``None`` if it is not on this axis.
        ticks: In ascending order, all of them on the axis.
    """

    low: float
    high: float
    start: float
    end: float
    zero: float | None
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """Return where a value is; one beyond the axis is at the nearer end."""
        if not value > 0:
            return self.start if self.zero is None else self.zero
        return _between(
            self.start, self.end, _share(math.log(value / self.low), math.log(self.high / self.low))
        )


Scale = LinearScale | LogScale


def octets_scale(
    values: Iterable[float], *, start: float, end: float, width: float = math.inf
) -> LinearScale:
    """Return a linear axis from 0 that has all of the values on it, with three to seven ticks.

    Args:
        values: In octets; those that are not finite are ignored.
        start: Where the axis begins.
        end: Where it ends.
        width: That of the picture: labels at its edge are further inwards than their ticks.
    """
    highest = min(max((value for value in values if math.isfinite(value)), default=0.0), _MOST_OCTETS)
    highest = max(highest, 1.0)
    step = next(step for step in _steps(highest / 7) if step >= highest / 7)
    count = math.ceil(highest / step * 0.96)  # a bar may end a little beyond the last tick
    high = max(highest, step * count)
    ticks = [Tick(step * index, say_octets(step * index), major=True) for index in range(count + 1)]
    scale = LinearScale(low=0.0, high=high, start=start, end=end, ticks=())
    return LinearScale(
        low=0.0, high=high, start=start, end=end, ticks=_spaced(ticks, scale.place, width=width)
    )


def seconds_scale(
    values: Iterable[float], *, start: float, end: float, width: float = math.inf, upright: bool = False
) -> LogScale:
    """Return a logarithmic axis of durations that has all of the values on it.

    Its ends are round values. Where a value is 0, it gets a place of its own before the rest.

    Args:
        values: In seconds; those that are not finite are ignored, and those below 0 are taken for 0.
        start: Where the axis begins.
        end: Where it ends; before ``start`` if the axis runs upwards.
        width: That of the picture: labels at its edge are further inwards than their ticks.
        upright: Whether the labels of its ticks are one above the other.
    """
    finite = [value for value in values if math.isfinite(value)]
    above = [value for value in finite if value > 0] or [1e-3, 1.0]
    zero = start if len([value for value in finite if value > 0]) < len(finite) else None
    steps = _LADDER
    first = max(bisect.bisect_right(steps, min(above) * 1.0000001) - 1, 0)
    last = min(bisect.bisect_left(steps, max(above) * 0.9999999), len(steps) - 1)
    while last - first < 2:  # one value alone, or values that are all alike: show what is around them
        first, last = max(first - 1, 0), min(last + 1, len(steps) - 1)
    begins = start if zero is None else start + math.copysign(_ZERO_SLOT, end - start)
    scale = LogScale(low=steps[first], high=steps[last], start=begins, end=end, zero=zero, ticks=())
    ticks = _log_ticks(steps[first : last + 1])
    if zero is not None:
        ticks = [Tick(0.0, "0", major=True), *ticks]
    return msgspec.structs.replace(scale, ticks=_spaced(ticks, scale.place, width=width, upright=upright))


def tick_seconds(seconds: float) -> str:
    """Return a round duration in the unit that people count it in: ``10 µs``, ``1 min``, ``10 h``."""
    units = (
        (86_400.0, "d"),
        (3_600.0, "h"),
        (60.0, "min"),
        (1.0, "s"),
        (1e-3, "ms"),
        (1e-6, "µs"),
        (1e-9, "ns"),
    )
    unit, name = next((pair for pair in units if seconds >= pair[0] * 0.9999999), (1e-12, "ps"))
    return f"{round(seconds / unit, 6):,.12g} {name}"


def _ladder() -> tuple[float, ...]:
    """Return all round durations: the ones that people count in, and their multiples below the next one."""
    steps: list[float] = []
    for low, high in zip(_MAJOR, (*_MAJOR[1:], _MAJOR[-1] * 1.5), strict=True):
        steps += [low * times for times in range(1, 10) if low * times < high * 0.9999999]
    return tuple(steps)


_LADDER: Final = _ladder()


def _log_ticks(steps: tuple[float, ...]) -> list[Tick]:
    """Label the values that people count in; if too few of them are there, round multiples as well, else the ends."""
    majors = {step for step in steps if step in _MAJOR}
    labelled = majors
    if len(labelled) < 3:
        labelled = majors | {
            step for step in steps if any(math.isclose(step, major * k) for major in _MAJOR for k in (2, 5))
        }
    if len(labelled) < 3:
        labelled = set(steps)
    return [
        Tick(step, tick_seconds(step) if step in labelled else "", major=step in majors) for step in steps
    ]


def _spaced(
    ticks: list[Tick], place: Callable[[float], float], *, width: float, upright: bool = False
) -> tuple[Tick, ...]:
    """Take the label from every tick whose text would touch that of another; round ones keep theirs first."""
    kept: list[tuple[float, float]] = []
    silent: set[float] = set()
    for tick in sorted(ticks, key=lambda tick: (not tick.major, tick.value)):
        half = SIZES["tick"] * 0.75 if upright else text_width(tick.label, "tick") / 2 + _GAP / 2
        at = place(tick.value)
        middle = at if upright else middle_of(tick.label, "tick", at, width=width)
        left, right = middle - half, middle + half
        if not tick.label or any(
            left < other_right and other_left < right for other_left, other_right in kept
        ):
            silent.add(tick.value)
        else:
            kept.append((left, right))
    return tuple(Tick(tick.value, "" if tick.value in silent else tick.label, tick.major) for tick in ticks)


def _steps(least: float) -> Iterable[float]:
    power = math.floor(math.log10(least))
    whole = [factor * 10.0**power for factor in (1, 2, 5, 10)]
    return (max(step, 1.0) for step in whole)


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if part == part else 0.0  # noqa: PLR0124 - NaN is nowhere


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share
