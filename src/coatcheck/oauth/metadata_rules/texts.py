"""What is only ever shown or compared: bounded, and without what a terminal or a page would obey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .refusal import refused

__all__ = ["check_text", "check_texts"]

_LONGEST: Final = 255
_MOST: Final = 20


def check_text(field: str, text: str | None) -> str | None:
    """Return a short text, or ``None`` if it is empty.

    Raises:
        InvalidClientMetadataError: If it is too long, or has letters that are not printed.
    """
    if not text:
        return None
    if len(text) > _LONGEST or not text.isprintable():
        raise refused(field, f"it has at most {_LONGEST} letters, all of which can be seen.")
    return text


def check_texts(field: str, texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return several short texts.

    Raises:
        InvalidClientMetadataError: If one is empty, too long or not printable, or there are too many.
    """
    found = tuple(texts or ())
    if len(found) > _MOST or not all(check_text(field, each) for each in found):
        raise refused(field, f"it has at most {_MOST} short texts.")
    return found
