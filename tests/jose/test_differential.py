"""Two other libraries: what we make they accept, what they make we accept, what they refuse we refuse."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from joserfc.errors import JoseError
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws
from jwcrypto.common import JWException

from coatcheck._core import base64url
from coatcheck.jose import Key, jwe, jws
from coatcheck.jose.errors import JOSEError, TokenError
from tests.jose.samples import (
    PASSWORD,
    SIGNATURE_NAMES,
    encryption_header,
    key_for,
    other_side,
    pairs_of_encryption,
    segment,
)

PAYLOAD = b"the payload \x00\xff"
REFUSALS = (JoseError, JWException, pyjwt.PyJWTError, ValueError, TypeError, KeyError)

JOSERFC_SIGNATURES = [name for name in SIGNATURE_NAMES if not name.startswith("ML-DSA")]
# Releases before 1.6, which the oldest supported cryptography needs, do not know ML-DSA.
JWCRYPTO_SIGNATURES = [
    name
    for name in SIGNATURE_NAMES
    if "AKP" in jwcrypto_jwk.JWKTypesRegistry or not name.startswith("ML-DSA")
]
PYJWT_SIGNATURES = [
    name for name in SIGNATURE_NAMES if name not in {"Ed25519", "Ed448"} and not name.startswith("ML-DSA")
]
# Neither knows these two.
SHARED_PAIRS = [
    (alg, enc) for alg, enc in pairs_of_encryption() if alg not in {"RSA-OAEP-384", "RSA-OAEP-512"}
]


@pytest.fixture(autouse=True)
def _peers_may_warn() -> Iterator[None]:
    """Their warnings about algorithms and key sizes are not about us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def plain_jwk(key: Key) -> dict[str, Any]:
    """The key as everybody reads it: without our name for direct encryption, and without a use."""
    jwk = key.to_private_jwk() if key.is_private else key.to_jwk()
    return {name: value for name, value in jwk.items() if name not in {"alg", "use", "kid"}} | (
        {"alg": key.alg} if key.kty == "AKP" else {}
    )


def joserfc_key(key: Key) -> Any:
    return joserfc_jwk.import_key(plain_jwk(key))


def jwcrypto_key(key: Key) -> Any:
    return jwcrypto_jwk.JWK(**plain_jwk(key))


def pyjwt_key(key: Key) -> Any:
    if key.is_symmetric:
        return base64url.decode(plain_jwk(key)["k"].encode())
    return pyjwt.PyJWK(plain_jwk(key), algorithm=key.alg).key


# Signatures: each peer makes a token of a header and a payload, and returns the payload of a token it accepts.

Sign = Callable[[Key, dict[str, Any], bytes], str]
Verify = Callable[[Key, str], bytes]


def joserfc_sign(key: Key, header: dict[str, Any], payload: bytes) -> str:
    registry = joserfc_jws.JWSRegistry(algorithms=[key.alg], strict_check_header=False)
    return joserfc_jws.serialize_compact(header, payload, joserfc_key(key), registry=registry)


def joserfc_verify(key: Key, token: str) -> bytes:
    registry = joserfc_jws.JWSRegistry(algorithms=[key.alg], strict_check_header=False)
    return joserfc_jws.deserialize_compact(token, joserfc_key(key), registry=registry).payload


def jwcrypto_sign(key: Key, header: dict[str, Any], payload: bytes) -> str:
    token = jwcrypto_jws.JWS(payload)
    token.allowed_algs = [key.alg]
    token.add_signature(jwcrypto_key(key), None, json.dumps(header), None)
    serialized: str = token.serialize(compact=True)
    return serialized


def jwcrypto_verify(key: Key, token: str) -> bytes:
    parsed = jwcrypto_jws.JWS()
    parsed.allowed_algs = [key.alg]
    parsed.deserialize(token, jwcrypto_key(key))
    payload: bytes = parsed.payload
    return payload


def pyjwt_sign(key: Key, header: dict[str, Any], payload: bytes) -> str:
    return pyjwt.api_jws.encode(payload, pyjwt_key(key), algorithm=key.alg, headers=header)


def pyjwt_verify(key: Key, token: str) -> bytes:
    payload: bytes = pyjwt.api_jws.decode(token, pyjwt_key(key), algorithms=[key.alg])
    return payload


class SignaturePeer(NamedTuple):
    name: str
    sign: Sign
    verify: Verify
    algorithms: list[str]


SIGNATURE_PEERS = [
    SignaturePeer("joserfc", joserfc_sign, joserfc_verify, JOSERFC_SIGNATURES),
    SignaturePeer("jwcrypto", jwcrypto_sign, jwcrypto_verify, JWCRYPTO_SIGNATURES),
    SignaturePeer("pyjwt", pyjwt_sign, pyjwt_verify, PYJWT_SIGNATURES),
]
EVERY_SIGNATURE = [
    pytest.param(peer, alg, id=f"{peer.name}-{alg}") for peer in SIGNATURE_PEERS for alg in peer.algorithms
]


@pytest.mark.parametrize("peer, alg", EVERY_SIGNATURE)
def test_peers_accept_what_we_sign(peer: SignaturePeer, alg: str) -> None:
    key = key_for(alg)
    assert peer.verify(other_side(key), jws.sign(PAYLOAD, key, typ="x")) == PAYLOAD


@pytest.mark.parametrize("peer, alg", EVERY_SIGNATURE)
def test_we_accept_what_peers_sign(peer: SignaturePeer, alg: str) -> None:
    key = key_for(alg)
    token = peer.sign(key, {"alg": alg, "kid": key.kid, "typ": "x"}, PAYLOAD)
    assert jws.verify(token, other_side(key)).payload == PAYLOAD


@pytest.mark.parametrize("peer, alg", EVERY_SIGNATURE)
@settings(max_examples=20)
@given(data=st.data())
def test_whatever_a_peer_refuses_of_a_mutated_token_we_refuse_too(
    peer: SignaturePeer, alg: str, data: st.DataObject
) -> None:
    key = key_for(alg)
    token = mutated(jws.sign(b"payload", key), data)
    try:
        ours = jws.verify(token, other_side(key)).payload
    except TokenError:
        return
    # What we accept is a token in its one canonical form, with the payload that was signed; the peer agrees.
    assert ours == peer.verify(other_side(key), token) == b"payload"
    assert token == canonical(token)


def canonical(token: str) -> str:
    """The one text that stands for the octets of a token: decoded and encoded again."""
    return ".".join(base64url.encode(base64url.decode(part.encode())) for part in token.split("."))


CHARACTERS = "ABCxyz019-_+/=. \n\t\x00é"


def mutated(token: str, data: st.DataObject) -> str:
    """The token with one or two characters changed, taken out or put in, or its parts shuffled."""
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(token)))
        letter = data.draw(st.sampled_from(CHARACTERS))
        kind = data.draw(st.sampled_from(["change", "insert", "delete", "shuffle"]))
        if kind == "change":
            token = token[:at] + letter + token[at + 1 :]
        elif kind == "insert":
            token = token[:at] + letter + token[at:]
        elif kind == "delete":
            token = token[:at] + token[at + 1 :]
        else:
            token = ".".join(data.draw(st.permutations(token.split("."))))
    return token


ODD_HEADERS: list[object] = [
    {},
    [],
    None,
    "text",
    {"alg": None},
    {"alg": "none"},
    {"alg": "NONE"},
    {"alg": ""},
    {"alg": "hs256"},
    {"alg": ["HS256"]},
    {"alg": "HS384"},
    {"alg": "HS256", "crit": ["x"]},
    {"alg": "HS256", "crit": ["x"], "x": 1},
    {"alg": "HS256", "crit": []},
    {"alg": "HS256", "crit": "x"},
    {"alg": "HS256", "b64": False},
    {"alg": "HS256", "kid": 5},
]


@pytest.mark.parametrize("header", ODD_HEADERS)
@pytest.mark.parametrize("verify", [joserfc_verify, jwcrypto_verify, pyjwt_verify])
def test_whatever_a_peer_refuses_of_an_odd_header_we_refuse_too(header: object, verify: Verify) -> None:
    key = key_for("HS256")
    message = f"{segment(header)}.{base64url.encode(PAYLOAD)}"
    token = f"{message}.{base64url.encode(key.sign(message.encode()))}"
    try:
        verify(key, token)
    except REFUSALS:
        with pytest.raises(JOSEError):
            jws.verify(token, key)


ODD_TEXTS = ["=", "==", " ", "\n", "é", ".", "A"]


@pytest.mark.parametrize("odd", ODD_TEXTS)
@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("verify", [joserfc_verify, jwcrypto_verify, pyjwt_verify])
def test_nothing_is_added_to_any_part_of_a_token(odd: str, part: int, verify: Verify) -> None:
    key = key_for("HS256")
    parts = jws.sign(b"1234", key).split(".")
    parts[part] += odd
    with pytest.raises(JOSEError):
        jws.verify(".".join(parts), key)
    assert verify(key, jws.sign(b"1234", key)) == b"1234"


@pytest.mark.parametrize("alg", JWCRYPTO_SIGNATURES)
@pytest.mark.parametrize("general", [False, True])
def test_json_signatures_cross_over_both_ways(alg: str, general: bool) -> None:  # noqa: FBT001
    key = key_for(alg)
    signers: Any = [key, key] if general else key
    parsed = jwcrypto_jws.JWS()
    parsed.allowed_algs = [alg]
    parsed.deserialize(json.dumps(jws.sign_json(PAYLOAD, signers)), jwcrypto_key(other_side(key)))
    assert parsed.payload == PAYLOAD
    made = jwcrypto_jws.JWS(PAYLOAD)
    made.allowed_algs = [alg]
    for _ in range(1 + general):
        made.add_signature(jwcrypto_key(key), None, json.dumps({"alg": alg}), json.dumps({"kid": key.kid}))
    verified = jws.verify_json(made.serialize(), other_side(key))
    assert verified.payload == PAYLOAD
    assert len(verified.signatures) == 1 + general


@pytest.mark.parametrize("alg", [alg for alg in JOSERFC_SIGNATURES if alg != "EdDSA"])
def test_json_signatures_cross_over_both_ways_with_another_peer(alg: str) -> None:
    key = key_for(alg)
    registry = joserfc_jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    ours: Any = jws.sign_json(PAYLOAD, [key])
    read = joserfc_jws.deserialize_json(ours, joserfc_key(other_side(key)), registry=registry)
    assert read.payload == PAYLOAD
    theirs: Any = joserfc_jws.serialize_json(
        [{"protected": {"alg": alg}}], PAYLOAD, joserfc_key(key), registry=registry
    )
    assert jws.verify_json(theirs, other_side(key)).payload == PAYLOAD


def test_unencoded_and_detached_payloads_cross_over() -> None:
    key = key_for("HS256")
    theirs = jwcrypto_jws.JWS(b"$.02")
    theirs.add_signature(
        jwcrypto_key(key), None, json.dumps({"alg": "HS256", "b64": False, "crit": ["b64"]}), None
    )
    theirs.detach_payload()
    assert jws.verify(theirs.serialize(compact=True), key, payload=b"$.02").payload == b"$.02"
    parsed = jwcrypto_jws.JWS()
    parsed.deserialize(jws.sign(b"$.02", key.with_kid(None), detached=True, b64=False))
    parsed.verify(jwcrypto_key(key), detached_payload=b"$.02")
    assert parsed.is_valid


# Encryption

Encrypt = Callable[[Key, dict[str, Any], bytes], str]
Decrypt = Callable[[Key, str], bytes]


def joserfc_registry() -> Any:
    known = joserfc_jwe.JWERegistry.algorithms
    return joserfc_jwe.JWERegistry(
        algorithms=[*known["alg"], *known["enc"], "DEF"], strict_check_header=False
    )


def joserfc_encrypt(key: Key, header: dict[str, Any], plaintext: bytes) -> str:
    return joserfc_jwe.encrypt_compact(header, plaintext, joserfc_key(key), registry=joserfc_registry())


def joserfc_decrypt(key: Key, token: str) -> bytes:
    plaintext = joserfc_jwe.decrypt_compact(token, joserfc_key(key), registry=joserfc_registry()).plaintext
    assert plaintext is not None
    return plaintext


def jwcrypto_encrypt(key: Key, header: dict[str, Any], plaintext: bytes) -> str:
    token = jwcrypto_jwe.JWE(plaintext, json.dumps(header))
    token.add_recipient(jwcrypto_encryption_key(key))
    serialized: str = token.serialize(compact=True)
    return serialized


def jwcrypto_decrypt(key: Key, token: str) -> bytes:
    parsed = jwcrypto_jwe.JWE()
    parsed.deserialize(token, jwcrypto_encryption_key(key))
    plaintext: bytes = parsed.payload
    return plaintext


def jwcrypto_encryption_key(key: Key) -> Any:
    """Passwords are given to it as text."""
    return PASSWORD if key.alg.startswith("PBES2") else jwcrypto_key(key)


class EncryptionPeer(NamedTuple):
    name: str
    encrypt: Encrypt
    decrypt: Decrypt


ENCRYPTION_PEERS = [
    EncryptionPeer("joserfc", joserfc_encrypt, joserfc_decrypt),
    EncryptionPeer("jwcrypto", jwcrypto_encrypt, jwcrypto_decrypt),
]
EVERY_ENCRYPTION = [
    pytest.param(peer, alg, enc, id=f"{peer.name}-{alg}-{enc}")
    for peer in ENCRYPTION_PEERS
    for alg, enc in SHARED_PAIRS
]


@pytest.mark.parametrize("peer, alg, enc", EVERY_ENCRYPTION)
def test_peers_decrypt_what_we_encrypt(peer: EncryptionPeer, alg: str, enc: str) -> None:
    key = key_for(alg)
    header = {"apu": "QWxpY2U", "apv": "Qm9i"} if alg.startswith("ECDH") else encryption_header(alg)
    token = jwe.encrypt(PAYLOAD, other_side(key), enc=enc, header=header)
    assert peer.decrypt(key, token) == PAYLOAD


@pytest.mark.parametrize("peer, alg, enc", EVERY_ENCRYPTION)
def test_we_decrypt_what_peers_encrypt(peer: EncryptionPeer, alg: str, enc: str) -> None:
    key = key_for(alg)
    header = {"alg": key.algorithm.header_name, "enc": enc, "kid": key.kid}
    assert jwe.decrypt(peer.encrypt(other_side(key), header, PAYLOAD), key).plaintext == PAYLOAD


@pytest.mark.parametrize("crv", ["P-256", "P-384", "P-521", "X25519", "X448"])
@pytest.mark.parametrize("peer", ENCRYPTION_PEERS, ids=lambda peer: str(peer.name))
def test_agreed_keys_cross_over_on_every_curve(peer: EncryptionPeer, crv: str) -> None:
    key = key_for("ECDH-ES+A128KW", crv)
    assert peer.decrypt(key, jwe.encrypt(PAYLOAD, key.public(), enc="A128GCM")) == PAYLOAD
    header = {"alg": "ECDH-ES+A128KW", "enc": "A128GCM", "kid": key.kid, "apu": "QQ", "apv": "Qg"}
    assert jwe.decrypt(peer.encrypt(key.public(), header, PAYLOAD), key).plaintext == PAYLOAD


def test_tokens_of_the_old_rsa_padding_by_a_peer_decrypt() -> None:
    key = key_for("RSA1_5")
    header = {"alg": "RSA1_5", "enc": "A128CBC-HS256", "kid": key.kid}
    token = joserfc_encrypt(key.public(), header, PAYLOAD)
    assert jwe.decrypt(token, key).plaintext == PAYLOAD


def test_compressed_tokens_cross_over() -> None:
    key = key_for("A256KW")
    token = jwcrypto_encrypt(key, {"alg": "A256KW", "enc": "A256GCM", "zip": "DEF", "kid": key.kid}, PAYLOAD)
    assert jwe.decrypt(token, key, max_decompressed=100).plaintext == PAYLOAD
    ours = jwe.encrypt(PAYLOAD, key, compress=True)
    assert joserfc_decrypt(key, ours) == jwcrypto_decrypt(key, ours) == PAYLOAD


@pytest.mark.parametrize("alg", ["A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW", "A128GCMKW"])
def test_json_encryption_crosses_over_both_ways(alg: str) -> None:
    key = key_for(alg)
    for recipients in (other_side(key), [other_side(key), key_for("A128KW")]):
        token: Any = jwe.encrypt_json(PAYLOAD, recipients, aad=b"clear")
        parsed = jwcrypto_jwe.JWE()
        parsed.deserialize(json.dumps(token), jwcrypto_key(key))
        assert parsed.payload == PAYLOAD
    made = jwcrypto_jwe.JWE(PAYLOAD, json.dumps({"enc": "A128CBC-HS256"}), aad=b"clear")
    made.add_recipient(jwcrypto_key(other_side(key)), json.dumps({"alg": alg, "kid": key.kid}))
    made.add_recipient(jwcrypto_key(key_for("A128KW")), json.dumps({"alg": "A128KW"}))
    opened = jwe.decrypt_json(made.serialize(), key)
    assert (opened.plaintext, opened.aad) == (PAYLOAD, b"clear")
    assert jwe.decrypt_json(made.serialize(), key_for("A128KW")).plaintext == PAYLOAD


@pytest.mark.parametrize("alg", ["A256GCM", "A128CBC-HS256", "A128KW", "ECDH-ES", "RSA-OAEP", "A256GCMKW"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_mutated_encrypted_token_is_never_accepted_as_another(alg: str, data: st.DataObject) -> None:
    key = key_for(alg)
    token = mutated(jwe.encrypt(b"plaintext", other_side(key)), data)
    try:
        ours = jwe.decrypt(token, key).plaintext
    except TokenError:
        return
    assert ours == joserfc_decrypt(key, token) == jwcrypto_decrypt(key, token) == b"plaintext"


# Keys


@pytest.mark.parametrize("alg", [*JWCRYPTO_SIGNATURES, "ECDH-ES", "RSA-OAEP", "A256KW"])
def test_keys_cross_over_with_the_same_thumbprint(alg: str) -> None:
    key = key_for(alg)
    theirs = jwcrypto_key(key)
    assert theirs.thumbprint() == key.thumbprint()
    again = Key.from_jwk(theirs.export(as_dict=True), alg=alg)
    assert again.to_private_jwk() | {"kid": key.kid} == key.to_private_jwk()
    if not alg.startswith("ML-DSA"):
        assert joserfc_key(key).thumbprint() == key.thumbprint()
