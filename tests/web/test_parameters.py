"""Reading the parameters of an authorization request."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.oauth.errors import InvalidRequestError, UnsafeRequestError
from coatcheck.oauth.parameters import Parameters
from coatcheck.web.routes.provider.parameters import MAX_OCTETS, parse_parameters

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
pairs = st.lists(st.tuples(texts, texts), max_size=20)


@given(pairs)
def test_what_is_written_is_read(given: list[tuple[str, str]]) -> None:
    read = parse_parameters(urlencode(given).encode())
    for name in {name for name, _ in given}:
        values = tuple(value for each, value in given if each == name and value)
        assert read.all(name) == values
        assert read.get(name) == (values[0] if values else None)
        assert read.is_repeated(name) == (len(values) > 1 and name != "resource")
    if any(read.is_repeated(name) for name, _ in given):
        with pytest.raises(InvalidRequestError):
            read.check_unique()
    else:
        read.check_unique()


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        read = parse_parameters(octets)
    except UnsafeRequestError:
        return
    assert all(value for values in read.values.values() for value in values)
    assert all(name.isprintable() or name for name in read.values)


def test_what_is_too_much_is_refused() -> None:
    parse_parameters(b"a=" + b"x" * (MAX_OCTETS - 2))
    for text in (b"a=" + b"x" * MAX_OCTETS, b"&" * 64):
        with pytest.raises(UnsafeRequestError):
            parse_parameters(text)


def test_a_plus_is_a_space_and_names_are_decoded() -> None:
    assert parse_parameters(b"scope=openid+email&st%61te=%2B").values == {
        "scope": ("openid email",),
        "state": ("+",),
    }


def test_its_values_are_not_shown() -> None:
    assert "secret" not in repr(Parameters.of([("code", "secret")]))
