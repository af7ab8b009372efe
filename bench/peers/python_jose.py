"""python-jose on its `cryptography` backend, with key objects where it takes them."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from jose import constants, jwe, jwk, jwt

from bench.material import AUDIENCE, ISSUER, KID, Claims, Material
from bench.peers.base import Decrypt, Peer, Sign, Verify


def _load_key(alg: str, key: Material, *, private: bool) -> Any:
    return jwk.construct(key.secret or (key.private_pem if private else key.public_pem), alg)


def _signer(alg: str, key: Material) -> Sign:
    own, headers = _load_key(alg, key, private=True), {"kid": KID}

    def sign(claims: Claims) -> str:
        compact: str = jwt.encode(claims, own, alg, headers)
        return compact

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    own = _load_key(alg, key, private=False)
    options = {"require_exp": True, "require_iss": True, "require_aud": True}

    def verify(token: str) -> object:  # the header is not returned, so its type goes unchecked
        return jwt.decode(token, own, alg, options, AUDIENCE, ISSUER)

    return verify


def _decrypter(alg: str, enc: str, key: Material) -> Decrypt:
    # It wraps the key anew for each token: one that is already parsed saves it the larger part.
    own = key.secret or serialization.load_pem_private_key(key.private_pem, None)

    def decrypt(token: str) -> bytes:
        plaintext: bytes = jwe.decrypt(token, own)
        return plaintext

    return decrypt


PEER = Peer(
    name="python-jose",
    distribution="python-jose",
    import_statement="from jose import jwe, jwk, jwt",
    algorithms=frozenset(constants.ALGORITHMS.SUPPORTED),
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
    decrypter=_decrypter,
)
