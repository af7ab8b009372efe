"""A key's mathematics, apart from what it may be used for, and how JWK members are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..._core import base64url
from ..errors import KeyImportError, WeakKeyError

__all__ = ["KeyMaterial", "KeyType", "encode_integer", "integer_member", "octets_member", "text_member"]


class KeyMaterial(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A key of ``cryptography``, or a secret, with the facts that algorithms ask about.

    Attributes:
        kty: The key type (RFC 7517 section 4.1).
        crv: The curve, or for AKP the one algorithm of the key; ``None`` for oct and RSA.
        bits: The size that limits are about.
        private: The private key, or the secret; ``None`` if only the public key is known.
        public: The public key; ``None`` for a secret.
    """

    kty: str
    crv: str | None
    bits: int
    private: Any
    public: Any

    def __repr__(self) -> str:
        return f"<KeyMaterial {self.kty}>"  # what is private stays so


class KeyType(msgspec.Struct, frozen=True, kw_only=True):
    """One ``kty``: how its members are read and written.

    Attributes:
        load: Makes the material of a JWK's members; raises ``KeyImportError``.
        adopt: Makes the material of a ``cryptography`` key object; ``None`` if the object is of another type.
        public_members: The public JWK members of a public key.
        private_members: The further members of a private key or secret.
        thumbprint_members: The members that RFC 7638 hashes.
    """

    kty: str
    load: Callable[[Mapping[str, Any]], KeyMaterial]
    adopt: Callable[[object], KeyMaterial | None]
    public_members: Callable[[Any], dict[str, str]]
    private_members: Callable[[Any], dict[str, str]]
    thumbprint_members: tuple[str, ...]


def text_member(members: Mapping[str, Any], name: str) -> str:
    """Read a member that must be a string."""
    value = members.get(name)
    if not isinstance(value, str):
        raise KeyImportError(f"The JWK needs a member {name!r} that is a string.")
    return value


def octets_member(members: Mapping[str, Any], name: str, *, size: int | None = None) -> bytes:
    """Read a base64url member, of exactly ``size`` octets where that is given."""
    text = text_member(members, name)
    # An encoding error would carry the whole text, which may be a secret.
    if not text.isascii():
        raise KeyImportError(f"The JWK's member {name!r} is not canonical base64url.")
    try:
        octets = base64url.decode(text.encode())
    except base64url.Base64URLError:
        raise KeyImportError(f"The JWK's member {name!r} is not canonical base64url.") from None
    if size is not None and len(octets) != size:
        raise KeyImportError(f"The JWK's member {name!r} must be {size} octets long, not {len(octets)}.")
    return octets


def integer_member(members: Mapping[str, Any], name: str, *, largest_bits: int) -> int:
    """Read a Base64urlUInt (RFC 7518 section 2): big-endian, in as few octets as possible."""
    octets = octets_member(members, name)
    if not octets or (octets[0] == 0 and len(octets) > 1):
        raise KeyImportError(f"The JWK's member {name!r} must be a number without leading zero octets.")
    if len(octets) * 8 > largest_bits + 7:
        raise WeakKeyError(f"The JWK's member {name!r} is larger than {largest_bits} bits.")
    return int.from_bytes(octets, "big")


def encode_integer(number: int) -> str:
    """Write a Base64urlUInt (RFC 7518 section 2)."""
    return base64url.encode(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))
