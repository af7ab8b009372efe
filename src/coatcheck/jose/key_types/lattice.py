"""ML-DSA keys: ``kty`` AKP (RFC 9964 section 3): the algorithm is part of the key; the private key is its seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa

from ..._core import base64url
from ..errors import KeyImportError, UnsupportedKeyError
from .model import KeyMaterial, KeyType, octets_member, text_member

__all__ = ["AKP", "generate_akp"]

_SEED_SIZE = 32


class _Parameters(msgspec.Struct, frozen=True):
    private: Any
    public: Any
    public_size: int


_SETS = {
    "ML-DSA-44": _Parameters(mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey, 1312),
    "ML-DSA-65": _Parameters(mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey, 1952),
    "ML-DSA-87": _Parameters(mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey, 2592),
}


def _load(members: Mapping[str, Any]) -> KeyMaterial:
    alg = text_member(members, "alg")
    parameters = _SETS.get(alg)
    if parameters is None:
        raise UnsupportedKeyError(f"AKP keys of {alg[:32]!r} are not supported. Known: {', '.join(_SETS)}.")
    pub = octets_member(members, "pub", size=parameters.public_size)
    try:
        if "priv" not in members:
            return _material(alg, parameters, parameters.public.from_public_bytes(pub))
        private = parameters.private.from_seed_bytes(octets_member(members, "priv", size=_SEED_SIZE))
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        raise UnsupportedKeyError(f"The OpenSSL of this installation lacks {alg}.") from None
    except (
        ValueError
    ):  # pragma: no cover - every string of the right length is a public key to today's OpenSSL
        raise KeyImportError(f"The member 'pub' is not a public key of {alg}.") from None
    if private.public_key().public_bytes_raw() != pub:
        raise KeyImportError("The member 'pub' does not belong to 'priv'.")
    return _material(alg, parameters, private)


def _material(alg: str, parameters: _Parameters, key: Any) -> KeyMaterial:
    bits = parameters.public_size * 8
    if isinstance(key, parameters.private):
        return KeyMaterial(kty="AKP", crv=alg, bits=bits, private=key, public=key.public_key())
    return KeyMaterial(kty="AKP", crv=alg, bits=bits, private=None, public=key)


def _adopt(key: object) -> KeyMaterial | None:
    for alg, parameters in _SETS.items():
        if isinstance(key, (parameters.private, parameters.public)):
            return _material(alg, parameters, key)
    return None


def generate_akp(alg: str) -> KeyMaterial:
    """Make a new key of the parameter set."""
    parameters = _SETS[alg]
    try:
        return _material(alg, parameters, parameters.private.generate())
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        raise UnsupportedKeyError(f"The OpenSSL of this installation lacks {alg}.") from None


def _public_members(key: Any) -> dict[str, str]:
    alg = next(name for name, parameters in _SETS.items() if isinstance(key, parameters.public))
    return {"alg": alg, "pub": base64url.encode(key.public_bytes_raw())}


def _private_members(key: Any) -> dict[str, str]:
    return {"priv": base64url.encode(key.private_bytes_raw())}


AKP = KeyType(
    kty="AKP",
    load=_load,
    adopt=_adopt,
    public_members=_public_members,
    private_members=_private_members,
    thumbprint_members=("alg", "kty", "pub"),
)
