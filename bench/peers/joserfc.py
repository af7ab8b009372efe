"""joserfc: key objects, and both of its registries built once."""

from __future__ import annotations

from typing import Any

from joserfc import jwe, jwk, jws, jwt

from bench.material import AUDIENCE, ISSUER, KID, Claims, Material
from bench.peers.base import Decrypt, Peer, Sign, Verify

_KEY_CLASSES: dict[str, Any] = {"RS": jwk.RSAKey, "PS": jwk.RSAKey, "Ed": jwk.OKPKey}


def _load_key(alg: str, key: Material, *, private: bool) -> Any:
    if key.secret:
        return jwk.OctKey.import_key(key.secret)
    kind = _KEY_CLASSES.get(alg[:2], jwk.ECKey)
    return kind.import_key(key.private_pem if private else key.public_pem)


def _signer(alg: str, key: Material) -> Sign:
    own, header = _load_key(alg, key, private=True), {"alg": alg, "kid": KID}
    registry = jws.JWSRegistry(algorithms=[alg])

    def sign(claims: Claims) -> str:
        return jwt.encode(header, claims, own, registry=registry)

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    own = _load_key(alg, key, private=False)
    registry = jws.JWSRegistry(algorithms=[alg])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )

    def verify(token: str) -> object:
        found = jwt.decode(token, own, registry=registry)
        rules.validate(found.claims)
        if found.header.get("typ") != "JWT":
            raise ValueError("wrong type")
        return found.claims

    return verify


def _decrypter(alg: str, enc: str, key: Material) -> Decrypt:
    own = _load_key(alg, key, private=True)
    registry = jwe.JWERegistry(algorithms=[alg, enc])

    def decrypt(token: str) -> bytes:
        return jwe.decrypt_compact(token, own, registry=registry).plaintext or b""

    return decrypt


PEER = Peer(
    name="joserfc",
    distribution="joserfc",
    import_statement="from joserfc import jwe, jwk, jwt",
    algorithms={
        *jws.JWSRegistry.algorithms,
        *jwe.JWERegistry.algorithms["alg"],
        *jwe.JWERegistry.algorithms["enc"],
    },
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
    decrypter=_decrypter,
)
