"""What claims mean, each in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.spans import iso, relative
from .claim_findings import is_number
from .vocabulary import claim_words

__all__ = ["claim_meanings", "is_moment"]

_TIMES = frozenset({"exp", "nbf", "iat", "auth_time", "updated_at"})


def claim_meanings(claims: Mapping[str, Any], now: float) -> dict[str, str]:
    """Return the meanings of those claims that are known here; times are told from ``now``."""
    meanings = {name: _meaning(name, value, now) for name, value in claims.items()}
    return {name: words for name, words in meanings.items() if words}


def is_moment(name: str, value: Any) -> bool:
    """Tell whether a claim is a time."""
    return name in _TIMES and is_number(value)


def _meaning(name: str, value: Any, now: float) -> str:
    if not is_moment(name, value):
        return claim_words(name)
    words = relative(value, now)
    if name == "exp":
        words = f"expires {words}" if value > now else f"expired {words}"
    stamp = iso(value)
    return "beyond any calendar" if stamp is None else f"{words}, {stamp}"
