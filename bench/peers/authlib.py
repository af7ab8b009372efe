"""Authlib: its own `authlib.jose`, with key objects and one `JsonWebToken`."""

from __future__ import annotations

import warnings
from typing import Any

from authlib.deprecate import AuthlibDeprecationWarning

from bench.material import AUDIENCE, ISSUER, Claims, Material, protected_header
from bench.peers.base import Decrypt, Peer, Sign, Verify

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # it says that joserfc is to take its place
    from authlib import jose

_KEY_CLASSES: dict[str, Any] = {"RS": jose.RSAKey, "PS": jose.RSAKey, "Ed": jose.OKPKey}


def _load_key(alg: str, key: Material, *, private: bool) -> Any:
    if key.secret:
        return jose.OctKey.import_key(key.secret)
    kind = _KEY_CLASSES.get(alg[:2], jose.ECKey)
    return kind.import_key(key.private_pem if private else key.public_pem)


def _signer(alg: str, key: Material) -> Sign:
    own, header = _load_key(alg, key, private=True), protected_header(alg)
    encoder = jose.JsonWebToken([alg])

    def sign(claims: Claims) -> bytes:
        # check=False: do not search the claims for what looks like a password or a card number.
        compact: bytes = encoder.encode(header, claims, own, check=False)
        return compact

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    own = _load_key(alg, key, private=False)
    rules = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": AUDIENCE},
        "exp": {"essential": True},
    }
    decoder = jose.JsonWebToken([alg])

    def verify(token: str) -> object:
        claims = decoder.decode(token, own, claims_options=rules)
        claims.validate()
        if claims.header.get("typ") != "JWT":
            raise ValueError("wrong type")
        return claims

    return verify


def _decrypter(alg: str, enc: str, key: Material) -> Decrypt:
    own = _load_key(alg, key, private=True)
    decrypter = jose.JsonWebEncryption([alg, enc])

    def decrypt(token: str) -> bytes:
        plaintext: bytes = decrypter.deserialize_compact(token, own)["payload"]
        return plaintext

    return decrypt


PEER = Peer(
    name="Authlib",
    distribution="Authlib",
    import_statement="from authlib.jose import JsonWebEncryption, JsonWebKey, JsonWebToken",
    algorithms={
        *jose.JsonWebSignature.ALGORITHMS_REGISTRY,
        *jose.JsonWebEncryption.ALG_REGISTRY,
        *jose.JsonWebEncryption.ENC_REGISTRY,
    },
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
    decrypter=_decrypter,
)
