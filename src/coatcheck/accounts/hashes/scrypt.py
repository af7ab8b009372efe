"""scrypt (RFC 7914), as the families that use it need it."""

from __future__ import annotations

import hashlib

import msgspec

from .bounds import BOUNDS
from .model import require

__all__ = ["Scrypt"]

_SPARE = 2**16  # OpenSSL counts a little more than the formula


class Scrypt(msgspec.Struct, frozen=True):
    """The parameters of one hash, within bounds.

    Attributes:
        n: The cost.
        r: The block size.
        p: The parallelism.
    """

    n: int
    r: int
    p: int

    def __post_init__(self) -> None:
        """Raise ``UnknownHashError`` if the parameters are impossible or beyond what is accepted."""
        require(BOUNDS.accepts_scrypt(n=self.n, r=self.r, p=self.p))

    def derive(self, password: bytes, *, salt: bytes, octets: int) -> bytes:
        """Return the derived key."""
        memory = 128 * self.r * (self.n + self.p + 2) + _SPARE
        return hashlib.scrypt(password, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=octets)
