"""Where labels go, so that none touches another, whatever the values are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

__all__ = ["Rectangle", "place_around", "stack"]

_GAP: Final = 8.0
_RINGS: Final = (13.5, 16.0, 26.0, 38.0, 52.0, 68.0, 88.0, 112.0)
_ANGLES: Final = tuple(
    math.radians(angle) for angle in (0, 180, -90, 90, -35, 35, -145, 145, -60, 60, -120, 120)
)


class Rectangle(msgspec.Struct, frozen=True):
    """A part of the picture; ``y`` grows downwards.

    Attributes:
        left: Its left edge.
        top: Its upper edge.
        right: Its right edge.
        bottom: Its lower edge.
    """

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Rectangle) -> bool:
        """Return whether they have a point in common that is not on an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Rectangle) -> bool:
        """Return whether the other lies within."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def stack(labels: Sequence[tuple[float, float]], *, low: float, high: float) -> list[tuple[float, int]]:
    """Place labels over points of a line, each in the lowest level where it touches no other.

    Args:
        labels: The point and the width of each.
        low: No label begins left of here.
        high: No label ends right of here; one that is too wide begins at ``low``.

    Returns:
        For each label, in the same order, its left edge and its level, from 0.
    """
    placed: list[tuple[float, int]] = []
    levels: list[list[tuple[float, float]]] = []
    for point, width in labels:
        left = max(min(point - width / 2, high - width), low)
        right = left + width + _GAP
        level = next(
            (n for n, taken in enumerate(levels) if all(right <= a or b <= left for a, b in taken)),
            len(levels),
        )
        if level == len(levels):
            levels.append([])
        levels[level].append((left, right))
        placed.append((left, level))
    return placed


def place_around(
    point: tuple[float, float],
    size: tuple[float, float],
    *,
    within: Rectangle,
    taken: Iterable[Rectangle],
) -> Rectangle | None:
    """Find room for a label near a point: beside it, above, below, then further and further away.

    Args:
        point: Where it belongs.
        size: The label's width and height.
        within: The part of the picture that it has to stay in.
        taken: What it must not touch.

    Returns:
        Its place, or ``None`` if there is none near enough.
    """
    obstacles = tuple(taken)
    width, height = size
    for ring in _RINGS:
        for angle in _ANGLES:
            x = point[0] + math.cos(angle) * ring + (math.cos(angle) - 1) / 2 * width
            y = point[1] + math.sin(angle) * ring + (math.sin(angle) - 1) / 2 * height
            spot = Rectangle(x, y, x + width, y + height)
            if within.holds(spot) and not any(spot.touches(obstacle) for obstacle in obstacles):
                return spot
    return None
