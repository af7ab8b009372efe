"""How the value of a setting is read, whatever it comes from: text, TOML's own types, or Python's.

Every function here raises ``ValueError`` with a sentence that names neither key nor source: the caller knows them.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from .secret import Secret

__all__ = ["About", "did_you_mean", "parse_duration", "read_value", "write_duration"]

_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"\d{1,9} ?(?:s|min|m|h|d|w)(?: ?\d{1,9} ?(?:s|min|m|h|d|w))*")
_PART = re.compile(r"(\d+) ?([a-z]+)")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_INTEGER = re.compile(r"-?\d{1,12}")
_LONGEST = 4096


class About(msgspec.Struct, frozen=True):
    """What there is to know about a setting besides its type.

    Attributes:
        text: What it does, in one line, for the documentation.
        check: Returns the value in its canonical form, or raises ``ValueError``. For a list, of each element.
        least: The smallest value that makes sense.
        most: The largest.
    """

    text: str
    check: Callable[[str], str] | None = None
    least: Any = None
    most: Any = None


def did_you_mean(given: str, known: list[str]) -> str:
    """Return a question that names the closest known word, with a space before it, or nothing."""
    close = get_close_matches(given, known, n=1, cutoff=0.7)
    close += [word for word in known if len(given) >= 3 and word.startswith(given)]
    return f" Did you mean {close[0]!r}?" if close else ""


def parse_duration(text: str) -> timedelta:
    """Read a span of time: numbers with units, as in ``90 s``, ``5 min``, ``1h30m``, ``14 d`` or ``2 w``."""
    if not _DURATION.fullmatch(text):
        raise ValueError(
            "it is no span of time. Write a number with its unit, s, min, h, d or w: 90 s, 5 min, 1 h 30 min, 14 d."
        )
    try:
        return timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text)))
    except OverflowError:
        raise ValueError("it is too long a span of time.") from None


def write_duration(span: timedelta) -> str:
    """Write a span of time as ``parse_duration`` reads it."""
    seconds = int(span.total_seconds())
    for unit in ("d", "h", "min"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]} {unit}"
    return f"{seconds} s"


def read_value(kind: Any, given: Any, about: About) -> Any:
    """Return a setting's value in its type, checked by itself.

    Args:
        kind: The type that the setting is declared with.
        given: What stands in the source.
        about: Bounds and form.

    Raises:
        ValueError: Why not, as a sentence without subject; it never quotes a secret.
    """
    if get_origin(kind) in {types.UnionType, Union}:
        (inner,) = (part for part in get_args(kind) if part is not type(None))
        if given is None or (given == "none" and inner is not Secret):
            return None
        return read_value(inner, given, about)
    if get_origin(kind) is tuple:
        return tuple(_checked(entry, about) for entry in _entries(given))
    value = _of_kind(kind, given)
    if about.least is not None and not about.least <= value <= about.most:
        raise ValueError(f"it must be from {_shown(about.least)} to {_shown(about.most)}.")
    return _checked(value, about)


def _shown(bound: Any) -> str:
    return write_duration(bound) if isinstance(bound, timedelta) else str(bound)


def _checked(value: Any, about: About) -> Any:
    if about.check is None:
        return value
    if isinstance(value, Secret):
        about.check(value.reveal())
        return value
    return about.check(value)


def _of_kind(kind: Any, given: Any) -> Any:
    if get_origin(kind) is Literal:
        return _choice(given, list(get_args(kind)))
    return _READERS[kind](given)


def _choice(given: Any, choices: list[str]) -> str:
    if isinstance(given, str) and given in choices:
        return given
    listed = " or ".join(f'"{choice}"' for choice in choices)
    hint = did_you_mean(given, choices) if isinstance(given, str) else ""
    raise ValueError(f"it must be {listed}.{hint}")


def _text(given: Any) -> str:
    text = str(given) if isinstance(given, Path) else given
    if not isinstance(text, str):
        raise ValueError("it must be text.")  # noqa: TRY004 - a value, not a call, is wrong
    if len(text) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters.")
    if not text.isprintable():
        raise ValueError("it has control characters, or is not text.")
    return text


def _secret(given: Any) -> Secret:
    return Secret(_text(given.reveal() if isinstance(given, Secret) else given))


def _boolean(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _BOOLEANS:
        return _BOOLEANS[given.lower()]
    raise ValueError("it must be true or false.")


def _integer(given: Any) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and _INTEGER.fullmatch(given):
        return int(given)
    raise ValueError("it must be a whole number.")


def _duration(given: Any) -> timedelta:
    if isinstance(given, timedelta):
        return given
    if isinstance(given, str):
        return parse_duration(given)
    raise ValueError("it must be a span of time with its unit, such as 5 min, or a timedelta.")


def _entries(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(filter(None, (_text(part.strip()) for part in given.split(","))))
    if isinstance(given, list | tuple | set | frozenset):
        return tuple(
            _text(entry) for entry in (sorted(given) if isinstance(given, set | frozenset) else given)
        )
    raise ValueError("it must be a list of texts.")


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    Secret: _secret,
    bool: _boolean,
    int: _integer,
    timedelta: _duration,
}
