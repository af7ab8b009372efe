"""The ledger on its way to other services: the claims of the signed events of its feed.

Every event is a JWT of the type ``ledger+jwt``, signed by the issuer with the keys that sign access tokens. It is sent
as one event of a ``text/event-stream`` (HTML, "Server-sent events"); what its name says, the claim ``event`` says too.

- ``hello`` comes first. It repeats the reader's ``nonce``: nobody could have recorded it before.
- ``snapshot``, in as many parts as it takes, to a reader that names no position, or one that this ledger does not know.
  Readers share a snapshot, so that its parts cannot repeat a nonce. Instead ``hello`` says which one follows, and up to
  where it goes, and each part says to which it belongs and which entries it follows.
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

__all__ = [
    "AUDIENCE",
    "TYPE",
    "EventName",
    "FeedEvent",
    "WireEntry",
    "check_entry",
    "from_wire",
    "is_known_kind",
    "is_sendable",
    "to_wire",
]

TYPE: Final = "ledger+jwt"
AUDIENCE: Final = "coatcheck-ledger"
_LONGEST_VALUE: Final = 256
_KNOWN: Final[dict[str, Kind]] = {kind: kind for kind in KINDS}

EventName = Literal["hello", "snapshot", "entries", "heartbeat"]

WireEntry = tuple[str, str, float | None, float]
"""Kind, value, cut-off (``null``: all) and until. The kind may be one that only later releases know."""


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims of an event, beside ``iss``, ``aud`` and ``iat``, which are those of any JWT. Times have fractions.

    Attributes:
        event: Which.
        seq: Up to which entry whoever has read this knows the ledger: the number of the newest one ...
        mark: ... and its mark.
        now: The server's time.
        after: ``entries`` and ``snapshot``: the position that they follow, as text.
        upto: ``snapshot``: the position that this part leads to, which the next one follows, as text.
        entries: ``entries`` and ``snapshot``: the entries.
        done: ``snapshot``: whether this is the last part.
        part: ``snapshot``: which part this is, from 0.
        nonce: ``hello``: what the reader sent.
        heartbeat: ``hello``: after how many seconds, at the latest, the next event comes.
        snapshot: ``hello``: which snapshot follows, because the reader's position is not one of this ledger; ``None``
            if none does. ``snapshot``: which one this is a part of.
        keys: ``hello`` and ``heartbeat``: the digest of the key set. Another one: other keys.
    """

    event: EventName
    seq: int
    mark: str
    now: float
    after: str | None = None
    upto: str | None = None
    entries: tuple[WireEntry, ...] = ()
    done: bool = False
    part: int = 0
    nonce: str | None = None
    heartbeat: float | None = None
    snapshot: str | None = None
    keys: str | None = None

    @property
    def position(self) -> Position:
        """The position that it leads to."""
        return Position(self.seq, self.mark)


def to_wire(entries: Iterable[Draft]) -> tuple[WireEntry, ...]:
    """Return entries as they are sent. Those that would break the stream of every reader are left out."""
    return tuple((each.kind, each.value, each.cutoff, each.until) for each in entries if is_sendable(each))


def from_wire(entries: Iterable[WireEntry], *, at: float) -> list[Draft]:
    """Return entries that were received. Those of a kind that only a later release knows are passed over.

    Raises:
        MalformedEntryError: If one of a known kind is about nothing, or has a time that is none.
    """
    drafts = []
    for kind, value, cutoff, until in entries:
        known = _KNOWN.get(kind)
        if known is None:
            continue
        draft = Draft(
            kind=known, value=value, cutoff=cutoff, until=until, reason="", actor="", at=at, mark=""
        )
        check_entry(draft)
        drafts.append(draft)
    return drafts


def check_entry(entry: Draft) -> None:
    """Check that an entry is one.

    Raises:
        MalformedEntryError: If it is of no known kind, about nothing, or has a time that is none.
    """
    if not is_known_kind(entry.kind) or (entry.value == EVERYTHING) != (entry.kind == "everything"):
        raise MalformedEntryError(
            "An entry of the ledger names nothing that could be void.", detail=entry.kind
        )
    if len(entry.value) > _LONGEST_VALUE:
        raise MalformedEntryError("An entry of the ledger names something too long.", detail=entry.kind)
    if not _has_times(entry):
        raise MalformedEntryError("An entry of the ledger has a time that is none.", detail=entry.kind)


def is_known_kind(kind: str) -> bool:
    """Tell whether this release knows what an entry of this kind is about."""
    return kind in _KNOWN


def is_sendable(entry: Draft) -> bool:
    """Tell whether an entry that was stored, by whomever, can be sent: whether no reader would take it for malformed.

    One of a kind that only a later release knows can: readers of that release know it too, and others pass it over.
    """
    if not is_known_kind(entry.kind):
        return max(len(entry.kind), len(entry.value)) <= _LONGEST_VALUE and _has_times(entry)
    try:
        check_entry(entry)
    except MalformedEntryError:
        return False
    return True


def _has_times(entry: Draft) -> bool:
    return isfinite(entry.until) and (entry.cutoff is None or isfinite(entry.cutoff))
