"""One octet string has exactly one accepted text."""

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core import base64url

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def standard_encode(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def is_canonical(text: bytes) -> bool:
    """The definition, by way of the standard library: decode leniently, and see whether encoding leads back."""
    if not set(text) <= set(ALPHABET) or len(text) % 4 == 1:
        return False
    return standard_encode(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))) == text


def refused(text: bytes) -> bool:
    try:
        base64url.decode(text)
    except base64url.Base64URLError:
        return True
    return False


@given(st.binary(max_size=300))
def test_decoding_undoes_encoding(octets: bytes) -> None:
    assert base64url.decode(base64url.encode_to_bytes(octets)) == octets


@given(st.binary(max_size=300))
def test_the_text_is_that_of_the_standard_library_without_padding(octets: bytes) -> None:
    assert base64url.encode_to_bytes(octets) == standard_encode(octets)
    assert base64url.encode(octets) == standard_encode(octets).decode()


@given(st.text(alphabet=ALPHABET.decode(), max_size=40).map(str.encode))
def test_text_of_the_alphabet_is_accepted_just_when_it_is_canonical(text: bytes) -> None:
    if is_canonical(text):
        assert base64url.encode_to_bytes(base64url.decode(text)) == text
    else:
        assert refused(text)


@given(st.binary(max_size=40))
def test_any_octets_are_accepted_just_when_they_are_canonical(text: bytes) -> None:
    assert refused(text) is not is_canonical(text)


@pytest.mark.parametrize("head", [b"", b"QUJD"])
@pytest.mark.parametrize("length", [1, 2])
def test_every_tail_is_accepted_just_when_it_is_canonical(head: bytes, length: int) -> None:
    tails = map(bytes, itertools.product(range(256), repeat=length))
    wrong = [tail for tail in tails if refused(head + tail) is is_canonical(head + tail)]
    assert wrong == []


def test_every_last_character_of_a_three_character_tail_is_accepted_just_when_it_is_canonical() -> None:
    tails = (first + b"A" + bytes([last]) for first in (b"A", b"_") for last in range(256))
    wrong = [tail for tail in tails if refused(tail) is is_canonical(tail)]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        b"QQ==",
        b"QQ=",
        b"QUI=",
        b"QUJD=",
        b"====",
        b"=",
        b"Q",
        b"QUJDQ",
        b"Q Q",
        b" QQ",
        b"QQ ",
        b"QQ\n",
        b"QUJD\n",
        b"QU\tJD",
        b"+/+/",
        b"QU+D",
        b"QU/D",
        b"QR",
        b"QUK",
        b'QU"D',
        b"QU\\D",
        b"QU.D",
        b"QU\x00D",
        b"QU\xffD",
        "QUÄD".encode(),
    ],
)
def test_text_with_padding_white_space_stray_bits_or_foreign_characters_is_refused(text: bytes) -> None:
    assert refused(text)


def test_every_octet_outside_the_alphabet_is_refused_at_every_place() -> None:
    foreign = set(range(256)) - set(ALPHABET)
    texts = [bytes([*b"QUJD"[:at], octet, *b"QUJD"[at + 1 :]]) for octet in foreign for at in range(4)]
    assert all(refused(text) for text in texts)


def test_nothing_stands_for_nothing() -> None:
    assert base64url.decode(b"") == b""
    assert base64url.encode(b"") == ""


def test_the_error_is_a_value_error_that_does_not_repeat_the_text() -> None:
    with pytest.raises(ValueError, match="not canonical base64url") as caught:
        base64url.decode(b"s3cret!!")
    assert "s3cret" not in str(caught.value)
