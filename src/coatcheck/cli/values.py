"""Values of JSON as text for people."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["spelled"]


def spelled(value: Any) -> str:
    """Write a value as JSON in its own letters. What a terminal would obey is the caller's to escape."""
    return json.dumps(value, ensure_ascii=False)
