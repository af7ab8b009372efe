"""Whatever goes in comes out: any claims, any payload, any header, through every algorithm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coatcheck.jose import jwe, jws, jwt
from tests.jose.samples import (
    SIGNATURE_NAMES,
    encryption_header,
    key_for,
    other_side,
    pairs_of_encryption,
    thawed,
)

FEW = settings(max_examples=8)

names = st.text(min_size=1, max_size=10).filter(str.isprintable)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
REGISTERED = {
    *("alg", "enc", "zip", "kid", "typ", "cty", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"),
    *("epk", "apu", "apv", "iv", "tag", "p2s", "p2c"),
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti"),
}
extra = st.dictionaries(names.filter(lambda name: name not in REGISTERED), values, max_size=4)
subjects = st.fixed_dictionaries({}, optional={"sub": st.text(max_size=20), "jti": st.text(max_size=20)})
payloads = st.binary(max_size=500)


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
@FEW
@given(claims=extra, subject=subjects, header=extra, audience=st.text(min_size=1, max_size=20))
def test_any_claims_come_back_from_a_signed_token(
    alg: str, claims: dict[str, Any], subject: dict[str, Any], header: dict[str, Any], audience: str
) -> None:
    key = key_for(alg)
    signer = jwt.Signer(key, issuer="issuer", audience=audience, header=header)
    verifier = jwt.Verifier(other_side(key), issuer="issuer", audience=audience, claims=dict[str, Any])
    verified = verifier.verify(signer.sign({**claims, **subject}, now=0), now=0)
    expected = {"iss": "issuer", "aud": audience, "iat": 0, "exp": 300, **claims, **subject}
    assert verified.claims == expected
    assert thawed(verified.header) == {"alg": alg, "kid": key.kid, "typ": "JWT", **header}


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
@FEW
@given(payload=payloads, header=extra, detached=st.booleans())
def test_any_payload_comes_back_from_a_compact_signature(
    alg: str,
    payload: bytes,
    header: dict[str, Any],
    detached: bool,  # noqa: FBT001
) -> None:
    key = key_for(alg)
    token = jws.sign(payload, key, header=header, detached=detached)
    verified = jws.verify(token, other_side(key), payload=payload if detached else None)
    assert verified.payload == payload
    assert thawed(verified.header) == {"alg": alg, "kid": key.kid, **header}


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
@FEW
@given(payload=payloads, protected=extra, unprotected=extra, flattened=st.booleans(), as_text=st.booleans())
def test_any_payload_comes_back_from_a_signature_in_json(  # noqa: PLR0917
    alg: str,
    payload: bytes,
    protected: dict[str, Any],
    unprotected: dict[str, Any],
    flattened: bool,  # noqa: FBT001
    as_text: bool,  # noqa: FBT001
) -> None:
    key = key_for(alg)
    beside = {name: value for name, value in unprotected.items() if name not in protected}
    signer = jws.SignerInfo(key=key, protected=protected, unprotected=beside)
    token = jws.sign_json(payload, [signer], flattened=flattened)
    verified = jws.verify_json(json.dumps(token) if as_text else token, other_side(key))
    assert verified.payload == payload
    assert thawed(verified.header) == {"alg": alg, "kid": key.kid, **protected}
    assert thawed(verified.signatures[0].unprotected) == beside


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
@FEW
@given(payload=payloads)
def test_any_payload_comes_back_unencoded(alg: str, payload: bytes) -> None:
    key = key_for(alg)
    token = jws.sign(payload, key, detached=True, b64=False)
    assert jws.verify(token, other_side(key), payload=payload).payload == payload


@pytest.mark.parametrize("alg, enc", pairs_of_encryption())
@settings(max_examples=3)
@given(plaintext=payloads, header=extra, compress=st.booleans())
def test_any_plaintext_comes_back_from_compact_encryption(
    alg: str,
    enc: str,
    plaintext: bytes,
    header: dict[str, Any],
    compress: bool,  # noqa: FBT001
) -> None:
    key = key_for(alg)
    parameters = {**header, **encryption_header(alg)}
    token = jwe.encrypt(plaintext, other_side(key), enc=enc, header=parameters, compress=compress)
    opened = jwe.decrypt(token, key, max_decompressed=1000 if compress else None)
    assert opened.plaintext == plaintext
    assert thawed(opened.header).items() >= parameters.items()


@pytest.mark.parametrize("alg, enc", pairs_of_encryption())
@settings(max_examples=3)
@given(
    plaintext=payloads,
    aad=st.none() | st.binary(min_size=1, max_size=50),
    header=extra,
    as_text=st.booleans(),
)
def test_any_plaintext_comes_back_from_encryption_in_json(  # noqa: PLR0917
    alg: str,
    enc: str,
    plaintext: bytes,
    aad: bytes | None,
    header: dict[str, Any],
    as_text: bool,  # noqa: FBT001
) -> None:
    key = key_for(alg)
    parameters = {**header, **encryption_header(alg)}
    token = jwe.encrypt_json(plaintext, other_side(key), enc=enc, header=parameters, aad=aad)
    opened = jwe.decrypt_json(json.dumps(token) if as_text else token, key)
    assert (opened.plaintext, opened.aad) == (plaintext, aad)
    assert thawed(opened.header).items() >= parameters.items()
