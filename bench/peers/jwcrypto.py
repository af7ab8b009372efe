"""jwcrypto: key objects; a token is an object of its own, made anew each time, by the library's design."""

from __future__ import annotations

from typing import Any

from jwcrypto import jwa, jwe, jwk, jwt

from bench.material import AUDIENCE, ISSUER, Claims, Material, b64, protected_header
from bench.peers.base import Decrypt, Peer, Sign, Verify


def _load_key(alg: str, key: Material, *, private: bool) -> Any:
    if key.secret:
        return jwk.JWK(kty="oct", k=b64(key.secret).decode())
    return jwk.JWK.from_pem(key.private_pem if private else key.public_pem)


def _signer(alg: str, key: Material) -> Sign:
    own, header, algorithms = _load_key(alg, key, private=True), protected_header(alg), [alg]

    def sign(claims: Claims) -> str:
        token = jwt.JWT(header=header, claims=claims, algs=algorithms)
        token.make_signed_token(own)
        compact: str = token.serialize()
        return compact

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    own, algorithms = _load_key(alg, key, private=False), [alg]
    # None: the claim has to be there, and is compared with the clock.
    rules = {"iss": ISSUER, "aud": AUDIENCE, "exp": None, "nbf": None}

    def verify(token: str) -> object:  # returns the claims as JSON text, which is all it offers
        return jwt.JWT(jwt=token, key=own, algs=algorithms, check_claims=rules, expected_type="JWS").claims

    return verify


def _decrypter(alg: str, enc: str, key: Material) -> Decrypt:
    own, algorithms = _load_key(alg, key, private=True), [alg, enc]

    def decrypt(token: str) -> bytes:
        message = jwe.JWE(algs=algorithms)
        message.deserialize(token, own)
        plaintext: bytes = message.payload
        return plaintext

    return decrypt


PEER = Peer(
    name="jwcrypto",
    distribution="jwcrypto",
    import_statement="from jwcrypto import jwe, jwk, jwt",
    algorithms=frozenset(jwa.JWA.algorithms_registry),
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
    decrypter=_decrypter,
)
