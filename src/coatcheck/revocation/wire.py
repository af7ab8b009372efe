"""The ledger on its way to other services: the claims of the signed events of its feed.

Every event is a JWT of the type ``ledger+jwt``, signed by the issuer with the keys that sign access tokens. It is sent
as one event of a ``text/event-stream`` (HTML, "Server-sent events"); what its name says, the claim ``event`` says too.

- ``hello`` comes first. It repeats the reader's ``nonce``: nobody could have recorded it before.
- ``snapshot``, in as many parts as it takes, to a reader that names no position, or one that this ledger does not know.
- ``entries`` as they are committed. ``after`` is the position that they follow.
- ``heartbeat`` when nothing happens: it says so, and when.

Reason and actor of an entry stay where they are: a verifier needs neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Final, Literal

import msgspec

from .errors import MalformedEntryError
from .model import EVERYTHING, KINDS, Draft, Kind, Position

__all__ = ["AUDIENCE", "TYPE", "EventName", "FeedEvent", "WireEntry", "from_wire", "to_wire"]

TYPE: Final = "ledger+jwt"
AUDIENCE: Final = "coatcheck-ledger"
_LONGEST_VALUE: Final = 256

EventName = Literal["hello", "snapshot", "entries", "heartbeat"]

WireEntry = tuple[Kind, str, float | None, float]
"""Kind, value, cut-off (``null``: all) and until."""


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims of an event, beside ``iss``, ``aud`` and ``iat``, which are those of any JWT. Times have fractions.

    Attributes:
        event: Which.
        seq: Up to which entry whoever has read this knows the ledger: the number of the newest one ...
        mark: ... and its mark.
        now: The server's time.
        after: ``entries``: the position that they follow, as text.
        entries: ``entries`` and ``snapshot``: the entries.
        done: ``snapshot``: whether this is the last part.
        part: ``snapshot``: which part this is, from 0.
        nonce: ``hello``: what the reader sent.
        heartbeat: ``hello``: after how many seconds, at the latest, the next event comes.
        snapshot: ``hello``: whether a snapshot follows, because the reader's position is not one of this ledger.
        keys: ``hello`` and ``heartbeat``: the digest of the key set. Another one: other keys.
    """

    event: EventName
    seq: int
    mark: str
    now: float
    after: str | None = None
    entries: tuple[WireEntry, ...] = ()
    done: bool = False
    part: int = 0
    nonce: str | None = None
    heartbeat: float | None = None
    snapshot: bool = False
    keys: str | None = None

    @property
    def position(self) -> Position:
        """The position that it leads to."""
        return Position(self.seq, self.mark)


def to_wire(entries: Iterable[Draft]) -> tuple[WireEntry, ...]:
    """Return entries as they are sent."""
    return tuple((each.kind, each.value, each.cutoff, each.until) for each in entries)


def from_wire(entries: Iterable[WireEntry], *, at: float) -> list[Draft]:
    """Return entries that were received, as far as they can be known.

    Raises:
        MalformedEntryError: If one is about nothing, or has a time that is none.
    """
    return [_checked(entry, at=at) for entry in entries]


def _checked(entry: WireEntry, *, at: float) -> Draft:
    kind, value, cutoff, until = entry
    if kind not in KINDS or len(value) > _LONGEST_VALUE or (value == EVERYTHING) != (kind == "everything"):
        raise MalformedEntryError("An entry of the ledger names nothing that could be void.", detail=kind)
    if not isfinite(until) or not (cutoff is None or isfinite(cutoff)):
        raise MalformedEntryError("An entry of the ledger has a time that is none.", detail=kind)
    return Draft(kind=kind, value=value, cutoff=cutoff, until=until, reason="", actor="", at=at, mark="")
