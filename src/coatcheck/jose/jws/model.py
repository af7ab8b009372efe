"""What a verified signature proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..header import Header
from ..key import Key

__all__ = ["VerifiedJWS", "VerifiedSignature"]


class VerifiedSignature(msgspec.Struct, frozen=True):
    """One signature that was verified.

    Attributes:
        header: The parameters under the signature, and ``alg``, which the key itself vouches for.
        key: The key it was verified with.
        unprotected: The parameters beside the signature, of a JSON serialisation. Anyone can have changed them.
    """

    header: Header
    key: Key
    unprotected: Mapping[str, Any] = {}


class VerifiedJWS(msgspec.Struct, frozen=True):
    """Octets that were signed by the holder of a key. Exists only after a signature was verified.

    Attributes:
        payload: The signed octets.
        signatures: The signatures that were verified: one, or in the general serialisation at least one.
    """

    payload: bytes
    signatures: tuple[VerifiedSignature, ...]

    @property
    def header(self) -> Header:
        """The header of the first verified signature."""
        return self.signatures[0].header

    @property
    def key(self) -> Key:
        """The key of the first verified signature."""
        return self.signatures[0].key
