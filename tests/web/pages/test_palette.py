"""Whatever the accent, everything can be read (WCAG 2.2: 1.4.3 and 1.4.11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.web.pages import Brand
from coatcheck.web.pages.palette import contrast, dark_palette, light_palette, readable_on, theme

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
TEXT_ON = [
    *[(text, ground) for text in ("ink", "muted", "accent-text", "danger") for ground in ("card", "ground")],
    *[("ink", ground) for ground in ("danger-soft", "good-soft", "accent-soft")],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-stub", "stub"),
    ("accent-text", "accent-soft"),
    ("on-danger", "danger"),
    ("on-warning", "warning"),
]
EDGES_ON = [("edge", "card"), ("edge", "ground"), ("accent-text", "ground"), ("danger", "ground")]


def assert_readable(palette: dict[str, str]) -> None:
    for text, ground in TEXT_ON:
        assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    for edge, ground in EDGES_ON:
        assert contrast(palette[edge], palette[ground]) >= 3, (edge, ground)


@pytest.mark.parametrize("palette", [light_palette, dark_palette])
def test_the_default_colours_can_be_read(palette: object) -> None:
    assert callable(palette)
    assert_readable(palette(Brand()))


@given(accent=COLOURS, accent_dark=COLOURS)
def test_any_accent_leaves_everything_readable(accent: str, accent_dark: str) -> None:
    brand = Brand(accent=accent, accent_dark=accent_dark)
    assert_readable(light_palette(brand))
    assert_readable(dark_palette(brand))


@given(COLOURS, COLOURS)
def test_contrast_is_symmetric_and_between_1_and_21(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21


@pytest.mark.parametrize(
    "one, other, ratio", [("#000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#ff0000", "#0000ff", 2.15)]
)
def test_contrast_is_that_of_the_standard(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


def test_the_default_accents_are_used_as_they_are() -> None:
    assert light_palette(Brand())["accent-text"] == Brand().accent
    assert dark_palette(Brand())["accent-text"] == Brand().accent_dark
    assert readable_on(Brand().accent) == "#ffffff"
    assert readable_on("#ffdd00") == "#000000"


def test_the_theme_sets_the_same_names_for_light_and_dark() -> None:
    brand = Brand()
    assert light_palette(brand).keys() == dark_palette(brand).keys()
    text = theme(brand)
    assert text.count("--accent:") == 2
    assert "@media screen and (prefers-color-scheme:dark)" in text
