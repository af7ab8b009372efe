"""What a decrypted token holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..header import Header
from ..key import Key

__all__ = ["DecryptedJWE"]


class DecryptedJWE(msgspec.Struct, frozen=True):
    """Octets that were encrypted to a key, and arrived unchanged.

    Attributes:
        plaintext: The octets.
        header: The protected parameters, and ``alg``, which the key itself vouches for.
        key: The key that decrypted it.
        aad: The additional authenticated data of a JSON serialisation, or ``None``.
        unprotected: The parameters that are not protected, of a JSON serialisation. Anyone can have changed them.
    """

    plaintext: bytes
    header: Header
    key: Key
    aad: bytes | None = None
    unprotected: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        # What was worth encrypting does not belong into a log.
        return (
            f"DecryptedJWE(plaintext=<{len(self.plaintext)} bytes>, header={self.header!r}, key={self.key!r})"
        )
