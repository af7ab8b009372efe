"""JSON is read strictly: UTF-8, one meaning, bounded nesting."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core.json import JSONError, decode_object, encode, nests_deeper_than

DEPTH = 32

names = st.text(alphabet=st.sampled_from('ab{}[]"\\ é\u2028'), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | names
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(names, values, max_size=5)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def nested(levels: int, opening: str = '{"a":', closing: str = "}", core: str = "1") -> bytes:
    return (opening * levels + core + closing * levels).encode()


@given(objects)
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    assert decode_object(encode(value), max_depth=DEPTH) == value


@given(objects, st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}]))
def test_what_the_standard_library_writes_is_read(value: dict[str, Any], style: dict[str, Any]) -> None:
    text = json.dumps(value, **style).encode()
    assert decode_object(text, max_depth=DEPTH) == value


@given(values, st.integers(1, 8), st.sampled_from([None, 1]))
def test_the_depth_is_that_of_a_naive_recursive_count(value: object, limit: int, indent: int | None) -> None:
    text = json.dumps(value, indent=indent).encode()
    assert nests_deeper_than(text, limit) is (depth_of(value) > limit)


@given(st.integers(1, 40), st.integers(1, 40))
def test_objects_are_read_down_to_the_depth_allowed_and_no_further(levels: int, limit: int) -> None:
    text = nested(levels)
    if levels <= limit:
        assert depth_of(decode_object(text, max_depth=limit)) == levels
    else:
        with pytest.raises(JSONError, match=f"nested deeper than {limit} levels"):
            decode_object(text, max_depth=limit)


@pytest.mark.parametrize("text", [nested(1_000_000), nested(500_000, "[", "]"), b"[" * 1_000_000])
def test_a_million_levels_are_refused_without_recursion(text: bytes) -> None:
    with pytest.raises(JSONError, match="nested deeper"):
        decode_object(text, max_depth=DEPTH)


def test_nesting_beyond_what_the_parsers_can_recurse_is_refused_whatever_the_limit() -> None:
    with pytest.raises(JSONError, match="not valid JSON"):
        decode_object(nested(200_000), max_depth=1_000_000)


def test_brackets_inside_strings_are_no_nesting() -> None:
    text = b'{"a":"[[[[{{{{\\"[[[[","b\\\\":"{{{{"}'
    assert not nests_deeper_than(text, 1)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":1,"a":2}}',
        b'{"x":[{"y":{"a":null,"a":null}}]}',
        b'{"":1,"":2}',
    ],
)
def test_a_repeated_name_is_refused_at_every_level(text: bytes) -> None:
    with pytest.raises(JSONError, match="repeated"):
        decode_object(text, max_depth=DEPTH)


@given(objects, st.data())
def test_repeating_any_one_member_is_refused(value: dict[str, Any], data: st.DataObject) -> None:
    members = [f"{json.dumps(name)}:{json.dumps(item)}" for name, item in value.items()]
    if members:
        members.append(data.draw(st.sampled_from(members)))
        with pytest.raises(JSONError):
            decode_object(("{" + ",".join(members) + "}").encode(), max_depth=DEPTH)


def test_the_same_name_on_different_levels_is_no_repetition() -> None:
    assert decode_object(b'{"a":{"a":[{"a":1},{"a":2}]}}', max_depth=DEPTH) == {
        "a": {"a": [{"a": 1}, {"a": 2}]}
    }


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1} x',
        b'{"a":1}{"a":1}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":0x1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\n"}',
        b'{"a":"\x00"}',
        b'{"a":"\\x41"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"\xff":1}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32"),
        b'/* */{"a":1}',
        b'{"a":1}\x00',
        b'{"a":' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_not_strict_json_in_utf8_is_refused(text: bytes) -> None:
    with pytest.raises(JSONError, match="not valid JSON"):
        decode_object(text, max_depth=DEPTH)


@pytest.mark.parametrize("text", [b"[]", b"[{}]", b'"a"', b"1", b"null", b"true"])
def test_what_is_not_an_object_is_refused(text: bytes) -> None:
    with pytest.raises(JSONError, match="not a JSON object"):
        decode_object(text, max_depth=DEPTH)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,a1 \\', max_size=40).map(str.encode))
def test_any_octets_give_an_object_or_the_one_error(text: bytes) -> None:
    try:
        value = decode_object(text, max_depth=DEPTH)
    except JSONError:
        return
    assert json.loads(text) == value


def test_white_space_around_and_inside_is_allowed() -> None:
    assert decode_object(b' \t\r\n{ "a" : [ 1 , 2 ] }\n', max_depth=DEPTH) == {"a": [1, 2]}
