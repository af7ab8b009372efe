"""What every store does here: keep octets under a key, and find them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final, Literal, Protocol

import msgspec

from ..._core.clock import system_clock
from ..._core.secrets import digest, new_identifier

__all__ = ["Kind", "Line", "Record", "Store", "look_up", "new_name", "record_of", "sessions_for"]

Kind = Literal["memory", "sqlite", "postgresql", "redis"]

_AN_HOUR: Final = 3600.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a store knows of a session.

    Attributes:
        sid: The session.
        sub: The user.
        ends_at: When it ends, in seconds since 1970.
        roles: What the user may do.
    """

    sid: str
    sub: str
    ends_at: float
    roles: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class Line(Protocol):
    """A connection to a store. It belongs to the thread that opened it."""

    def find(self, key: bytes) -> bytes | None:
        """Return what lies under a key; ``None`` if nothing does."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Put something there, in place of what was there. It is committed when this returns."""
        ...

    def remove(self, key: bytes) -> None:
        """Remove it, if it is there. It is committed when this returns."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Store(Protocol):
    """A store.

    Attributes:
        kind: What it is.
        name: For people.
        place: Where it is, without anything secret.
        version: Its version.
    """

    kind: Kind
    name: str
    place: str
    version: str

    def failures(self) -> AbstractContextManager[None]:
        """Let no error of the driver out of a block: they become ``StoreError``, without anything secret."""
        ...

    def fill(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Make a place of our own, and put something there.

        Raises:
            StoreError: If the store does not let us.
        """
        ...

    def connect(self) -> Line:
        """Open one more connection.

        Raises:
            StoreError: If that fails.
        """
        ...

    def clear(self) -> None:
        """Remove all that was put there, and the place. Calling it again does nothing.

        Raises:
            LeftoverError: If that fails.
        """
        ...


def new_name() -> str:
    """Return a name for what is put into a store: unmistakable, and nobody else's."""
    return f"coatcheck_compare_{new_identifier().lower().replace('-', '_')[:12]}"


def record_of(*, roles: tuple[str, ...] = ("customer", "support")) -> bytes:
    """Return a record of a session that lives for an hour."""
    return _encode(
        Record(sid=new_identifier(), sub=new_identifier(), ends_at=system_clock() + _AN_HOUR, roles=roles)
    )


def sessions_for(secrets: Iterable[str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what a store keeps for sessions: the digest of the secret in the cookie, and the record."""
    for secret in secrets:
        yield digest(secret), record_of()


def look_up(line: Line, secret: str) -> Record | None:
    """Return the session of a secret, as it is looked up with each request; ``None`` if there is none that lives."""
    octets = line.find(digest(secret))
    if octets is None:
        return None
    record = _decode(octets)
    return record if system_clock() < record.ends_at else None
