"""From what a letter says to its two forms: plain text and HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from .messages import Content
from .model import Letterhead

__all__ = ["render"]

_DARK, _LIGHT = "#000000", "#ffffff"


@cache
def _environment() -> Environment:
    folder = files(__package__).joinpath("templates")
    templates = {
        name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("letter.txt", "letter.html")
    }
    return Environment(
        loader=DictLoader(templates),
        autoescape=lambda name: name is not None and name.endswith(".html"),  # noqa: S701 - the other is plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(content: Content, head: Letterhead) -> tuple[str, str]:
    """Return the plain text and the HTML. Each is complete by itself and loads nothing."""
    values = {"content": content, "head": head, "on_accent": _readable_on(head.accent)}
    text, html = (_environment().get_template(name).render(values) for name in ("letter.txt", "letter.html"))
    return text.strip() + "\n", html


def _readable_on(colour: str) -> str:
    """Return black or white, whichever has more contrast (WCAG 2.2, "contrast ratio")."""
    luminance = _luminance(colour)
    return _LIGHT if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else _DARK


def _luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
