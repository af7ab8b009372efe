"""What stands for figures: bars, boxes with whiskers, strips of dots, bands and diamonds.

Each draws itself on a scale at a height. Colours come from the style sheet, by the class of the group around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ..model import Sample
from .markup import Markup, element, join, number
from .scales import Scale

__all__ = ["Band", "Bar", "Box", "Dots", "Mark", "dot_path", "sample_values"]

_DOT: Final = 3.6
_CAP: Final = 4.0


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar from the beginning of the axis.

    Attributes:
        value: To where.
    """

    value: float

    def values(self) -> tuple[float, ...]:
        """Return what has to be on the axis."""
        return (self.value,)

    def draw(self, scale: Scale, y: float) -> Markup:
        """Return it with its middle at ``y``."""
        left, right = scale.place(0), scale.place(self.value)
        return element("rect", class_="fill", x=left, y=y - 7, width=max(right - left, 2.0), height=14, rx=2)


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """The quartiles as a box, the median as a line in it, and whiskers from the least to the 99th percentile.

    Attributes:
        sample: What was measured.
        hollow: Whether the box is only an outline: for the second of two.
        offset: How much lower than the middle of its row.
    """

    sample: Sample
    hollow: bool = False
    offset: float = 0.0

    def values(self) -> tuple[float, ...]:
        """Return what has to be on the axis."""
        return (self.sample.minimum, self.sample.median, self.sample.p99)

    def draw(self, scale: Scale, y: float) -> Markup:
        """Return it with its middle at ``y`` and the offset."""
        middle = y + self.offset
        places = [scale.place(value) for value in sample_values(self.sample)]
        least, left, median, right, most = places
        if right - left < 7:  # a spread too small to see is still a figure to see
            left, right = median - 3.5, median + 3.5
        line = f"M{number(least)} {number(middle)}H{number(most)}"
        whisker = f"{line}M{number(most)} {number(middle - _CAP)}v{number(2 * _CAP)}"
        inner = f"M{number(median)} {number(middle - 5)}v10"
        return join(
            (
                element("path", class_="whisker", d=whisker),
                element(
                    "rect",
                    class_="hollow" if self.hollow else "fill",
                    x=left,
                    y=middle - 5,
                    width=right - left,
                    height=10,
                    rx=2,
                ),
                element("path", class_="median", d=inner) if right - left >= 10 else "",
            )
        )


class Dots(msgspec.Struct, frozen=True, kw_only=True):
    """Each figure as a dot, and the median as a line. Dots that would cover each other are put side by side.

    Attributes:
        figures: In any order.
        median: Of them, and of those that are not shown.
        height: How much room there is for them, upwards and downwards together.
    """

    figures: tuple[float, ...]
    median: float
    height: float = 22.0

    def values(self) -> tuple[float, ...]:
        """Return what has to be on the axis."""
        return (*self.figures, self.median)

    def draw(self, scale: Scale, y: float) -> Markup:
        """Return them around ``y``."""
        middle, half = scale.place(self.median), self.height / 2 + 2
        return join(
            (
                element(
                    "path",
                    class_="dots",
                    d=dot_path([scale.place(value) for value in self.figures], y, self.height),
                ),
                element("path", class_="mark", d=f"M{number(middle)} {number(y - half)}V{number(y + half)}"),
            )
        )


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """From where to where something can be by design, whatever was measured.

    Attributes:
        low: From where.
        high: To where; it has a line at this end.
        dashed: Whether nothing was measured, so that the design is all there is.
    """

    low: float
    high: float
    dashed: bool = False

    def values(self) -> tuple[float, ...]:
        """Return what has to be on the axis."""
        return (self.low, self.high) if self.low > 0 else (self.high,)

    def draw(self, scale: Scale, y: float) -> Markup:
        """Return it with its middle at ``y``."""
        left, right = scale.place(self.low), scale.place(self.high)
        return join(
            (
                element(
                    "rect",
                    class_="band dashed" if self.dashed else "band",
                    x=left,
                    y=y - 12,
                    width=max(right - left, 1.0),
                    height=24,
                    rx=3,
                ),
                element("path", class_="limit-of-band", d=f"M{number(right)} {number(y - 12)}v24"),
            )
        )


Mark = Bar | Box | Dots | Band


def sample_values(sample: Sample) -> tuple[float, float, float, float, float]:
    """Return the five numbers of a box, in ascending order even if the sample's are not."""
    least, first, median, third, most = sorted(
        (sample.minimum, sample.first_quartile, sample.median, sample.third_quartile, sample.p99)
    )
    return least, first, median, third, most


def dot_path(places: Iterable[float], y: float, height: float) -> str:
    """Return a path of dots, drawn by round line ends: dots that are near each other are spread upwards and downwards.

    Args:
        places: Where they are on the axis, in any order. No dot leaves its place.
        y: The middle.
        height: How far they may be spread. Where that is too little they overlap.
    """
    lanes = _lanes(height)
    last = [float("-inf")] * len(lanes)
    parts: list[str] = []
    for x in sorted(places):
        free = next((lane for lane, taken in enumerate(last) if x - taken >= _DOT), None)
        lane = last.index(min(last)) if free is None else free
        last[lane] = x
        parts.append(f"M{number(round(x, 1))} {number(y + lanes[lane])}h0")
    return "".join(parts)


def _lanes(height: float) -> Sequence[float]:
    """Return how far from the middle dots may be: the middle first, then one step further on either side."""
    steps = range(1, int(height / 2 / _DOT) + 1)
    return [0.0, *(side * step * _DOT for step in steps for side in (-1, 1))]
