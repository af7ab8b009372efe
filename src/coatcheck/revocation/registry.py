"""The ledger as those who check credentials hold it: in memory, answering in a few look-ups."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from .mentions import Mentions
from .model import KINDS, START, Draft, Entry, Facts, Kind, Position
from .policy import LedgerPolicy

__all__ = ["Registry"]

_BUCKET_SECONDS: Final = 60
_LONGEST_USE: Final = LedgerPolicy().until(0.0)
"""For how many seconds an entry can be of use, however long its clock says."""


class _Cutoff(msgspec.Struct, gc=False):
    instant: float
    minute: int


class _Named:
    """What is known of all things of one kind. Each is forgotten in the minute in which it comes to be of no use."""

    __slots__ = ("cutoffs", "ended")

    def __init__(self) -> None:
        self.ended: dict[str, int] = {}  # the minute: one number for all that are forgotten together
        self.cutoffs: dict[str, _Cutoff] = {}

    def end(self, value: str, minute: int) -> bool:
        """Note that nothing of this is good any more. Tells whether to remember that for longer than before."""
        before = self.ended.get(value)
        if before is not None and before >= minute:
            return False
        self.ended[value] = minute
        return True

    def cut_off(self, value: str, instant: float, *, minute: int) -> bool:
        """Note a cut-off; the latest counts. Tells what ``end`` tells."""
        before = self.cutoffs.get(value)
        if before is None:
            self.cutoffs[value] = _Cutoff(instant, minute)
            return True
        before.instant = max(before.instant, instant)
        if before.minute >= minute:
            return False
        before.minute = minute
        return True

    def forget(self, values: Iterable[str], minute: int) -> None:
        """Drop those that are not remembered for longer."""
        for value in values:
            if self.ended.get(value) == minute:
                del self.ended[value]
            known = self.cutoffs.get(value)
            if known is not None and known.minute == minute:
                del self.cutoffs[value]

    def voids(self, value: str, issued_at: float) -> bool:
        """Tell whether a credential of this was issued too early, or any is too late."""
        if value in self.ended:
            return True
        cutoff = self.cutoffs.get(value)
        return cutoff is not None and issued_at < cutoff.instant

    def cutoff(self, value: str) -> float:
        """Return the cut-off, the past of all if there is none."""
        known = self.cutoffs.get(value)
        return -math.inf if known is None else known.instant


class Registry:
    """What is void, up to a position of the ledger.

    All readings of the ledger come down to one question: was the credential issued before the cut-off of its token, its
    session, its user, its client, its key, or of everything? Whatever has ended for good is cut off in the infinite.
    Entries only ever add to that, so they may come twice, and a snapshot may be laid over what is known already.

    An entry is forgotten when the time says that it is of no use any more, and it has been known for as long as any can
    be of use. The time alone is not enough: a clock that is set ahead for a few seconds, or was behind when the entry
    was written, would bring back to life what it ended, and nobody sends it again.

    Attributes:
        epoch: Counts the changes. Whoever has looked a credential up and finds the same epoch need not look again.
        mentions: What was spoken of, and when.
        position: How far the ledger has been read.
        everything: The cut-off of all credentials.
    """

    __slots__ = (
        "_buckets",
        "_client",
        "_everything_learned",
        "_everything_until",
        "_hold",
        "_key",
        "_kinds",
        "_latest_cutoff",
        "_learned",
        "_session",
        "_ticks",
        "_token",
        "_user",
        "epoch",
        "everything",
        "mentions",
        "position",
    )

    def __init__(self, *, ticks: Callable[[], float] | None = None) -> None:
        """Take what tells how much time passes.

        Args:
            ticks: Returns seconds since some moment, and never goes back. Without it, the time that is given to
                ``forget`` is believed: for what is read once and not followed.
        """
        self._ticks: Callable[[], float] = ticks or _stand_still
        self._hold = 0.0 if ticks is None else _LONGEST_USE
        self._learned: dict[int, float] = {}  # by minutes, as ``_buckets``: when the last in it was learned
        self._everything_learned = -math.inf
        self.epoch: int = 0
        self.mentions: Mentions = Mentions()
        self.position: Position = START
        self.everything: float = -math.inf
        self._latest_cutoff = -math.inf  # of everything, for when the end of everything is of no use any more
        self._everything_until = -math.inf
        self._token, self._session, self._user = _Named(), _Named(), _Named()
        self._client, self._key = _Named(), _Named()
        self._kinds: dict[Kind, _Named] = dict(
            zip(KINDS, (self._token, self._session, self._user, self._client, self._key), strict=False)
        )
        self._buckets: dict[int, dict[Kind, list[str]]] = {}

    def __len__(self) -> int:
        """Return how many things are known to be void, or to have a cut-off; everything not counted."""
        return sum(len(each.ended) + len(each.cutoffs) for each in self._kinds.values())

    def void(self, facts: Facts) -> Kind | None:  # noqa: PLR0911 - a return per kind, and nothing in between
        """Return what makes a credential void; ``None`` if nothing does, as far as the ledger was read."""
        issued_at = facts.iat
        if issued_at < self.everything:
            return "everything"
        if self._session.voids(facts.sid, issued_at):
            return "session"
        if self._user.voids(facts.sub, issued_at):
            return "user"
        if self._token.voids(facts.jti, issued_at):
            return "token"
        if self._key.voids(facts.kid, issued_at):
            return "key"
        if self._client.voids(facts.client_id, issued_at):
            return "client"
        return None

    def session_has_ended(self, sid: str) -> bool:
        """Tell whether a session has ended for good, and not only been renewed."""
        return sid in self._session.ended

    def earliest(self, facts: Facts) -> float:
        """Return the instant before which credentials of this session, user and client are void, whatever else is."""
        return max(
            self.everything,
            self._session.cutoff(facts.sid),
            self._user.cutoff(facts.sub),
            self._client.cutoff(facts.client_id),
        )

    def add(self, entries: Iterable[Draft]) -> None:
        """Take note of entries, in any order and as often as anybody likes. The position stays.

        What cannot be known is passed over: entries of a kind that only a later release knows, or with a time that is
        none. They may be in a ledger that a later release writes to as well.
        """
        epoch, learned = self.epoch + 1, self._ticks()
        for entry in entries:
            if not math.isfinite(entry.until) or not (entry.cutoff is None or math.isfinite(entry.cutoff)):
                continue  # one "not a number" among the cut-offs would outlast all later ones
            minute = int(entry.until // _BUCKET_SECONDS)
            if entry.kind == "everything":
                self._end_everything(entry, learned)
                self._buckets.setdefault(minute, {})
                self._learned[minute] = learned
                self.mentions.note_all(epoch)
                continue
            named = self._kinds.get(entry.kind)
            if named is None or not entry.value:
                continue  # it names nothing, and credentials that say nothing of this kind are not meant
            self.mentions.note(entry.value, epoch)
            if (
                named.end(entry.value, minute)
                if entry.cutoff is None
                else named.cut_off(entry.value, entry.cutoff, minute=minute)
            ):
                self._buckets.setdefault(minute, {}).setdefault(entry.kind, []).append(entry.value)
                self._learned[minute] = learned
        self.epoch = epoch  # last: whoever reads it finds everything that it counts

    def _end_everything(self, entry: Draft, learned: float) -> None:
        if entry.cutoff is None:
            self.everything = math.inf
            if entry.until > self._everything_until:
                self._everything_until, self._everything_learned = entry.until, learned
        else:
            self._latest_cutoff = max(self._latest_cutoff, entry.cutoff)
            self.everything = max(self.everything, entry.cutoff)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take note of the entries that follow the position, and move it behind the last."""
        if entries:
            self.add(entries)
            self.position = Position(entries[-1].seq, entries[-1].mark)

    def move_to(self, position: Position) -> None:
        """Note that all is known up to a position: forwards or, after the ledger was restored, backwards."""
        self.position = position

    def forget(self, now: float) -> None:
        """Drop what is of no use any more. It changes no answer for a credential that has not expired."""
        ticks = self._ticks()
        for minute in [each for each in self._buckets if (each + 1) * _BUCKET_SECONDS <= now]:
            if self._is_held(self._learned[minute], ticks):
                continue
            del self._learned[minute]
            for kind, values in self._buckets.pop(minute).items():
                self._kinds[kind].forget(values, minute)
        if self._everything_until < now and not self._is_held(self._everything_learned, ticks):
            self.everything = self._latest_cutoff  # which itself is kept: it is one number

    def remembers_from(self) -> float:
        """Return an instant: all entries that were of use until before it have been forgotten; infinite if all have."""
        return min(self._buckets, default=math.inf) * _BUCKET_SECONDS

    def _is_held(self, learned: float, ticks: float) -> bool:
        """Tell whether what was learned then may still be of use, whatever the time is said to be."""
        return ticks - learned < self._hold


def _stand_still() -> float:
    return 0.0
