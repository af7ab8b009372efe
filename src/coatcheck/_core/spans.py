"""Spans of time and instants in words."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["clamped", "in_words", "iso", "relative"]

_STEPS = ((31_557_600, "year"), (2_629_800, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))
_ABOUT_ONE = 1.02
_BEYOND = 1e15  # some thirty million years


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
