"""What rows add up to.

Both sides are read with the same values, whatever the engine; each row is written out as octets in one way
(MessagePack) and hashed, and the hashes are added. So the order does not matter, no row has to be kept, and a row that
is missing, twice there or changed in one bit changes the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final

import msgspec

from .model import Digest, Row

__all__ = ["Adder", "digest_of"]

_OCTETS: Final = 16
_MODULUS: Final = 2 ** (8 * _OCTETS)


class Adder:
    """Adds rows up while they pass.

    Attributes:
        rows: How many have passed.
    """

    def __init__(self) -> None:
        self.rows: int = 0
        self._total = 0

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Hand on rows, and add each."""
        encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            self._total += int.from_bytes(blake2b(encode(row), digest_size=_OCTETS).digest())
            self.rows += 1
            yield row

    @property
    def digest(self) -> Digest:
        """What they add up to so far."""
        return Digest(rows=self.rows, total=self._total % _MODULUS)


def digest_of(rows: Iterable[Row]) -> Digest:
    """Return what rows add up to."""
    adder = Adder()
    for _ in adder.passing(rows):
        pass
    return adder.digest
