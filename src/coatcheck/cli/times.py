"""Times: the present, spans and instants as arguments, and both in words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from .._core import clock
from .._core.spans import in_words, iso, relative
from .errors import UsageError

__all__ = ["in_words", "iso", "now", "parse_instant", "parse_span", "relative"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(?:\d{1,9}[smhdw])+")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")


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
