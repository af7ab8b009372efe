"""Times: the present, spans and instants as arguments, and both in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .._core import clock
from .errors import UsageError

__all__ = ["clamped", "in_words", "iso", "now", "parse_instant", "parse_span", "relative"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(?:\d{1,9}[smhdw])+")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_STEPS = ((31_557_600, "year"), (2_629_800, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))
_ABOUT_ONE = 1.02
_BEYOND = 1e15  # some thirty million years


def now(at: str | None = None) -> float:
    """Return the time that a command works with: the present, or the one it was told."""
    return clock.system_clock() if at is None else parse_instant(at)


def parse_instant(text: str) -> float:
    """Read a time: seconds since 1970, or ISO 8601 with a time zone. Raises ``UsageError``."""
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"{text[:40]!r} is no time: write seconds since 1970, or a date with a time zone "
            "such as 2026-01-31T12:00:00Z."
        )
    return moment.timestamp()


def parse_span(text: str) -> timedelta:
    """Read a span such as ``90s``, ``5m`` or ``1h30m``. Raises ``UsageError``."""
    if not _SPAN.fullmatch(text):
        raise UsageError(f"{text[:40]!r} is no span of time: write for example 90s, 5m, 1h30m or 7d.")
    seconds = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)(\w)", text))
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise UsageError(f"{text[:40]!r} is too long a span.") from None


def clamped(moment: float) -> float:
    """Return a moment that can be computed with: a token's integer may be of any size, and a float infinite."""
    return max(-_BEYOND, min(_BEYOND, moment))


def in_words(seconds: float) -> str:
    """Say how long a span is, in one unit: ``3 minutes``; ``90 minutes`` and ``25 hours`` rather than 1 of the next."""
    seconds = abs(seconds)
    smaller = [*(size for size, _ in _STEPS[1:]), 1]
    for (size, unit), next_size in zip(_STEPS, smaller, strict=True):
        rounded = round(seconds / next_size) * next_size  # what the next unit would say
        if rounded >= 2 * size or size <= rounded <= size * _ABOUT_ONE:
            return _counted(round(seconds / size), unit)
    return _counted(round(seconds), "second")


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def relative(moment: float, present: float) -> str:
    """Say where a moment lies from the present: ``in 5 minutes``, ``3 minutes ago``, ``just now``."""
    difference = clamped(moment) - present
    if abs(difference) < 1:
        return "just now"
    return f"in {in_words(difference)}" if difference > 0 else f"{in_words(difference)} ago"


def iso(moment: float) -> str | None:
    """Write a moment as a date and time in UTC; ``None`` if the calendar has no such year."""
    try:
        return datetime.fromtimestamp(clamped(moment), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return None
