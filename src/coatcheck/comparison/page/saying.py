"""Figures in words for a page: a number and its unit stay on one line, and what is no number is a dash."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from .. import figures

__all__ = ["DASH", "say_count", "say_octets", "say_seconds", "say_share"]

DASH: Final = "\N{EN DASH}"


def say_seconds(value: float | None) -> str:
    """Return a duration with its unit."""
    return _said(figures.say_seconds, value)


def say_octets(value: float | None) -> str:
    """Return a size with its unit."""
    return _said(figures.say_octets, value)


def say_count(value: float | None) -> str:
    """Return a number."""
    return _said(figures.say_count, value)


def say_share(value: float | None) -> str:
    """Return a fraction as a percentage."""
    return _said(figures.say_share, value)


def _said(say: Callable[[float], str], value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    return say(value).replace(" ", "\N{NO-BREAK SPACE}")
