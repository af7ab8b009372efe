"""Elements of a page as text that cannot be anything else: what is not ``Markup`` is escaped.

The outcome is well-formed XML and means the same to a browser that reads it as HTML.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = ["AttributeValue", "Markup", "element", "escape", "join", "number", "visible"]

_ENTITIES: Final = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&#39;",
}
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*", re.ASCII)
# Elements that a browser closes itself, and those of SVG that have nothing inside. All others need an end tag in HTML.
_EMPTY: Final = frozenset({"br", "circle", "col", "hr", "line", "link", "meta", "path", "rect"})

AttributeValue = str | float | bool | None
"""What an attribute can be; see ``element``."""


class Markup(str):
    """Text that is markup already and is not escaped again. Only ``element`` and ``join`` ought to make it."""

    __slots__ = ()


def visible(text: str) -> str:
    """Return the text with a replacement character for everything that is not seen or turns text around."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in _UNSEEN else letter for letter in text
    )


def escape(text: str) -> Markup:
    """Return the text as markup that shows it, in an element or in the quotes of an attribute."""
    return text if isinstance(text, Markup) else Markup(visible(text).translate(_ENTITIES))


def join(parts: Iterable[str]) -> Markup:
    """Return the parts one after the other; those that are not markup are escaped."""
    return Markup("".join(escape(part) for part in parts))


def element(name: str, /, *children: str, **attributes: AttributeValue) -> Markup:
    """Return an element.

    Args:
        name: Its name.
        *children: What is inside; text is escaped.
        **attributes: By name; ``_`` stands for ``-``, and one at the end for nothing: ``class_``. ``None`` and
            ``False`` leave an attribute out, ``True`` repeats its name. Numbers keep two decimals.

    Raises:
        ValueError: If the name of the element or of an attribute is none, or a number is not finite.
    """
    opening = name + "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
    )
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an element")
    if name in _EMPTY and not children:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{join(children)}</{name}>")


def number(value: float) -> str:
    """Return a coordinate with at most two decimals: ``12``, ``0.5``.

    Raises:
        ValueError: If it is not finite.
    """
    if not math.isfinite(value):
        raise ValueError("a coordinate that is not finite")
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attribute(name: str, value: AttributeValue) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an attribute")
    if value is None or value is False:
        return ""
    if value is True:
        return f' {name}="{name}"'
    return f' {name}="{escape(value) if isinstance(value, str) else number(value)}"'
