"""Axes: every value is on them, ticks are inside and in order, and their labels never touch."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coatcheck.comparison.plots.lettering import SIZES, text_width
from coatcheck.comparison.plots.scales import LinearScale, LogScale, octets_scale, seconds_scale, tick_seconds
from tests.comparison.page.pictures import unordered

DURATIONS = st.lists(st.floats(min_value=0, max_value=1e12, allow_subnormal=False), min_size=1, max_size=12)
SIZES_OF_THINGS = st.lists(st.floats(min_value=0, max_value=1e17), min_size=1, max_size=12)
ENDS = st.sampled_from([(8.0, 336.0), (240.0, 720.0), (0.0, 60.0)])


@given(DURATIONS, ENDS)
@example([0.0], (8.0, 336.0))
@example([1e-15, 1e12], (8.0, 336.0))
def test_a_duration_is_on_its_axis_and_a_longer_one_is_never_before_it(
    values: list[float], ends: tuple[float, float]
) -> None:
    scale = seconds_scale(values, start=ends[0], end=ends[1])
    places = [scale.place(value) for value in sorted(values)]
    assert all(ends[0] <= place <= ends[1] for place in places)
    assert places == sorted(places)
    check_ticks(scale, ends)
    assert all(tick.value == 0 or scale.low <= tick.value <= scale.high for tick in scale.ticks)


@given(SIZES_OF_THINGS, ENDS)
@example([0.0], (8.0, 336.0))
@example([1.0], (8.0, 336.0))
def test_a_size_is_on_its_axis_and_a_larger_one_is_never_before_it(
    values: list[float], ends: tuple[float, float]
) -> None:
    scale = octets_scale(values, start=ends[0], end=ends[1])
    assert scale.low == 0
    assert scale.high >= max(values)
    places = [scale.place(value) for value in sorted(values)]
    assert all(ends[0] <= place <= ends[1] for place in places)
    assert places == sorted(places)
    check_ticks(scale, ends)


def check_ticks(scale: LogScale | LinearScale, ends: tuple[float, float]) -> None:
    assert not unordered([tick.value for tick in scale.ticks])
    places = [scale.place(tick.value) for tick in scale.ticks]
    assert not unordered(places)
    assert all(ends[0] - 0.01 <= place <= ends[1] + 0.01 for place in places)
    boxes = [
        (place - text_width(tick.label, "tick") / 2, place + text_width(tick.label, "tick") / 2)
        for place, tick in zip(places, scale.ticks, strict=True)
        if tick.label
    ]
    assert boxes
    assert all(one[1] < other[0] for one, other in pairwise(boxes))


@given(DURATIONS)
def test_an_axis_that_runs_upwards_is_the_same_turned_over(values: list[float]) -> None:
    scale = seconds_scale(values, start=480, end=40, upright=True)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)
    assert all(40 <= place <= 480 for place in places)
    heights = sorted(scale.place(tick.value) for tick in scale.ticks if tick.label)
    assert all(other - one >= SIZES["tick"] for one, other in pairwise(heights))


@given(st.lists(st.floats(min_value=1e-9, max_value=1e6), min_size=1, max_size=9))
def test_equal_ratios_are_equal_distances(values: list[float]) -> None:
    scale = seconds_scale(values, start=0, end=400)
    middle = math.sqrt(scale.low * scale.high)
    assert scale.place(middle) == pytest.approx(200)
    assert scale.zero is None


def test_nothing_at_all_is_apart_from_the_shortest_duration() -> None:
    scale = seconds_scale([0.0, 1e-3, 1.0], start=10, end=400)
    assert scale.zero == scale.place(0) == scale.place(-1) == 10
    assert scale.place(scale.low) > 40
    assert scale.ticks[0].label == "0"


def test_what_is_no_number_does_not_bend_an_axis() -> None:
    odd = [math.nan, math.inf, -math.inf]
    assert seconds_scale([*odd, 1e-3, 1.0], start=0, end=9) == seconds_scale([1e-3, 1.0], start=0, end=9)
    assert octets_scale([*odd, 5.0], start=0, end=9) == octets_scale([5.0], start=0, end=9)
    assert octets_scale([5.0], start=0, end=9).place(math.nan) == 0
    assert seconds_scale([1.0], start=0, end=9).place(math.nan) == 0


def test_time_is_counted_in_the_units_that_people_count_in() -> None:
    labels = [tick.label for tick in seconds_scale([1e-6, 86_400], start=0, end=1_400).ticks if tick.label]
    assert labels == [
        *("1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"),
        *("1 min", "10 min", "1 h", "10 h", "1 d"),
    ]


@pytest.mark.parametrize(
    "values, labels",
    [
        ([0.003], ["2 ms", "3 ms", "4 ms"]),
        ([0.011, 0.035], ["10 ms", "20 ms"]),
        ([0.5, 1.5], ["500 ms", "1 s", "2 s"]),
    ],
    ids=["one-value", "within-a-decade", "around-a-decade"],
)
def test_a_short_axis_has_labels_too(values: list[float], labels: list[str]) -> None:
    found = [tick.label for tick in seconds_scale(values, start=0, end=500).ticks if tick.label]
    assert [label for label in found if label in labels] == labels


@pytest.mark.parametrize(
    "seconds, said",
    [
        (1e-12, "1 ps"),
        (2e-9, "2 ns"),
        (1e-5, "10 µs"),
        (0.5, "500 ms"),
        (50, "50 s"),
        (120, "2 min"),
        (8.64e7, "1,000 d"),
    ],
    ids=["ps", "ns", "us", "ms", "s", "min", "d"],
)
def test_a_tick_has_one_number_and_one_unit(seconds: float, said: str) -> None:
    assert tick_seconds(seconds) == said
