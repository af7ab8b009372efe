"""The list of common passwords that comes with the package. ``scripts/make-blocklist`` makes it.

The file holds no passwords but the first five octets of each one's SHA-256, sorted. A password that is not on the
list is taken for one with a probability of about one in sixty million.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_left
from functools import cache
from importlib.resources import files

__all__ = ["Blocklist", "fold", "load_blocklist"]

_WIDTH = 5


class Blocklist:
    """A set of passwords that nobody may choose. Upper and lower case are the same."""

    __slots__ = ("_digests",)

    def __init__(self, digests: bytes = b"") -> None:
        """Take the sorted digests, five octets each. Raises ``ValueError`` if they are not whole."""
        if len(digests) % _WIDTH:
            raise ValueError("The list of common passwords is damaged.")
        self._digests = digests

    @classmethod
    def of(cls, *passwords: str) -> Blocklist:
        """Return a list of these passwords."""
        return cls(b"".join(sorted({_digest(password) for password in passwords})))

    def __contains__(self, password: str) -> bool:
        wanted, digests = _digest(password), self._digests
        place = _WIDTH * bisect_left(
            range(len(self)), wanted, key=lambda index: digests[_WIDTH * index : _WIDTH * index + _WIDTH]
        )
        return digests[place : place + _WIDTH] == wanted

    def __len__(self) -> int:
        return len(self._digests) // _WIDTH

    def __bytes__(self) -> bytes:
        return self._digests

    def __repr__(self) -> str:
        return f"<Blocklist of {len(self)} passwords>"


@cache
def load_blocklist() -> Blocklist:
    """Return the list that comes with the package. It is read once."""
    return Blocklist(files(__package__).joinpath("common_passwords.bin").read_bytes())


def fold(password: str) -> str:
    """Return a password as it is compared with known words: NFKC and without case. Never as it is hashed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", password).casefold())


def _digest(password: str) -> bytes:
    return hashlib.sha256(fold(password).encode("utf-8", "surrogatepass")).digest()[:_WIDTH]
