"""Scopes are read as RFC 6749 section 3.3 writes them, and an identity is a value."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.identity import Client, Identity, MalformedScopeError, parse_scope

ALLOWED = [chr(code) for code in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))]  # NQCHAR of RFC 6749


@given(st.lists(st.text(st.sampled_from(ALLOWED), min_size=1, max_size=8), max_size=6), st.integers(1, 3))
def test_a_list_of_scopes_is_their_set(scopes: list[str], spaces: int) -> None:
    assert parse_scope((" " * spaces).join(scopes)) == set(scopes)


@given(st.text())
def test_every_text_is_a_list_of_scopes_or_refused(text: str) -> None:
    fits = set(text) <= {*ALLOWED, " "}
    try:
        scopes = parse_scope(text)
    except MalformedScopeError:
        assert not fits
    else:
        assert fits
        assert set(" ".join(scopes)) <= set(text) | {" "}


@pytest.mark.parametrize("character", ['"', "\\", "\t", "\n", "\x00", "\x7f", "é", "\u3000"])
def test_no_other_character_stands_in_a_scope(character: str) -> None:
    with pytest.raises(MalformedScopeError):
        parse_scope(f"read a{character}b")


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_nothing_is_no_scope(text: str) -> None:
    assert parse_scope(text) == frozenset()


def test_an_identity_cannot_be_changed() -> None:
    identity = Identity(
        id="ada",
        email="ada@example.com",
        scopes=frozenset({"read"}),
        session_id="s",
        authenticated_at=datetime(2027, 1, 15, tzinfo=UTC),
        methods=("pwd",),
        via="cookie",
    )
    with pytest.raises(AttributeError):
        identity.scopes = frozenset({"admin"})  # type: ignore[misc]  # that is the point
    assert hash(identity) == hash(identity)


def test_a_client_may_show_nothing_of_itself() -> None:
    assert Client() == Client(address="", user_agent="")
