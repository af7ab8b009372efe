"""The closed table of key types (RFC 7517 section 4.1), and what is the same for all of them.

It owns the reading, writing and making of key material. It knows nothing of algorithms, use or identifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import UnsupportedKeyError
from .elliptic import EC, generate_ec
from .lattice import AKP, generate_akp
from .model import KeyMaterial, KeyType, text_member
from .octet_pair import OKP, generate_okp
from .rsa import RSA, generate_rsa
from .rsa_strength import LARGEST_BITS as LARGEST_RSA_BITS
from .symmetric import OCT, secret_material

__all__ = [
    "KEY_TYPES",
    "LARGEST_RSA_BITS",
    "KeyMaterial",
    "KeyType",
    "adopt",
    "generate",
    "generate_rsa",
    "load",
    "private_members",
    "public_members",
    "secret_material",
]

KEY_TYPES: Mapping[str, KeyType] = MappingProxyType({row.kty: row for row in (OCT, RSA, EC, OKP, AKP)})


_GENERATORS = {
    **dict.fromkeys(("P-256", "P-384", "P-521", "secp256k1"), generate_ec),
    **dict.fromkeys(("Ed25519", "Ed448", "X25519", "X448"), generate_okp),
    **dict.fromkeys(("ML-DSA-44", "ML-DSA-65", "ML-DSA-87"), generate_akp),
}


def load(members: Mapping[str, Any]) -> KeyMaterial:
    """Read the key material of a JWK. Raises ``KeyImportError`` or one of its kinds."""
    kty = text_member(members, "kty")
    if kty not in KEY_TYPES:
        raise UnsupportedKeyError(
            f"Keys of type {kty[:32]!r} are not supported. Known: {', '.join(KEY_TYPES)}."
        )
    return KEY_TYPES[kty].load(members)


def adopt(key: object) -> KeyMaterial:
    """Take over a key object of ``cryptography``. Raises ``KeyImportError`` or one of its kinds."""
    for row in KEY_TYPES.values():
        material = row.adopt(key)
        if material is not None:
            return material
    raise UnsupportedKeyError(f"Keys of the kind {type(key).__name__} are not supported.")


def generate(crv: str) -> KeyMaterial:
    """Make a new key pair on the curve, or of the ML-DSA parameter set."""
    return _GENERATORS[crv](crv)


def public_members(material: KeyMaterial) -> dict[str, str]:
    """Return the JWK members of the public key, ``kty`` included."""
    return {"kty": material.kty, **KEY_TYPES[material.kty].public_members(material.public)}


def private_members(material: KeyMaterial) -> dict[str, str]:
    """Return all JWK members, the private ones included."""
    secret_part = KEY_TYPES[material.kty].private_members(material.private)
    return {**public_members(material), **secret_part}
