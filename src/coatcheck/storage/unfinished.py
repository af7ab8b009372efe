"""How a storage tells that records are being moved into it, so that nobody serves a half of them."""

from __future__ import annotations

from typing import Final

__all__ = ["MARKER"]

MARKER: Final = "unfinished_move"
"""The table that is there as long as a move into the storage is not finished."""
