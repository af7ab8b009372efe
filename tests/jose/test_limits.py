"""Limits hold exactly, and before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest

from coatcheck.jose import Limits, jwe, jws, jwt
from coatcheck.jose.errors import (
    ConfigurationError,
    InvalidHeaderError,
    MalformedTokenError,
    TokenTooLargeError,
)
from tests.jose.samples import key_for, segment, signed

KEY, SECRET = key_for("HS256"), key_for("A256GCM")
NAMES = ["token", "header", "depth", "recipients", "iterations"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, None, "1", 1.0, True])
def test_a_limit_is_a_positive_integer(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"'{name}' must be a positive integer"):
        Limits(**{name: value})


def test_the_names_here_are_all_there_are() -> None:
    assert list(Limits.__struct_fields__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_limits_cannot_be_changed(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Limits(), name, 10**9)


def test_the_length_of_a_token_is_limited_to_the_character() -> None:
    signed_one, sealed_one = jws.sign(b"payload", KEY), jwe.encrypt(b"payload", SECRET)
    assert jws.verify(signed_one, KEY, limits=Limits(token=len(signed_one))).payload == b"payload"
    assert jwe.decrypt(sealed_one, SECRET, limits=Limits(token=len(sealed_one))).plaintext == b"payload"
    with pytest.raises(TokenTooLargeError, match="longer than"):
        jws.verify(signed_one, KEY, limits=Limits(token=len(signed_one) - 1))
    with pytest.raises(TokenTooLargeError, match="longer than"):
        jwe.decrypt(sealed_one, SECRET, limits=Limits(token=len(sealed_one) - 1))


def test_without_other_limits_a_token_has_at_most_65536_characters() -> None:
    with pytest.raises(TokenTooLargeError, match="65536"):
        jws.verify("a" * 65_537, KEY)
    with pytest.raises(TokenTooLargeError, match="65536"):
        jwe.decrypt("a" * 65_537, SECRET)
    with pytest.raises(MalformedTokenError):
        jws.verify("a" * 65_536, KEY)


def test_the_length_of_a_header_is_limited_to_the_character() -> None:
    header = {"alg": "HS256", "x": "y" * 100}
    token = signed(b"{}", KEY, header)
    length = len(segment(header))
    assert jws.verify(token, KEY, limits=Limits(header=length)).payload == b"{}"
    with pytest.raises(TokenTooLargeError, match=f"longer than {length - 1}"):
        jws.verify(token, KEY, limits=Limits(header=length - 1))


@pytest.mark.parametrize("member", ["payload", "signature"])
def test_the_members_of_a_signed_mapping_are_limited(member: str) -> None:
    token = jws.sign_json(b"payload", KEY)
    with pytest.raises(TokenTooLargeError):
        jws.verify_json({**token, member: "A" * 65_540}, KEY)


@pytest.mark.parametrize("member", ["protected", "iv", "ciphertext", "tag", "aad", "encrypted_key"])
def test_the_members_of_an_encrypted_mapping_are_limited(member: str) -> None:
    token = jwe.encrypt_json(b"payload", SECRET)
    with pytest.raises(TokenTooLargeError):
        jwe.decrypt_json({**token, member: "A" * 65_540}, SECRET)


def test_the_length_of_json_text_is_limited() -> None:
    for text in (" " * 131_073, b" " * 131_073):
        with pytest.raises(TokenTooLargeError):
            jws.verify_json(text, KEY)
        with pytest.raises(TokenTooLargeError):
            jwe.decrypt_json(text, SECRET)
    with pytest.raises(MalformedTokenError):
        jws.verify_json(" " * 131_072, KEY)


def test_the_depth_of_headers_and_claims_is_limited() -> None:
    header = {"alg": "HS256", "x": {"y": [1]}}
    claims = b'{"x":{"y":[1]}}'
    token = signed(claims, KEY, header)

    def verifier(depth: int) -> jwt.Verifier[Any]:
        limits = Limits(depth=depth)
        return jwt.Verifier(KEY, issuer=None, audience=None, require=(), claims=dict, limits=limits)

    assert verifier(3).verify(token).claims == {"x": {"y": [1]}}
    with pytest.raises(InvalidHeaderError, match="deeper than 2"):
        verifier(2).verify(token)
    with pytest.raises(MalformedTokenError, match="deeper than 2"):
        verifier(2).verify(signed(claims, KEY, {"alg": "HS256"}))


@pytest.mark.parametrize("count", [1, 16])
def test_the_number_of_signatures_and_recipients_is_limited(count: int) -> None:
    token = jws.sign_json(b"", [KEY] * count)
    sealed = jwe.encrypt_json(b"", [key_for("A256KW")] * count)
    limits = Limits(recipients=count)
    assert len(jws.verify_json(token, KEY, limits=limits).signatures) == count
    assert jwe.decrypt_json(sealed, key_for("A256KW"), limits=limits).plaintext == b""
    more = {**token, "signatures": token["signatures"] * 2}
    with pytest.raises(TokenTooLargeError, match=f"more than {count} signatures"):
        jws.verify_json(more, KEY, limits=limits)
    with pytest.raises(TokenTooLargeError, match=f"more than {count} recipients"):
        jwe.decrypt_json({**sealed, "recipients": sealed["recipients"] * 2}, key_for("A256KW"), limits=limits)
