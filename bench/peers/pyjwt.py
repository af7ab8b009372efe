"""PyJWT: an instance whose options are set once, and key objects rather than PEM text."""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from bench.material import AUDIENCE, ISSUER, KID, Claims, Material
from bench.peers.base import Peer, Sign, Verify


def _load_key(alg: str, key: Material, *, private: bool) -> Any:
    if key.secret:
        return key.secret
    if private:
        return serialization.load_pem_private_key(key.private_pem, None)
    return serialization.load_pem_public_key(key.public_pem)


def _signer(alg: str, key: Material) -> Sign:
    own, headers = _load_key(alg, key, private=True), {"kid": KID}
    encoder = jwt.PyJWT()

    def sign(claims: Claims) -> str:
        return encoder.encode(claims, own, alg, headers)

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    own, algorithms = _load_key(alg, key, private=False), [alg]
    decoder = jwt.PyJWT({"require": ["exp"]})

    def verify(token: str) -> object:
        found = decoder.decode_complete(token, own, algorithms, audience=AUDIENCE, issuer=ISSUER)
        if found["header"].get("typ") != "JWT":
            raise ValueError("wrong type")
        return found["payload"]

    return verify


PEER = Peer(
    name="PyJWT",
    distribution="PyJWT",
    import_statement="import jwt",
    algorithms=frozenset(jwt.algorithms.get_default_algorithms()),
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
)
