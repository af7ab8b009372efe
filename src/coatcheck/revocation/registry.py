"""The ledger as those who check credentials hold it: in memory, answering in a few look-ups."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from .mentions import Mentions
from .model import KINDS, START, Draft, Entry, Facts, Kind, Position

__all__ = ["Registry"]

_BUCKET_SECONDS: Final = 60


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

    Attributes:
        epoch: Counts the changes. Whoever has looked a credential up and finds the same epoch need not look again.
        mentions: What was spoken of, and when.
        position: How far the ledger has been read.
        everything: The cut-off of all credentials.
    """

    __slots__ = (
        "_buckets",
        "_client",
        "_everything_until",
        "_key",
        "_kinds",
        "_latest_cutoff",
        "_session",
        "_token",
        "_user",
        "epoch",
        "everything",
        "mentions",
        "position",
    )

    def __init__(self) -> None:
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
        """Take note of entries, in any order and as often as anybody likes. The position stays."""
        epoch = self.epoch + 1
        for entry in entries:
            if entry.kind == "everything":
                self._end_everything(entry)
                self.mentions.note_all(epoch)
                continue
            if not entry.value:
                continue  # it names nothing, and credentials that say nothing of this kind are not meant
            self.mentions.note(entry.value, epoch)
            minute = int(entry.until // _BUCKET_SECONDS)
            named = self._kinds[entry.kind]
            if (
                named.end(entry.value, minute)
                if entry.cutoff is None
                else named.cut_off(entry.value, entry.cutoff, minute=minute)
            ):
                self._buckets.setdefault(minute, {}).setdefault(entry.kind, []).append(entry.value)
        self.epoch = epoch  # last: whoever reads it finds everything that it counts

    def _end_everything(self, entry: Draft) -> None:
        if entry.cutoff is None:
            self.everything = math.inf
            self._everything_until = max(self._everything_until, entry.until)
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
        for minute in [each for each in self._buckets if (each + 1) * _BUCKET_SECONDS <= now]:
            for kind, values in self._buckets.pop(minute).items():
                self._kinds[kind].forget(values, minute)
        if self._everything_until < now:
            self.everything = self._latest_cutoff  # which itself is kept: it is one number
