"""From one accent colour to all colours of a page, light and dark, each readable where it stands.

Contrast is that of WCAG 2.2: at least 4.5 : 1 for text (1.4.3) and 3 : 1 for the edges of controls (1.4.11).
"""

from __future__ import annotations

from collections.abc import Iterable

from .brand import Brand

__all__ = ["contrast", "dark_palette", "light_palette", "readable_on", "theme"]

_WHITE, _BLACK = "#ffffff", "#000000"
_TEXT, _EDGE = 4.6, 3.1  # a little above the limits, for browsers round


def theme(brand: Brand) -> str:
    """Return the brand's colours as CSS custom properties. Printed pages are always light."""
    light = _declarations(light_palette(brand))
    dark = _declarations(dark_palette(brand))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def light_palette(brand: Brand) -> dict[str, str]:
    """Return the colours by name for light ground. The neutral ones carry a breath of the accent."""
    accent = brand.accent
    card, ground = mix("#ffffff", accent, 0.012), mix("#f1f2f1", accent, 0.06)
    surfaces = (card, ground)
    ink = mix("#16191a", accent, 0.1)
    return {
        **_shared(accent, ink=ink, surfaces=surfaces, end=_BLACK),
        "stub": accent,
        "on-stub": readable_on(accent),
        "danger": _legible("#b3261e", surfaces, end=_BLACK),
        "on-danger": _WHITE,
        "danger-soft": mix(card, "#b3261e", 0.08),
        "good": _legible("#1f7a4d", surfaces, end=_BLACK),
        "good-soft": mix(card, "#1f7a4d", 0.1),
        "warning": "#ffd75e",
        "on-warning": "#2b2100",
        "shadow": "#10201a2e",
    }


def dark_palette(brand: Brand) -> dict[str, str]:
    """Return the colours by name for dark ground. The stub keeps the light accent, toned down if it would glare."""
    accent = brand.accent_dark
    card, ground = mix("#1c1f1f", accent, 0.05), mix("#0f1111", accent, 0.03)
    surfaces = (card, ground)
    ink = mix("#f1f3f2", accent, 0.06)
    stub = _legible(brand.accent, (_WHITE,), end=_BLACK, least=7.5)
    return {
        **_shared(accent, ink=ink, surfaces=surfaces, end=_WHITE),
        "stub": stub,
        "on-stub": _legible(accent, (stub,), end=_WHITE),
        "danger": _legible("#ff9d94", surfaces, end=_WHITE),
        "on-danger": "#3b0502",
        "danger-soft": mix(card, "#ff7b70", 0.13),
        "good": _legible("#4fd18f", surfaces, end=_WHITE),
        "good-soft": mix(card, "#4fd18f", 0.13),
        "warning": "#e8bf45",
        "on-warning": "#231a00",
        "shadow": "#00000099",
    }


def _shared(accent: str, *, ink: str, surfaces: tuple[str, str], end: str) -> dict[str, str]:
    card, ground = surfaces
    soft = mix(card, accent, 0.1)
    on_accent = readable_on(accent)
    return {
        "ground": ground,
        "card": card,
        "ink": ink,
        "muted": _legible(mix(ink, card, 0.34), surfaces, end=end),
        "line": mix(card, ink, 0.13),
        "edge": _legible(mix(card, ink, 0.5), surfaces, end=end, least=_EDGE),
        "accent": accent,
        "on-accent": on_accent,
        # A button under the pointer moves away from its own text, so that it only gets more readable.
        "accent-strong": mix(accent, _WHITE if on_accent == _BLACK else _BLACK, 0.16),
        "accent-text": _legible(accent, (*surfaces, soft), end=end),
        "accent-soft": soft,
    }


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_on(colour: str) -> str:
    """Return white or black, whichever can be read on the colour. White wins where both can."""
    return _WHITE if contrast(_WHITE, colour) >= _TEXT else _BLACK


def mix(colour: str, other: str, share: float) -> str:
    """Return the colour with a share of another in it, from 0 to 1."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _legible(colour: str, surfaces: Iterable[str], *, end: str, least: float = _TEXT) -> str:
    """Return the colour, moved towards an end until it is readable on all of the surfaces."""
    surfaces = tuple(surfaces)
    shades = (mix(colour, end, step / 25) for step in range(26))
    return next((s for s in shades if all(contrast(s, ground) >= least for ground in surfaces)), end)


def _luminance(colour: str) -> float:
    red, green, blue = (
        channel / 255 / 12.92 if channel / 255 <= 0.04045 else ((channel / 255 + 0.055) / 1.055) ** 2.4
        for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _declarations(palette: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())
