"""A picture with a row for each design: its name, its marks on an axis that all rows share, and its figures.

The same rows are drawn twice: for a wide page with the names on the left, and for a narrow one with them above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from .lettering import fit, middle_of, text_width, wrap, write
from .marks import Mark
from .markup import Markup, element, join, number
from .placing import stack
from .scales import Scale, octets_scale, seconds_scale

__all__ = ["NARROW", "WIDE", "Row", "RowPlot", "Threshold", "draw_rows"]

WIDE: Final = 880.0
NARROW: Final = 344.0
"""How wide the two pictures are, in their own units: those of a desk, and those of a phone."""

_LINE: Final = 17.0
_COLUMN_GAP: Final = 20.0
_LABELS: Final = 226.0
_MOST_COLUMN: Final = 104.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One design.

    Attributes:
        label: Its name.
        family: Its kind, for the colour.
        marks: What stands for its figures; none where there are none.
        values: The figures in words, one for each column.
        tip: What a pointer that rests on it is told.
        note: What stands in place of marks, if there are none.
        group: The rows with the same text here stand together beneath it; empty for none.
    """

    label: str
    family: str
    marks: tuple[Mark, ...]
    values: tuple[str, ...]
    tip: str
    note: str = ""
    group: str = ""


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A line across all rows: a limit.

    Attributes:
        value: Where.
        label: What it is.
    """

    value: float
    label: str


class RowPlot(msgspec.Struct, frozen=True, kw_only=True):
    """All that is in the picture.

    Attributes:
        id: A name for it that no other picture of the page has.
        title: What it shows.
        description: The same in a few sentences, for those who do not see it.
        unit: What the axis counts: octets on a linear one, seconds on a logarithmic one.
        axis: What the axis says below its ticks.
        columns: What the figures in words are.
        rows: From top to bottom.
        thresholds: Limits.
        lane: How high the marks of one row are.
    """

    id: str
    title: str
    description: str
    unit: Literal["octets", "seconds"]
    axis: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    thresholds: tuple[Threshold, ...] = ()
    lane: float = 32.0


class _Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are: ``columns`` are the right edges of the figures in words."""

    narrow: bool
    width: float
    labels: float
    columns: tuple[float, ...]
    column_widths: tuple[float, ...]
    scale: Scale


def draw_rows(plot: RowPlot, *, narrow: bool) -> Markup:
    """Return the picture as an ``svg`` element.

    Args:
        plot: What is in it.
        narrow: Whether it is the one for a phone.
    """
    frame = _frame(plot, narrow=narrow)
    head, y = _head(plot, frame)
    rows: list[Markup] = []
    lanes: list[tuple[float, float]] = []
    group = ""
    for row in plot.rows:
        if row.group and row.group != group:
            y += 14 if rows else 2
            rows.append(write(fit(row.group, "group", frame.width), "group", x=0, y=y + 12))
            y += 24
        group = row.group
        drawn, lane, below = _row(row, frame, y=y, room=plot.lane)
        rows.append(drawn)
        if lanes and not narrow and lanes[-1][1] == y:
            lanes[-1] = (lanes[-1][0], below)
        else:
            lanes.append(lane if narrow else (y, below))
        y = below
    identity = f"{plot.id}-{'narrow' if narrow else 'wide'}"
    axis, height = _axis(plot, frame, lanes=lanes, bottom=y + 2)
    return element(
        "svg",
        element("title", plot.title, id=f"{identity}-title"),
        element("desc", plot.description, id=f"{identity}-desc"),
        axis,
        head,
        *rows,
        class_=f"plot {'narrow' if narrow else 'wide'}",
        viewBox=f"0 0 {number(frame.width)} {number(height)}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
    )


def _frame(plot: RowPlot, *, narrow: bool) -> _Frame:
    width = NARROW if narrow else WIDE
    column_widths = tuple(
        min(
            max([text_width(name, "head"), *(text_width(row.values[n], "value") for row in plot.rows)]),
            _MOST_COLUMN,
        )
        for n, name in enumerate(plot.columns)
    )
    edges: list[float] = []
    edge = width
    for column in reversed(column_widths):
        edges.insert(0, edge)
        edge -= column + _COLUMN_GAP
    labels = edge if narrow else _label_width(plot.rows)
    start, end = (8.0, width - 8) if narrow else (labels + 18, edge - 6)
    values = [value for row in plot.rows for mark in row.marks for value in mark.values()]
    values += [threshold.value for threshold in plot.thresholds]
    make = octets_scale if plot.unit == "octets" else seconds_scale
    return _Frame(
        narrow=narrow,
        width=width,
        labels=labels,
        columns=tuple(edges),
        column_widths=column_widths,
        scale=make(values, start=start, end=end, width=width),
    )


def _label_width(rows: Sequence[Row]) -> float:
    widest = max((text_width(row.label[:80], "label") for row in rows), default=0.0)
    return min(max(widest, 120.0), _LABELS)


def _head(plot: RowPlot, frame: _Frame) -> tuple[Markup, float]:
    """Return what stands above the rows, and where they begin."""
    placed = stack(
        [(frame.scale.place(each.value), text_width(each.label, "note")) for each in plot.thresholds],
        low=0 if frame.narrow else frame.scale.start,
        high=frame.width if frame.narrow else frame.scale.end,
    )
    levels = max((level + 1 for _, level in placed), default=0)
    # On a wide page the names of limits and of columns share a line, for they are in different parts of it.
    columns_at = 12.0 if frame.narrow or not levels else levels * 15.0 - 3
    first = 12.0 + (18.0 if frame.narrow and levels else 0.0)
    room = frame.width if frame.narrow else frame.scale.end - frame.scale.start
    parts = [
        write(fit(name, "head", width), "head", x=edge, y=columns_at, anchor="end")
        for name, edge, width in zip(plot.columns, frame.columns, frame.column_widths, strict=True)
    ]
    parts += [
        write(fit(each.label, "note", room), "note", x=left, y=first + level * 15, more="threshold-name")
        for each, (left, level) in zip(plot.thresholds, placed, strict=True)
    ]
    return join(parts), max(first + (levels - 1) * 15 if levels else 0.0, columns_at) + 8


def _row(row: Row, frame: _Frame, *, y: float, room: float) -> tuple[Markup, tuple[float, float], float]:
    """Return a row, from where to where its marks are, and where the next one begins."""
    lines = wrap(row.label, "label", max(frame.labels, 60.0))
    if frame.narrow:
        first = y + 15
        middle = first + (len(lines) - 1) * _LINE + 6 + room / 2
        below = middle + room / 2 + 7
    else:
        height = max(room, len(lines) * _LINE + 4)
        middle = y + height / 2
        first = middle - (len(lines) - 1) * _LINE / 2 + 4.5
        below = y + height
    texts = [write(line, "label", x=0, y=first + n * _LINE) for n, line in enumerate(lines)]
    values_at = first if frame.narrow else middle + 4.5
    texts += [
        write(fit(value, "value", width), "value", x=edge, y=values_at, anchor="end")
        for value, edge, width in zip(row.values, frame.columns, frame.column_widths, strict=True)
    ]
    line = f"M{number(frame.scale.start)} {number(middle)}H{number(frame.scale.end)}"
    marks = [element("path", class_="lane", d=line), *(mark.draw(frame.scale, middle) for mark in row.marks)]
    if not row.marks:
        note = fit(row.note, "note", frame.scale.end - frame.scale.start)
        marks = [write(note, "note", x=frame.scale.start, y=middle + 4)]
    drawn = element("g", element("title", row.tip), *texts, *marks, class_=f"row {row.family}")
    return drawn, (middle - room / 2, middle + room / 2), below


def _axis(
    plot: RowPlot, frame: _Frame, *, lanes: Sequence[tuple[float, float]], bottom: float
) -> tuple[Markup, float]:
    """Return the axis, with its lines behind the marks but not behind words, and how high the picture is."""
    scale = frame.scale
    lines: list[str] = []
    minor: list[str] = []
    labels: list[Markup] = []
    for tick in scale.ticks:
        x = scale.place(tick.value)
        if tick.label:
            lines += [
                f"M{number(x)} {number(top)}V{number(end)}" for top, end in (*lanes, (bottom - 2, bottom + 4))
            ]
            middle = middle_of(tick.label, "tick", x, width=frame.width)
            labels.append(write(tick.label, "tick", x=middle, y=bottom + 17, anchor="middle"))
        else:
            minor.append(f"M{number(x)} {number(bottom)}v4")
    base = f"M{number(scale.place(0) if plot.unit == 'octets' else scale.start)} {number(bottom)}H{number(scale.end)}"
    limits = [
        f"M{number(scale.place(each.value))} {number(top)}V{number(end)}"
        for each in plot.thresholds
        for top, end in lanes
    ]
    title_at = bottom + 37
    left = 0.0 if frame.narrow else scale.start
    parts = (
        element("path", class_="grid", d="".join(lines)),
        element("path", class_="base", d=base + "".join(minor)),
        element("path", class_="threshold", d="".join(limits)) if limits else "",
        *labels,
        write(fit(plot.axis, "note", frame.width - left), "note", x=left, y=title_at),
    )
    return join(parts), title_at + 8
