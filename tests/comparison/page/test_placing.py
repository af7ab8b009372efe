"""Labels: none touches another, whatever there is to place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coatcheck.comparison.plots.lettering import SIZES, Kind, fit, text_width, wrap
from coatcheck.comparison.plots.marks import dot_path
from coatcheck.comparison.plots.placing import Rectangle, place_around, stack

FIELD = Rectangle(0, 0, 400, 300)
POINTS = st.tuples(st.floats(0, 400), st.floats(0, 300))
LABELS = st.lists(st.tuples(st.floats(0, 400), st.floats(1, 180)), max_size=12)


@given(LABELS)
def test_labels_over_a_line_do_not_touch(labels: list[tuple[float, float]]) -> None:
    placed = stack(labels, low=0, high=400)
    boxes = [
        Rectangle(left, level * 10, left + width, level * 10 + 10)
        for (left, level), (_, width) in zip(placed, labels, strict=True)
    ]
    assert not any(one.touches(other) for n, one in enumerate(boxes) for other in boxes[n + 1 :])
    assert all(box.left >= 0 and box.right <= 400.001 for box in boxes)
    assert {level for _, level in placed} == set(range(len({level for _, level in placed})))


@given(st.lists(st.tuples(POINTS, st.floats(5, 200)), max_size=25))
def test_labels_around_points_do_not_touch(points: list[tuple[tuple[float, float], float]]) -> None:
    placed: list[Rectangle] = []
    for point, width in points:
        spot = place_around(point, (width, 16), within=FIELD, taken=placed)
        if spot is not None:
            assert FIELD.holds(spot)
            assert not any(spot.touches(other) for other in placed)
            placed.append(spot)


def test_a_label_stands_right_beside_its_point_if_there_is_room() -> None:
    spot = place_around((100, 100), (60, 16), within=FIELD, taken=())
    assert spot == Rectangle(113.5, 92, 173.5, 108)
    assert place_around((100, 100), (500, 16), within=FIELD, taken=()) is None


@given(st.text(max_size=80), st.sampled_from(sorted(SIZES)), st.floats(0, 300))
def test_what_is_cut_fits(text: str, kind: Kind, width: float) -> None:
    cut = fit(text, kind, width)
    assert cut == "" or text_width(cut, kind) <= width
    lines = wrap(text, kind, width)
    assert len(lines) <= 2
    assert all(text_width(line, kind) <= width for line in lines)


def test_a_name_breaks_between_words_and_ends_in_an_ellipsis() -> None:
    assert wrap("Encrypted JWT, shared key", "label", 500) == ("Encrypted JWT, shared key",)
    assert wrap("Encrypted JWT, shared key", "label", 125) == ("Encrypted JWT,", "shared key")
    assert wrap("one two three four five", "label", 60) == ("one two", "three…")
    assert wrap("x" * 10**6, "label", 60)[0].startswith("xxx")
    assert wrap("", "label", 60) == wrap(" \n ", "label", 60) == ()
    assert text_width("人", "label") > text_width("w", "label")
    assert text_width("e\N{COMBINING ACUTE ACCENT}", "label") == text_width("e", "label")


@given(st.lists(st.floats(0, 300), max_size=60))
def test_every_dot_stands_at_its_own_place(places: list[float]) -> None:
    path = dot_path(places, 20, 22)
    found = [part.split(" ") for part in path.replace("h0", "").split("M")[1:]]
    assert [float(x) for x, _ in found] == [round(place, 1) for place in sorted(places)]
    assert all(20 - 11 <= float(y) <= 20 + 11 for _, y in found)


def test_equal_dots_are_spread() -> None:
    heights = [part.split(" ")[1] for part in dot_path([5.0] * 5, 20, 22).replace("h0", "").split("M")[1:]]
    assert len(set(heights)) == 5
