"""coatcheck: a `jwt.Signer`, a `jwt.Verifier` and `jwe.decrypt`."""

from __future__ import annotations

from datetime import timedelta

from bench.material import AUDIENCE, ENCRYPTIONS, ISSUER, KID, LIFETIME, SIGNATURES, Claims, Material
from bench.peers.base import OURS, Decrypt, Peer, Sign, Verify
from coatcheck.jose import Claims as RegisteredClaims
from coatcheck.jose import Key, jwe, jwt


class Access(RegisteredClaims, frozen=True):
    """The claims of the benchmark's tokens; all of them are decoded and their types checked."""

    scope: str = ""
    client_id: str = ""
    sid: str = ""


def _load_key(alg: str, key: Material, *, private: bool) -> Key:
    if key.secret:
        return Key.from_secret(key.secret, alg, kid=KID)
    return Key.from_pem(key.private_pem if private else key.public_pem, alg, kid=KID)


def _signer(alg: str, key: Material) -> Sign:
    signer = jwt.Signer(
        _load_key(alg, key, private=True),
        issuer=ISSUER,
        audience=AUDIENCE,
        lifetime=timedelta(seconds=LIFETIME),
    )

    def sign(claims: Claims) -> str:
        return signer.sign(claims)

    return sign


def _verifier(alg: str, key: Material) -> Verify:
    verifier = jwt.Verifier(
        _load_key(alg, key, private=False), issuer=ISSUER, audience=AUDIENCE, claims=Access
    )

    def verify(token: str) -> Access:
        return verifier.verify(token).claims

    return verify


def _decrypter(alg: str, enc: str, key: Material) -> Decrypt:
    # A secret that encrypts directly is pinned to the content encryption it serves.
    own = _load_key(enc if alg == "dir" else alg, key, private=True)
    allowed = frozenset({enc})

    def decrypt(token: str) -> bytes:
        return jwe.decrypt(token, own, enc=allowed).plaintext

    return decrypt


PEER = Peer(
    name=OURS,
    distribution="coatcheck",
    import_statement="import coatcheck.jose",
    algorithms={*SIGNATURES, *(name for pair in ENCRYPTIONS for name in pair)},
    load_key=_load_key,
    signer=_signer,
    verifier=_verifier,
    decrypter=_decrypter,
    added_by_the_signer={"iss", "aud", "iat", "exp"},
)
