"""Text for terminals and pipes."""

from __future__ import annotations

import json
from typing import Any

from .._core.text import readable, shortened, spelled, visible

__all__ = ["as_json", "readable", "shortened", "spelled", "visible"]


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON of nothing but ASCII, which is safe on any terminal."""
    return json.dumps(value, indent=indent, ensure_ascii=True, default=str)
