"""Colours: readable on their ground, and apart from each other for those who see fewer of them.

What a reader without red or green cones sees is worked out as in Viénot, Brettel and Mollon, "Digital video
colourmaps for checking the legibility of displays by dichromats" (1999); contrast is that of WCAG 2.2.
"""

from __future__ import annotations

import math
import re
from importlib import resources
from itertools import combinations

import pytest

Colour = tuple[float, float, float]

STYLE = resources.files("coatcheck.comparison.page").joinpath("style.css").read_text(encoding="utf-8")
BLOCKS = {"light": STYLE.split("@media")[0], "dark": STYLE.split("@media")[1]}
HUES = ("coatcheck", "session", "signed", "encrypted", "revocation")
# From linear RGB to what cones answer, and back.
TO_CONES = ((17.8824, 43.5161, 4.11935), (3.45565, 27.1554, 3.86714), (0.0299566, 0.184309, 1.46709))
FROM_CONES = (
    (0.080944, -0.130504, 0.116721),
    (-0.0102485, 0.0540194, -0.113615),
    (-0.000365294, -0.00412163, 0.693513),
)
SIGHTS = {
    "all-cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no-red-cones": ((0, 2.02344, -2.52581), (0, 1, 0), (0, 0, 1)),
    "no-green-cones": ((1, 0, 0), (0.494207, 0, 1.24827), (0, 0, 1)),
}


def colour(scheme: str, name: str) -> Colour:
    found = re.search(rf"--{name}: #([0-9a-f]{{6}});", BLOCKS[scheme])
    assert found is not None, name
    red, green, blue = (linear(int(found[1][n : n + 2], 16) / 255) for n in (0, 2, 4))
    return red, green, blue


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def times(matrix: tuple[tuple[float, float, float], ...], vector: Colour) -> Colour:
    one, two, three = (
        sum(factor * value for factor, value in zip(row, vector, strict=True)) for row in matrix
    )
    return one, two, three


def luminance(rgb: Colour) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(one: Colour, other: Colour) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Colour) -> Colour:
    """Return CIELAB coordinates (D65), in which a distance of 10 is a difference that nobody misses."""
    x = (0.4124 * rgb[0] + 0.3576 * rgb[1] + 0.1805 * rgb[2]) / 0.9505
    y = luminance(rgb)
    z = (0.0193 * rgb[0] + 0.1192 * rgb[1] + 0.9505 * rgb[2]) / 1.089
    fx, fy, fz = (
        max(value, 0) ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_can_be_seen_on_their_ground(scheme: str) -> None:
    for ground in ("ground", "card", "soft"):
        for text in ("ink", "muted", "accent"):
            assert contrast(colour(scheme, text), colour(scheme, ground)) >= 4.5, (text, ground)
    assert contrast(colour(scheme, "threshold"), colour(scheme, "card")) >= 4.5
    for hue in HUES:
        assert contrast(colour(scheme, hue), colour(scheme, "card")) >= 3, hue


@pytest.mark.parametrize("sight", sorted(SIGHTS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_kinds_of_designs_are_told_apart_with_any_cones(scheme: str, sight: str) -> None:
    seen = {}
    for hue in HUES:
        cones = times(SIGHTS[sight], times(TO_CONES, colour(scheme, hue)))
        seen[hue] = lab(times(FROM_CONES, cones))
    near = {pair: math.dist(seen[pair[0]], seen[pair[1]]) for pair in combinations(HUES, 2)}
    assert min(near.values()) >= 10, near
