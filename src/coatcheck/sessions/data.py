"""What an application attaches to a session: one JSON object, read and replaced as a whole.

A mapping that silently forgets a change deep inside is a trap, so there is none here: what is read is read-only to
its last leaf, and what is to be kept is written explicitly.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from .._core import json
from .errors import SessionDataError

__all__ = ["MAX_OCTETS", "decode", "editable", "encode"]

MAX_OCTETS = 65_536
_MAX_DEPTH = 32
_NO_OBJECT = "What is attached to a session must be a JSON object."


def encode(data: Mapping[str, Any]) -> bytes:
    """Return data as JSON.

    Raises:
        SessionDataError: If it is no mapping with text keys, holds what JSON cannot say, or exceeds 64 KiB.
    """
    if not isinstance(data, Mapping):
        raise SessionDataError(_NO_OBJECT)
    try:
        text = json.encode(_plain(data, _MAX_DEPTH))
    # Some releases of msgspec cannot write large integers.
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
        raise SessionDataError(_NO_OBJECT) from None
    if len(text) > MAX_OCTETS:
        raise SessionDataError(
            f"What is attached to a session may have {MAX_OCTETS} octets; this has {len(text)}."
        )
    return text


def decode(text: bytes) -> Mapping[str, Any]:
    """Return attached data, read-only to its last leaf: arrays are tuples, objects refuse assignment."""
    frozen: Mapping[str, Any] = _frozen(msgspec.json.decode(text))
    return frozen


def editable(text: bytes) -> dict[str, Any]:
    """Return attached data as a copy of its own, to be changed and written back."""
    copy: dict[str, Any] = msgspec.json.decode(text)
    return copy


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(member) for name, member in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(member) for member in value)
    return value


def _plain(value: Any, depth: int) -> Any:
    """Return a value as what JSON can say exactly, whatever read-only shape it came in."""
    if depth < 0:
        raise ValueError("nested too deep")
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a name is no text")
        return {name: _plain(member, depth - 1) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member, depth - 1) for member in value]
    if isinstance(value, float) and value - value != 0:
        raise ValueError("not a finite number")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError("no JSON value")
