"""Attached data: read-only to its last leaf, and never silently something else than what was given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.sessions.data import MAX_OCTETS, decode, editable, encode
from coatcheck.sessions.errors import SessionDataError

LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECT = st.dictionaries(st.text(max_size=8), VALUE, max_size=5)


@given(OBJECT)
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    text = encode(value)
    assert editable(text) == value
    assert encode(decode(text)) == encode(editable(text)) == text


@given(OBJECT)
def test_what_is_read_is_read_only_to_its_last_leaf(value: dict[str, Any]) -> None:
    def check(part: object) -> None:
        if isinstance(part, Mapping):
            assert isinstance(part, MappingProxyType)
            for member in part.values():
                check(member)
        elif isinstance(part, tuple):
            for member in part:
                check(member)
        else:
            assert part is None or isinstance(part, (str, bool, int, float))

    check(decode(encode(value)))


def test_a_change_deep_inside_what_was_read_is_refused_and_not_lost() -> None:
    read = decode(b'{"cart":{"items":[{"n":1}]}}')
    with pytest.raises(TypeError):
        read["cart"]["items"][0]["n"] = 2
    with pytest.raises(TypeError):
        read["cart"] = {}  # type: ignore[index]  # that is the point
    copy = editable(b'{"cart":{"items":[]}}')
    copy["cart"]["items"].append(1)
    assert encode(copy) == b'{"cart":{"items":[1]}}'


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


class Odd(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": [float("inf")]},
        {"a": {"b": -float("inf")}},
        {"a": b"octets"},
        {"a": {1, 2}},
        {"a": object()},
        {1: "a"},
        {"a": {None: 1}},
        {b"a": 1},
        {"a": "\ud800"},
        {"\ud800": 1},
        {"a": 1j},
        nested(33),
        nested(50_000),
        [1],
        "text",
        None,
        1,
        [("a", 1)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_exactly_is_refused(value: Any) -> None:
    with pytest.raises(SessionDataError):
        encode(value)


def test_what_contains_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(SessionDataError):
        encode(value)


def test_32_levels_are_kept() -> None:
    assert editable(encode(nested(32))) == nested(32)


def test_64_kib_are_kept_and_one_more_octet_is_refused() -> None:
    value = {"a": "x" * (MAX_OCTETS - len(b'{"a":""}'))}
    assert len(encode(value)) == MAX_OCTETS
    with pytest.raises(SessionDataError, match="65537"):
        encode({"a": value["a"] + "x"})
    with pytest.raises(SessionDataError):  # octets, not characters
        encode({"a": "é" * 40_000})


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30, -(2**63) - 1])
def test_a_large_integer_is_kept_exactly_or_refused(number: int) -> None:
    try:
        text = encode({"n": number})
    except SessionDataError:
        return
    assert editable(text) == {"n": number}
