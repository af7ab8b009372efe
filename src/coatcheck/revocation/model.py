"""The records of the ledger. Times are seconds since 1970, with their fractions."""

from __future__ import annotations

import math
import re
from typing import Literal

import msgspec

__all__ = ["EVERYTHING", "KINDS", "START", "Draft", "Entry", "Facts", "Kind", "Position"]

Kind = Literal["token", "session", "user", "client", "key", "everything"]
"""What an entry is about, which is a token (``jti``), a session (``sid``), a user (``sub``), a client (``client_id``),
a key (``kid``), or whatever there is."""

KINDS: tuple[Kind, ...] = ("token", "session", "user", "client", "key", "everything")

_POSITION = re.compile(r"(0|[1-9][0-9]{0,17})\.([A-Za-z0-9_-]{0,32})", re.ASCII)

EVERYTHING = ""
"""The value of an entry about everything."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry before it has its place in the ledger.

    Attributes:
        kind: What it is about.
        value: Which one.
        cutoff: Credentials issued before this instant are void; ``None`` for all, whenever they were issued.
        until: When every credential that it can concern has expired: afterwards it is of no use.
        reason: Why, one of ``flows.ending.Reason``.
        actor: Who did it: ``user:`` or ``service:`` and an identifier, ``administrator``, or ``server``.
        at: When.
        mark: 64 random bits, base64url. Two ledgers that grew apart, one of them restored from a backup for example,
            may both have an entry 7; they do not have the same mark there.
    """

    kind: Kind
    value: str
    cutoff: float | None
    until: float
    reason: str
    actor: str
    at: float
    mark: str


class Entry(Draft, frozen=True, kw_only=True, gc=False):
    """An entry in its place.

    Attributes:
        seq: Its number: greater than that of every entry committed before it.
    """

    seq: int


class Position(msgspec.Struct, frozen=True, gc=False, order=False):
    """A place in a ledger: right after an entry.

    Attributes:
        seq: The entry's number; 0 before the first.
        mark: The entry's mark; empty before the first.
    """

    seq: int
    mark: str

    def __str__(self) -> str:
        return f"{self.seq}.{self.mark}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Return the position that a text names, as ``str`` writes it; ``None`` if it names none."""
        found = _POSITION.fullmatch(text)
        return None if found is None else cls(int(found[1]), found[2])


START = Position(0, "")
"""Before the first entry."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a credential says of itself that the ledger may speak about.

    Attributes:
        jti: The token's identifier, or empty.
        sid: The session that it comes from, or empty.
        sub: The user that it stands for, or empty.
        client_id: The client that it was issued to, or empty.
        kid: The key that signed it, or empty.
        iat: When it was issued.
    """

    jti: str = ""
    sid: str = ""
    sub: str = ""
    client_id: str = ""
    kid: str = ""
    iat: float = -math.inf
