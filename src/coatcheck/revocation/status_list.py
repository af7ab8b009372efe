"""Token Status List (draft-ietf-oauth-status-list-21): a status of a few bits for each of many tokens.

The statuses are packed into bytes, the first in the lowest bits (section 4.1), and compressed with zlib (section 4.2).
A token says which list it is in and where; whoever has the list can look there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from .._core import base64url
from .errors import RevocationError

__all__ = [
    "BITS",
    "INVALID",
    "LONGEST",
    "VALID",
    "MalformedStatusListError",
    "StatusArray",
    "StatusClaim",
    "StatusIndexError",
    "StatusReference",
    "scatter",
]

BITS: Final = (1, 2, 4, 8)
"""How many bits a status can have."""

VALID: Final = 0
INVALID: Final = 1

LONGEST: Final = 2**22
"""How many bytes a list from elsewhere may decompress to: more would be a bomb rather than a list."""

_ROUNDS: Final = 10  # as many as FF1 has (NIST SP 800-38G), whose shape this is


class MalformedStatusListError(RevocationError):
    """A text is no status list, or is too large for one."""

    code = "malformed_status_list"


class StatusIndexError(RevocationError):
    """A token names a place outside of its list: it is to be refused (section 8.3)."""

    code = "status_index"


class StatusReference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a token's status is.

    Attributes:
        idx: The place in the list, from 0.
        uri: The list.
    """

    idx: Annotated[int, msgspec.Meta(ge=0)]
    uri: str


class StatusClaim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The claim ``status`` of a token (section 6.2)."""

    status_list: StatusReference


class StatusArray:
    """The statuses of a list.

    Attributes:
        bits: How many bits each has.
    """

    __slots__ = ("_per_octet", "_values", "bits")

    def __init__(self, size: int, *, bits: int = 1) -> None:
        """Make a list in which all are valid.

        Args:
            size: How many there are; a whole number of bytes.
            bits: How many bits each has.

        Raises:
            ValueError: If it cannot have that shape.
        """
        if bits not in BITS or size <= 0 or size * bits % 8:
            raise ValueError("A status has 1, 2, 4 or 8 bits, and a list fills whole bytes.")
        self.bits: int = bits
        self._per_octet = 8 // bits
        self._values = bytearray(size * bits // 8)

    def __len__(self) -> int:
        return len(self._values) * self._per_octet

    def _position(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise StatusIndexError("There is no such place in the status list.")
        octet, offset = divmod(index, self._per_octet)
        return octet, offset * self.bits

    def get(self, index: int) -> int:
        """Return a status.

        Raises:
            StatusIndexError: If there is no such place.
        """
        octet, shift = self._position(index)
        return self._values[octet] >> shift & (1 << self.bits) - 1

    def set(self, index: int, value: int = INVALID) -> bool:
        """Set a status. Tells whether it was another before.

        Raises:
            StatusIndexError: If there is no such place.
            ValueError: If the status has more bits.
        """
        octet, shift = self._position(index)
        mask = (1 << self.bits) - 1
        if not 0 <= value <= mask:
            raise ValueError(f"A status of {self.bits} bits is at most {mask}.")
        before = self._values[octet]
        self._values[octet] = before & ~(mask << shift) | value << shift
        return self._values[octet] != before

    def encode(self, *, sparse: bool = False) -> str:
        """Return the member ``lst`` (section 4.2): zlib at its highest level, in base64url.

        Args:
            sparse: Look for nothing but runs. In bits that are set at random there is nothing else to find: the result
                is as small, within a tenth, in a fiftieth of the time.
        """
        strategy = zlib.Z_RLE if sparse else zlib.Z_DEFAULT_STRATEGY
        compressor = zlib.compressobj(9, strategy=strategy)
        return base64url.encode(compressor.compress(self._values) + compressor.flush())

    @classmethod
    def decode(cls, lst: str, *, bits: int, longest: int = LONGEST) -> StatusArray:
        """Return the statuses that a member ``lst`` holds.

        Args:
            lst: The member.
            bits: The member ``bits`` beside it.
            longest: How many bytes it may decompress to.

        Raises:
            MalformedStatusListError: If it holds none, or more.
        """
        if bits not in BITS:
            raise MalformedStatusListError("A status has 1, 2, 4 or 8 bits.")
        decompressor = zlib.decompressobj()
        try:
            values = decompressor.decompress(base64url.decode(lst.encode("ascii")), longest)
        except (ValueError, zlib.error):
            raise MalformedStatusListError("The status list is not compressed as it should be.") from None
        if not decompressor.eof or decompressor.unused_data or not values:
            raise MalformedStatusListError(
                "The status list is cut off, goes on behind its end, or is too long."
            )
        array = cls(len(values) * 8 // bits, bits=bits)
        array._values[:] = values
        return array


def scatter(number: int, size: int, mac: Callable[[bytes], bytes]) -> int:
    """Return the place of the n-th token of a list: each place once, in an order that only the key's owner can tell.

    A permutation keyed by ``mac``: a Feistel network over the next larger square of a power of two, walked until it
    comes to a place that exists. So no place is ever given twice, although nobody keeps which were given; and from a
    place nothing follows about when it was given, or which came before (sections 12.5.1, 13.2).

    Args:
        number: Which one, from 0.
        size: How many places there are.
        mac: A pseudo-random function with a key of its own for each list.
    """
    width = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << width) - 1
    while True:
        left, right = number >> width, number & mask
        for turn in range(_ROUNDS):
            mixed = mac(turn.to_bytes(1, "big") + right.to_bytes(8, "big"))
            left, right = right, left ^ (int.from_bytes(mixed[:8], "big") & mask)
        number = left << width | right
        if number < size:
            return number
