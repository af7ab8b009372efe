"""Secrets: as random as they say, compared without a hint, and sealed for one purpose only."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core import base64url, secrets
from coatcheck._core.secrets import Sealer, SealError, digest, equal, new_identifier, new_token

MASTER = bytes(range(32))


def test_a_token_has_256_bits_and_an_identifier_128() -> None:
    assert len(base64url.decode(new_token().encode())) == 32
    assert len(base64url.decode(new_identifier().encode())) == 16


def test_no_two_are_alike() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000
    assert len({new_identifier() for _ in range(1000)}) == 1000


def test_they_come_from_the_systems_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def zeros(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    monkeypatch.setattr(secrets, "random_bytes", zeros)
    assert new_token() == "A" * 43
    assert new_identifier() == "A" * 22
    assert asked == [32, 16]


def test_what_is_stored_of_a_token_is_its_sha_256() -> None:
    assert digest("token") == hashlib.sha256(b"token").digest()


@given(st.text(st.characters(codec=None), max_size=50))
def test_every_text_has_a_digest(text: str) -> None:
    assert len(digest(text)) == 32


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_equal_is_equality(one: str, other: str) -> None:
    assert equal(one, other) is (one == other)
    assert equal(one, one)
    assert equal(one.encode("utf-8", "surrogatepass"), one)


@given(st.binary(max_size=300), st.sampled_from(["mail", "signing-key", ""]))
def test_what_was_sealed_opens(plaintext: bytes, context: str) -> None:
    sealed = Sealer(MASTER).seal(plaintext, context=context)
    assert Sealer(MASTER).open(sealed, context=context) == plaintext
    assert len(sealed) == len(plaintext) + 12 + 16


def test_the_same_is_sealed_differently_each_time() -> None:
    sealer = Sealer(MASTER)
    assert len({sealer.seal(b"x", context="mail") for _ in range(100)}) == 100


@given(st.data())
def test_what_was_changed_anywhere_does_not_open(data: st.DataObject) -> None:
    sealer = Sealer(MASTER)
    sealed = sealer.seal(b"plaintext", context="mail")
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    with pytest.raises(SealError):
        sealer.open(changed, context="mail")


@pytest.mark.parametrize("length", range(30))
def test_what_is_too_short_does_not_open(length: int) -> None:
    with pytest.raises(SealError):
        Sealer(MASTER).open(bytes(length), context="mail")


def test_another_key_or_context_does_not_open_it_and_the_error_shows_nothing() -> None:
    sealed = Sealer(MASTER).seal(b"plaintext", context="mail")
    for sealer, context in ((Sealer(MASTER), "signing-key"), (Sealer(b"x" * 32), "mail")):
        with pytest.raises(SealError) as caught:
            sealer.open(sealed, context=context)
        assert str(caught.value) == f"what was sealed for {context!r} does not open"


def test_a_context_has_one_key_for_sealing_and_another_for_authenticating() -> None:
    def derived(info: bytes) -> bytes:
        return HKDFExpand(SHA256(), 32, info).derive(MASTER)

    mac = Sealer(MASTER).mac(b"message", context="device")
    assert mac == hmac.digest(derived(b"coatcheck device/mac"), b"message", "sha256")
    assert derived(b"coatcheck device/mac") != derived(b"coatcheck device/seal")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_mac_belongs_to_its_message_key_and_context(one: bytes, other: bytes) -> None:
    sealer = Sealer(MASTER)
    assert (sealer.mac(one, context="a") == sealer.mac(other, context="a")) is (one == other)
    assert sealer.mac(one, context="a") != sealer.mac(one, context="b")
    assert sealer.mac(one, context="a") != Sealer(b"x" * 32).mac(one, context="a")


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_master_key_that_is_too_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 32 octets"):
        Sealer(bytes(length))


def test_a_sealer_does_not_show_its_key() -> None:
    sealer = Sealer(MASTER)
    sealer.seal(b"x", context="mail")
    assert repr(sealer) == str(sealer) == "<Sealer>"
    with pytest.raises(AttributeError):
        sealer.__dict__  # noqa: B018 - there is none to look into


def test_no_identifier_can_be_taken_for_an_option() -> None:
    assert not any(new_identifier().startswith("-") for _ in range(2000))
