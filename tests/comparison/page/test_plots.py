"""Pictures: well-formed, and no two texts touch, whatever the figures and the names are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from coatcheck.comparison.page.saying import say_octets, say_seconds
from coatcheck.comparison.plots.marks import Band, Bar, Box, Dots, Mark
from coatcheck.comparison.plots.markup import visible
from coatcheck.comparison.plots.rows import Row, RowPlot, Threshold, draw_rows
from coatcheck.comparison.plots.scatter import Point, ScatterPlot, draw_scatter
from tests.comparison.page.pictures import overlapping, read_picture, texts_of
from tests.comparison.page.sample import sample_of

FAMILIES = st.sampled_from(["coatcheck", "session", "signed", "encrypted", "revocation"])
NAMES = st.one_of(
    st.text(max_size=60), st.sampled_from(["Opaque ID", "Encrypted JWT, public key", "M" * 70, "<b>&"])
)
TIMES = st.floats(min_value=0, max_value=1e9, allow_subnormal=False)
SAMPLES = st.lists(TIMES, min_size=2, max_size=8).map(sample_of)


@st.composite
def seconds_plots(draw: st.DrawFn) -> RowPlot:
    rows = draw(
        st.lists(st.tuples(NAMES, FAMILIES, st.none() | SAMPLES, st.none() | TIMES), min_size=1, max_size=7)
    )
    return plot_of(
        "seconds",
        [
            Row(
                label=name,
                family=family,
                marks=marks_of(sample, longest),
                values=(say_seconds(sample.median if sample else None), say_seconds(longest)),
                tip=name,
                note=f"not measured: {name}",
                group=draw(st.sampled_from(["", "One group", "Another"])),
            )
            for name, family, sample, longest in rows
        ],
    )


def marks_of(sample: object, longest: float | None) -> tuple[Mark, ...]:
    from coatcheck.comparison.model import Sample

    marks: list[Mark] = []
    if longest is not None:
        marks.append(Band(low=0.0, high=longest, dashed=sample is None))
    if isinstance(sample, Sample):
        marks += [
            Box(sample=sample),
            Box(sample=sample, hollow=True, offset=6),
            Dots(figures=sample.figures, median=sample.median),
        ]
    return tuple(marks)


@st.composite
def octets_plots(draw: st.DrawFn) -> RowPlot:
    rows = draw(st.lists(st.tuples(NAMES, FAMILIES, st.integers(0, 10**9)), min_size=1, max_size=7))
    limits = draw(st.lists(st.tuples(st.integers(1, 10**9), NAMES), max_size=4))
    return plot_of(
        "octets",
        [
            Row(
                label=name,
                family=family,
                marks=(Bar(value=size),),
                values=(say_octets(size), say_octets(size * 10**6)),
                tip=name,
            )
            for name, family, size in rows
        ],
        limits,
    )


def plot_of(unit: str, rows: list[Row], limits: list[tuple[int, str]] | None = None) -> RowPlot:
    return RowPlot(
        id="any",
        title="A title",
        description="A description",
        unit="octets" if unit == "octets" else "seconds",
        axis="what is counted",
        columns=("median", "at most"),
        rows=tuple(rows),
        thresholds=tuple(Threshold(value=value, label=label) for value, label in limits or ()),
    )


def check_picture(svg: str) -> ET.Element:
    picture = read_picture(svg)
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    texts = texts_of(picture)
    assert overlapping(texts) == []
    for text in texts:
        assert text.left >= -0.1, text
        assert text.right <= width + 0.1, text
        assert text.top >= 0, text
        assert text.bottom <= height, text
    for path in picture.iter("path"):
        for x, y in places_in(path.attrib["d"]):
            assert 0 <= x <= width
            assert 0 <= y <= height
    return picture


def places_in(path: str) -> Iterator[tuple[float, float]]:
    """Return where a path goes by absolute commands, except for symbols, which go on from their middle."""
    x = y = 0.0
    for command, first, _, second in re.findall(r"([MHVL])([-0-9.]+)( ([-0-9.]+))?", path):
        x, y = {"H": (float(first), y), "V": (x, float(first))}.get(command) or (
            float(first),
            float(second or y),
        )
        yield x, y


@settings(max_examples=20)
@given(st.one_of(seconds_plots(), octets_plots()), st.booleans())
def test_no_text_touches_another_or_leaves_the_picture(plot: RowPlot, narrow: bool) -> None:  # noqa: FBT001 - drawn
    picture = check_picture(draw_rows(plot, narrow=narrow))
    assert [child.text for child in picture][:2] == ["A title", "A description"]
    tips = [title.text or "" for group in picture.iter("g") for title in group.findall("title")]
    assert tips == [visible(row.tip) for row in plot.rows]


@st.composite
def scatter_plots(draw: st.DrawFn) -> ScatterPlot:
    points = draw(
        st.lists(st.tuples(NAMES, FAMILIES, SAMPLES, SAMPLES, st.booleans()), min_size=1, max_size=8)
    )
    return ScatterPlot(
        id="any",
        title="A title",
        description="A description",
        x_axis="to the right",
        y_axis="upwards",
        points=tuple(
            Point(label=name or "x", family=family, x=x, y=y, tip=name, ringed=ringed)
            for name, family, x, y, ringed in points
        ),
    )


@settings(max_examples=20)
@given(scatter_plots(), st.booleans())
def test_no_name_of_a_point_touches_another(plot: ScatterPlot, narrow: bool) -> None:  # noqa: FBT001 - drawn
    svg, missing = draw_scatter(plot, narrow=narrow)
    picture = check_picture(svg)
    names = [text for text in picture.iter("text") if text.attrib["class"].startswith("name")]
    assert len(names) + len(missing) == len(plot.points)
    assert set(missing) <= {point.label for point in plot.points}


def test_on_a_narrow_page_points_have_numbers() -> None:
    points = tuple(
        Point(
            label=f"Design {n}", family="signed", x=sample_of([n, 2.0 * n]), y=sample_of([n, 3.0 * n]), tip=""
        )
        for n in (1, 10)
    )
    plot = ScatterPlot(id="a", title="", description="", x_axis="", y_axis="", points=points)
    shown = [
        [text.text for text in texts_of(read_picture(draw_scatter(plot, narrow=narrow)[0]))]
        for narrow in (False, True)
    ]
    assert {"Design 1", "Design 10"} <= set(shown[0])
    assert {"1", "2"} <= set(shown[1])


def test_the_same_values_give_the_same_picture() -> None:
    row = Row(label="a", family="signed", marks=(Bar(value=5),), values=("5 B", "5 B"), tip="a")
    assert draw_rows(plot_of("octets", [row]), narrow=True) == draw_rows(
        plot_of("octets", [row]), narrow=True
    )
