"""Cookies: what is set can be kept by a browser, and what is found is what the browser sent."""

import string
from time import perf_counter
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coatcheck.sessions.cookie import MAX_OCTETS, Cookie, find_cookie
from coatcheck.sessions.errors import CookieTooLargeError

NAME = "__Host-coatcheck"
COOKIE = Cookie(name=NAME)


def test_a_cookie_has_the_attributes_that_its_prefix_demands_and_no_domain() -> None:
    assert COOKIE.set("value") == "__Host-coatcheck=value; Path=/; Secure; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize("same_site", ["Lax", "Strict"])
@pytest.mark.parametrize("http_only", [True, False])
@pytest.mark.parametrize("max_age", [None, 0, 3600])
def test_attributes_are_as_the_kind_says(
    same_site: Literal["Lax", "Strict"], max_age: int | None, *, http_only: bool
) -> None:
    header = Cookie(name=NAME, same_site=same_site, http_only=http_only).set("v", max_age=max_age)
    first, *attributes = header.split("; ")
    assert first == f"{NAME}=v"
    assert {"Path=/", "Secure", f"SameSite={same_site}"} <= set(attributes)
    assert ("HttpOnly" in attributes) is http_only
    assert [each for each in attributes if each.startswith("Max-Age")] == (
        [] if max_age is None else [f"Max-Age={max_age}"]
    )
    assert "Domain" not in header


def test_to_clear_a_cookie_is_to_set_it_empty_for_no_time() -> None:
    assert COOKIE.clear() == "__Host-coatcheck=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"


def test_a_cookie_of_4096_octets_is_set_and_one_more_is_refused() -> None:
    most = MAX_OCTETS - len(NAME)
    assert COOKIE.set("v" * most)
    with pytest.raises(CookieTooLargeError, match="4097 octets; browsers keep at most 4096"):
        COOKIE.set("v" * (most + 1))


@pytest.mark.parametrize(
    "character", [*map(chr, range(0x21)), *'",;\\', "\x7f", "\x80", "é", "\u2028", "\ud800"]
)
def test_no_character_that_a_cookie_cannot_have_is_set(character: str) -> None:
    for value in (character, f"a{character}b", f"a{character}"):
        with pytest.raises(ValueError, match="not a cookie value"):
            COOKIE.set(value)


def test_every_other_character_is_set() -> None:
    allowed = "".join(set(map(chr, range(0x21, 0x7F))) - set('",;\\'))
    assert COOKIE.set(allowed).startswith(f"{NAME}={allowed};")
    assert COOKIE.set(string.ascii_letters + string.digits + "-_.")


@pytest.mark.parametrize(
    "header, value",
    [
        (b"", None),
        (b"__Host-coatcheck=v", "v"),
        (b"__Host-coatcheck=", ""),
        (b"__Host-coatcheck", None),
        (b"a=1; __Host-coatcheck=v; b=2", "v"),
        (b"a=1;__Host-coatcheck=v;b=2", "v"),
        (b"a=1;\t __Host-coatcheck=v \t; b=2", "v"),
        (b"__Host-coatcheck=a=b", "a=b"),
        (b'__Host-coatcheck="v"', '"v"'),
        (b"__Host-coatcheck=\xe9", "é"),
        (b"__Host-coatcheck-device=d", None),  # another name that begins alike
        (b"x__Host-coatcheck=v", None),  # or ends alike
        (b"a=__Host-coatcheck=v", None),  # or in a value
        (b"a= __Host-coatcheck=v", None),
        (b"__host-coatcheck=v", None),  # a browser does not protect this one
        (b"__Host-coatcheck =v", None),
        (b"__Host-coatcheck=1; __Host-coatcheck=2", None),  # tossed
        (b"__Host-coatcheck=1; __Host-coatcheck=1", None),
        (b"__Host-coatcheck=1;__Host-coatcheck=", None),
        (b"; ;;__Host-coatcheck=v;;", "v"),
    ],
)
def test_a_cookie_is_found_under_its_whole_name_and_if_it_is_there_once(
    header: bytes, value: str | None
) -> None:
    assert find_cookie(header, NAME) == value


def straightforward(header: bytes, name: str) -> str | None:
    found = []
    for pair in header.split(b";"):
        key, equals, value = pair.strip(b" \t").partition(b"=")
        if equals and key == name.encode():
            found.append(value.strip(b" \t").decode("latin-1"))
    return found[0] if len(found) == 1 else None


PIECES = st.lists(
    st.sampled_from(
        [b"n", b"nn", b"=", b";", b" ", b"\t", b"v", b"n=", b"; n=v", b"a=n=v", b'"', b"\xff", b"\n"]
    ),
    max_size=12,
).map(b"".join)


@given(st.one_of(PIECES, st.binary(max_size=60)), st.sampled_from(["n", "nn", NAME]))
@example(b"n=v ", "n")
@example(b"n = v", "n")
@example(b"n=v\n", "n")
def test_the_quick_way_finds_what_the_straightforward_way_finds(header: bytes, name: str) -> None:
    # A name with a space before its "=" is stripped by neither; the header has no line breaks when it comes in.
    assert find_cookie(header, name) == straightforward(header, name)


@pytest.mark.parametrize(
    "header",
    [
        b"__Host-coatcheck=" + b" " * 64_000 + b"x",
        b"; " * 32_000,
        b";" + b" " * 64_000,
        b"__Host-coatcheck=;" * 4_000,
        b"__Host-coatcheck" * 4_000,
    ],
)
def test_no_header_takes_more_than_linear_time(header: bytes) -> None:
    started = perf_counter()
    find_cookie(header, NAME)
    assert perf_counter() - started < 1  # quadratic time would be a minute
