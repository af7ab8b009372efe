"""E-mail addresses: one key for one mailbox, and nothing that could slip into the header of a mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.errors import InvalidEmailError

addresses = st.builds(
    "{}@{}".format, st.text(min_size=1, max_size=12), st.sampled_from(["example.com", "bücher.example.org"])
)


@pytest.mark.parametrize(
    "text, email, key",
    [
        ("anna@example.com", "anna@example.com", "anna@example.com"),
        ("Anna.Miller@Example.COM", "Anna.Miller@example.com", "anna.miller@example.com"),
        (" anna@example.com ", "anna@example.com", "anna@example.com"),
        ("anna+news@example.com", "anna+news@example.com", "anna+news@example.com"),
        ("anna@Bücher.example.org", "anna@bücher.example.org", "anna@xn--bcher-kva.example.org"),
        ("anna@xn--bcher-kva.example.org", "anna@bücher.example.org", "anna@xn--bcher-kva.example.org"),
        ("\u00c4nna@example.com", "\u00c4nna@example.com", "\u00e4nna@example.com"),
        ("A\u0308nna@example.com", "\u00c4nna@example.com", "\u00e4nna@example.com"),
        ("\u03a9\u03a3@example.com", "\u03a9\u03a3@example.com", "\u03c9\u03c3@example.com"),
    ],
)
def test_an_address_keeps_its_spelling_and_has_a_key(text: str, email: str, key: str) -> None:
    address = parse_email(text)
    assert (address.email, address.key) == (email, key)


@pytest.mark.parametrize(
    "one, other",
    [
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("anna@example.com", "anna@example.org"),
        ("anna@example.com", "an.na@example.com"),
        ("anna@example.com", "anna+1@example.com"),
        ("m\u0131ke@example.com", "mike@example.com"),
        ("anna@example.com", "\u0430nna@example.com"),
    ],
)
def test_two_mailboxes_have_two_keys(one: str, other: str) -> None:
    assert parse_email(one).key != parse_email(other).key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "anna@",
        "@example.com",
        "anna@example",
        "anna@localhost",
        "anna@@example.com",
        "anna@example..com",
        "anna.@example.com",
        "Anna <anna@example.com>",
        '"anna"@example.com',
        "anna@[192.0.2.1]",
        "anna@example.com\r\nBcc: everybody@example.com",
        "anna\n@example.com",
        "anna@example.com\n",
        "anna\0@example.com",
        "an\u202ena@example.com",
        "an na@example.com",
        "anna,bert@example.com",
        "\ud800@example.com",
        "a" * 65 + "@example.com",
        "a@" + ".".join(["b" * 60] * 4) + ".example.com",
        "a@" + "b" * 100_000 + ".com",
        "ü" * 64 + "@" + ".".join(["b" * 60] * 2) + ".example.com",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidEmailError) as caught:
        parse_email(text)
    assert len(text) < 14 or text not in str(caught.value)


@given(st.one_of(addresses, st.text(max_size=300)))
def test_a_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_email(text)
    except InvalidEmailError:
        return
    assert address.email.isprintable()
    assert len(address.email.encode()) <= 254
    assert address.key.partition("@")[2].isascii()
    again = parse_email(address.email)
    assert again == address
    assert parse_email(address.key).key == address.key
