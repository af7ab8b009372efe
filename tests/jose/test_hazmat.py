"""Reading without verifying: possible, and never to be mistaken for anything better."""

from __future__ import annotations

from typing import Any

import pytest

from coatcheck.jose import Key, Limits, hazmat, jwe, jws, jwt
from coatcheck.jose.errors import InvalidHeaderError, MalformedTokenError, TokenError, TokenTooLargeError
from tests.jose.samples import key_for, signed

KEY = key_for("HS256")
TOKEN = jws.sign(b'{"sub":"alice","exp":1}', KEY, typ="JWT")
ENCRYPTED = jwe.encrypt(b"content", key_for("A256GCM"))


@pytest.mark.parametrize("token", [TOKEN, TOKEN.encode()])
def test_what_a_signed_token_claims_can_be_read_without_a_key(token: str | bytes) -> None:
    read = hazmat.read_unverified(token)
    assert read.header == {"alg": "HS256", "kid": KEY.kid, "typ": "JWT"}
    assert read.payload == b'{"sub":"alice","exp":1}'
    assert read.claims == {"sub": "alice", "exp": 1}
    assert read.signature is not None
    assert len(read.signature) == 32
    assert not read.is_encrypted


def test_of_an_encrypted_token_only_the_header_can_be_read() -> None:
    read = hazmat.read_unverified(ENCRYPTED)
    assert read.header["enc"] == "A256GCM"
    assert read.is_encrypted
    assert (read.payload, read.signature) == (None, None)
    with pytest.raises(MalformedTokenError, match="encrypted"):
        _ = read.claims


def test_a_forged_signature_a_strange_header_and_no_algorithm_at_all_are_read_as_they_are() -> None:
    for header in ({"alg": "none"}, {"alg": 5, "crit": ["x"]}, {}):
        assert hazmat.read_unverified(signed(b"{}", KEY, header)).header == header
    head, body, _ = TOKEN.split(".")
    assert hazmat.read_unverified(f"{head}.{body}.").signature == b""


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"text", b"\xff", b'{"a":1,"a":1}', b'{"a":' * 40 + b"1" + b"}" * 40]
)
def test_claims_are_only_read_from_a_strict_json_object(payload: bytes) -> None:
    read = hazmat.read_unverified(jws.sign(payload, KEY))
    assert read.payload == payload
    with pytest.raises(MalformedTokenError, match="no JSON object"):
        _ = read.claims


@pytest.mark.parametrize(
    "token, kind",
    [
        ("", InvalidHeaderError),
        ("..", InvalidHeaderError),
        ("W10..", InvalidHeaderError),
        ("e30=..", InvalidHeaderError),
        ("e30", MalformedTokenError),
        ("e30.", MalformedTokenError),
        ("e30...", MalformedTokenError),
        ("e30.....", MalformedTokenError),
        ("e30......", MalformedTokenError),
        ("e30.Q.", MalformedTokenError),
        ("e30..Q", MalformedTokenError),
        ("e30.=.", MalformedTokenError),
        ("e30....Q", MalformedTokenError),
        ("e30.é.", MalformedTokenError),
        (5, MalformedTokenError),
        (None, MalformedTokenError),
        ({}, MalformedTokenError),
    ],
)
def test_what_has_not_the_form_of_a_token_is_not_read(token: Any, kind: type[TokenError]) -> None:
    with pytest.raises(kind):
        hazmat.read_unverified(token)


def test_what_is_beyond_the_limits_is_not_read() -> None:
    with pytest.raises(TokenTooLargeError):
        hazmat.read_unverified(TOKEN, limits=Limits(token=len(TOKEN) - 1))
    with pytest.raises(TokenTooLargeError):
        hazmat.read_unverified(TOKEN, limits=Limits(header=10))


def test_an_unverified_token_is_not_a_verified_one() -> None:
    assert not issubclass(hazmat.UnverifiedToken, jwt.VerifiedToken)
    assert not isinstance(hazmat.read_unverified(TOKEN), jwt.VerifiedToken | jws.VerifiedJWS)


@pytest.mark.parametrize("name", ["ANY_AUDIENCE", "ANY_ISSUER", "NO_EXPIRY"])
def test_what_switches_a_check_off_shows_its_name(name: str) -> None:
    assert repr(getattr(hazmat, name)) == name


def test_tokens_without_end_are_verified_only_without_requiring_one() -> None:
    key = Key.generate("ES256")
    token = jwt.Signer(key, issuer="i", lifetime=hazmat.NO_EXPIRY).sign({})
    assert jwt.Verifier(key, issuer="i", audience=None, require=()).verify(token).claims.exp is None
    with pytest.raises(TokenError):
        jwt.Verifier(key, issuer="i", audience=None).verify(token)


def test_switching_both_checks_off_accepts_the_tokens_of_anybody_for_anybody() -> None:
    key = Key.generate("ES256")
    verifier = jwt.Verifier(key, issuer=hazmat.ANY_ISSUER, audience=hazmat.ANY_AUDIENCE)
    for claims in ({}, {"aud": "x"}, {"iss": "y", "aud": ["a", "b"]}):
        assert (
            verifier.verify(jwt.Signer(key, issuer=None).sign(claims)).as_type(dict).items() >= claims.items()
        )
