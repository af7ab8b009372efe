"""What a verified token proves."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from ..header import Header
from ..key import Key
from .claims import ClaimsDecoder

__all__ = ["VerifiedToken"]

C = TypeVar("C")
T = TypeVar("T")

_DEEPEST = 1_000_000


class VerifiedToken(msgspec.Struct, Generic[C], frozen=True, gc=False):
    """A token whose signature and claims have all been checked. There is no other way to get one.

    Attributes:
        claims: The claims, in the type that the verifier was made for.
        header: The header of the signature.
        key: The key that verified it.
        payload: The claims as they were signed, in JSON.
    """

    claims: C
    header: Header
    key: Key
    payload: bytes

    def as_type(self, kind: type[T]) -> T:
        """Read the same claims as another type, for example ``dict``.

        Raises:
            InvalidClaimError: If a claim has another type there.
            MissingClaimError: If a field without a default is not there.
        """
        return ClaimsDecoder(kind, depth=_DEEPEST).decode(self.payload)[1]
