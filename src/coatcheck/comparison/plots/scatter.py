"""A picture with two logarithmic axes: a point with error bars for each design, and its name beside it."""

from __future__ import annotations

from typing import Final

import msgspec

from ..model import Sample
from .lettering import fit, middle_of, text_width, write
from .marks import sample_values
from .markup import Markup, element, join, number
from .placing import Rectangle, place_around
from .rows import NARROW, WIDE
from .scales import LogScale, seconds_scale

__all__ = ["Point", "ScatterPlot", "draw_scatter"]

_SYMBOLS: Final = {
    "coatcheck": "M{x} {y}m-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0 -13 0z",
    "session": "M{x} {y}m-5.5 -5.5h11v11h-11z",
    "signed": "M{x} {y}m0 -7l7 7l-7 7l-7 -7z",
    "encrypted": "M{x} {y}m-6.5 5.5l6.5 -11l6.5 11z",
    "revocation": "M{x} {y}m-6.5 -5.5h13l-6.5 11z",
}
_LETTERS: Final = 16.0
_ROOM: Final = 13.0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One design.

    Attributes:
        label: Its name.
        family: Its kind, for the colour and the form of the point.
        x: To the right, in seconds.
        y: Upwards, in seconds.
        tip: What a pointer that rests on it is told.
        ringed: Whether it stands out.
    """

    label: str
    family: str
    x: Sample
    y: Sample
    tip: str
    ringed: bool = False


class ScatterPlot(msgspec.Struct, frozen=True, kw_only=True):
    """All that is in the picture.

    Attributes:
        id: A name for it that no other picture of the page has.
        title: What it shows.
        description: The same in a few sentences, for those who do not see it.
        x_axis: What is counted to the right.
        y_axis: What is counted upwards.
        points: In order of importance: where there is no room for all names, the last ones go without. On a narrow
            page the points are numbered in this order, from 1, in place of the names.
    """

    id: str
    title: str
    description: str
    x_axis: str
    y_axis: str
    points: tuple[Point, ...]


class _Field(msgspec.Struct, frozen=True, kw_only=True):
    """Where the points are. The scale of ``y`` is turned: its start is below."""

    width: float
    area: Rectangle
    x: LogScale
    y: LogScale


def draw_scatter(plot: ScatterPlot, *, narrow: bool) -> tuple[Markup, tuple[str, ...]]:
    """Return the picture as an ``svg`` element, and the names for which it had no room.

    Args:
        plot: What is in it.
        narrow: Whether it is the one for a phone.
    """
    field = _field(plot, narrow=narrow)
    names, missing = _names(plot, field, numbered=narrow)
    identity = f"{plot.id}-{'narrow' if narrow else 'wide'}"
    svg = element(
        "svg",
        element("title", plot.title, id=f"{identity}-title"),
        element("desc", plot.description, id=f"{identity}-desc"),
        _axes(plot, field),
        *(_bars(point, field) for point in reversed(plot.points)),
        *(_symbol(point, field) for point in reversed(plot.points)),
        names,
        class_=f"plot scatter {'narrow' if narrow else 'wide'}",
        viewBox=f"0 0 {number(field.width)} {number(field.area.bottom + 52)}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
    )
    return svg, missing


def _field(plot: ScatterPlot, *, narrow: bool) -> _Field:
    width, height = (NARROW, 380.0) if narrow else (WIDE, 470.0)
    area = Rectangle(58.0 if narrow else 64.0, 30.0, width - 6, 30.0 + height)
    across = [value for point in plot.points for value in sample_values(point.x)]
    upwards = [value for point in plot.points for value in sample_values(point.y)]
    return _Field(
        width=width,
        area=area,
        x=seconds_scale(across, start=area.left + 16, end=area.right - 24, width=width),
        y=seconds_scale(upwards, start=area.bottom - 18, end=area.top + 14, upright=True),
    )


def _axes(plot: ScatterPlot, field: _Field) -> Markup:
    area = field.area
    grid: list[str] = []
    minor: list[str] = []
    labels: list[Markup] = []
    for tick in field.x.ticks:
        x = field.x.place(tick.value)
        if tick.label:
            grid.append(f"M{number(x)} {number(area.top)}V{number(area.bottom + 5)}")
            middle = middle_of(tick.label, "tick", x, width=field.width)
            labels.append(write(tick.label, "tick", x=middle, y=area.bottom + 19, anchor="middle"))
        else:
            minor.append(f"M{number(x)} {number(area.bottom)}v4")
    for tick in field.y.ticks:
        y = field.y.place(tick.value)
        if tick.label:
            grid.append(f"M{number(area.left - 5)} {number(y)}H{number(area.right)}")
            label = fit(tick.label, "tick", area.left - 10)
            labels.append(write(label, "tick", x=area.left - 9, y=y + 4, anchor="end"))
        else:
            minor.append(f"M{number(area.left)} {number(y)}h-4")
    base = f"M{number(area.left)} {number(area.top)}V{number(area.bottom)}H{number(area.right)}"
    below = area.bottom + 41
    return join(
        (
            element("path", class_="grid", d="".join(grid)),
            element("path", class_="base", d=base + "".join(minor)),
            *labels,
            write(fit(plot.y_axis, "note", field.width), "note", x=0, y=14),
            write(fit(plot.x_axis, "note", field.width), "note", x=area.right, y=below, anchor="end"),
        )
    )


def _names(plot: ScatterPlot, field: _Field, *, numbered: bool) -> tuple[Markup, tuple[str, ...]]:
    """Write every name where it touches neither a point nor another name."""
    area = field.area
    taken = [_around(field.x.place(point.x.median), field.y.place(point.y.median)) for point in plot.points]
    crosses = [bar for point in plot.points for bar in _cross(point, field)]
    names: list[Markup] = []
    missing: list[str] = []
    for index, point in enumerate(plot.points, start=1):
        label = str(index) if numbered else fit(point.label, "name", (area.right - area.left) * 0.6)
        at = (field.x.place(point.x.median), field.y.place(point.y.median))
        size = (text_width(label, "name"), _LETTERS)
        spot = place_around(at, size, within=area, taken=(*taken, *crosses))
        spot = spot or place_around(at, size, within=area, taken=taken)
        if spot is None:
            missing.append(point.label)
            continue
        taken.append(spot)
        middle = (spot.left + spot.right) / 2
        name = write(label, "name", x=middle, y=spot.bottom - 4, anchor="middle", more=point.family)
        names += [_leader(at, spot), name]
    return join(names), tuple(missing)


def _leader(at: tuple[float, float], spot: Rectangle) -> Markup:
    """Lead from a point to a name that is not right beside it."""
    x, y = min(max(at[0], spot.left), spot.right), min(max(at[1], spot.top + 3), spot.bottom - 3)
    if (x - at[0]) ** 2 + (y - at[1]) ** 2 < 26**2:
        return Markup()
    return element("path", class_="leader", d=f"M{number(at[0])} {number(at[1])}L{number(x)} {number(y)}")


def _bars(point: Point, field: _Field) -> Markup:
    left, _, x, _, right = (field.x.place(value) for value in sample_values(point.x))
    bottom, _, y, _, top = (field.y.place(value) for value in sample_values(point.y))
    thin = f"M{number(left)} {number(y)}H{number(right)}M{number(x)} {number(bottom)}V{number(top)}"
    _, left, _, right, _ = (field.x.place(value) for value in sample_values(point.x))
    _, bottom, _, top, _ = (field.y.place(value) for value in sample_values(point.y))
    thick = f"M{number(left)} {number(y)}H{number(right)}M{number(x)} {number(bottom)}V{number(top)}"
    return element(
        "g",
        element("path", class_="whisker", d=thin),
        element("path", class_="quartiles", d=thick),
        class_=point.family,
    )


def _symbol(point: Point, field: _Field) -> Markup:
    x, y = number(field.x.place(point.x.median)), number(field.y.place(point.y.median))
    ring = element("circle", class_="ring", cx=x, cy=y, r=12) if point.ringed else ""
    form = _SYMBOLS.get(point.family, _SYMBOLS["revocation"]).format(x=x, y=y)
    return element(
        "g",
        element("title", point.tip),
        ring,
        element("path", class_="symbol", d=form),
        class_=f"row {point.family}",
    )


def _cross(point: Point, field: _Field) -> tuple[Rectangle, Rectangle]:
    """Return what the error bars of a point cover."""
    left, _, x, _, right = (field.x.place(value) for value in sample_values(point.x))
    bottom, _, y, _, top = (field.y.place(value) for value in sample_values(point.y))
    return Rectangle(left, y - 1, right, y + 1), Rectangle(x - 1, top, x + 1, bottom)


def _around(x: float, y: float) -> Rectangle:
    return Rectangle(x - _ROOM, y - _ROOM, x + _ROOM, y + _ROOM)
