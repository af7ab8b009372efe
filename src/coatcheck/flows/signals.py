"""Security events, queued in the transaction of what they tell of.

For every stream that wants an event there is one record, written with the ledger entry: what was committed is told,
over the death of any process, and what was rolled back is not. Who sends them is elsewhere: ``signal_pushing`` and
``signal_polling``.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from .._core import json
from .._core.clock import Clock
from .._core.secrets import new_identifier
from ..revocation.model import Kind
from ..revocation.security_events import (
    SecurityEvent,
    covering,
    credential_change,
    revocation_events,
    stream_updated,
)
from .model import Signal, Stream
from .ports import Records, Storage
from .signal_bell import Bell
from .signal_policy import SignalPolicy

__all__ = ["NOBODY", "Signals"]

NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
"""What ``owners_of`` returns where there is nobody to tell: nothing more is read in that transaction."""

_log = logging.getLogger("coatcheck.signals")


class Signals:
    """What queues events.

    Attributes:
        issuer: Who they come from.
        policy: How many wait, and for how long.
        bell: Wakes those who send them.
    """

    def __init__(
        self, storage: Storage, *, issuer: str, clock: Clock, policy: SignalPolicy | None = None
    ) -> None:
        self.issuer: str = issuer
        self.policy: SignalPolicy = policy or SignalPolicy()
        self.bell: Bell = Bell(storage, interval=self.policy.watch)
        self._clock = clock

    async def owners_of(self, records: Records, session_ids: Collection[str]) -> Mapping[str, str]:
        """Return whose sessions these are, if there is anybody to tell: before they are deleted.

        Where there is no stream, this is one read, and the answer is ``NOBODY``.
        """
        if not session_ids or not await records.list_open_streams():
            return NOBODY
        sessions = [await records.find_session(each) for each in session_ids]
        return {session.id: session.user_id for session in sessions if session is not None}

    async def revoked(
        self,
        records: Records,
        named: Iterable[tuple[Kind, str]],
        *,
        reason: str,
        actor: str,
        cutoff: float | None = None,
        owners: Mapping[str, str] | None = None,
    ) -> None:
        """Queue what there is to tell of ledger entries, inside their transaction. Only ``flows.ending`` calls this.

        Args:
            records: The transaction.
            named: What ended: kinds and values.
            reason: Why.
            actor: Who did it.
            cutoff: The entries' cut-off.
            owners: Whose the sessions among them were, as ``owners_of`` told in the same transaction.
        """
        if owners is NOBODY:
            return
        events = revocation_events(
            named,
            issuer=self.issuer,
            owners=owners or {},
            reason=reason,
            actor=actor,
            cutoff=cutoff,
            at=self._clock(),
            txn=new_identifier(),
        )
        if events:
            await self._tell(records, events)

    async def password_changed(self, records: Records, user_id: str, *, reason: str, actor: str) -> None:
        """Queue that a user has another password, inside the transaction in which it is replaced."""
        event = credential_change(
            user_id,
            issuer=self.issuer,
            reason=reason,
            actor=actor,
            at=self._clock(),
            txn=new_identifier(),
        )
        if await records.list_open_streams():
            # A ledger entry before this would have done it; but there may be none.
            await records.hold_streams()
            await self._tell(records, [event])

    async def _tell(self, records: Records, events: Sequence[SecurityEvent]) -> None:
        for stream in await records.list_open_streams():
            wanted = [event for event in events if await _is_wanted(records, stream, event)]
            if wanted:
                await self.queue(records, stream, wanted)

    async def queue(self, records: Records, stream: Stream, events: Sequence[SecurityEvent]) -> None:
        """Queue events in one stream, inside of a transaction. If there is no room for all, the stream ends instead.

        The stream was read after ``hold_streams``, or after the transaction has appended to the ledger, or the
        transaction is alone: nobody else has changed it since.
        """
        most = self.policy.most_events
        if await records.count_signals(stream.id, limit=most) + len(events) > most:
            await self.give_up(records, stream, f"More than {most} events waited.")
            return
        await records.add_signals([_signal(stream, event) for event in events])
        if stream.status == "enabled" and stream.method == "push" and stream.due_at is None:
            await records.replace_stream(replace(stream, due_at=self._clock(), attempts=0))
        self.bell.ring()

    async def give_up(self, records: Records, stream: Stream, reason: str) -> None:
        """Disable a stream that its receiver does not read, and let that be the last that the receiver is told.

        Nothing is ever left out in silence: either a receiver gets every event, or it is told that there were others,
        by ``stream-updated`` (SSF sections 8.1.2 and 8.1.5) and by the stream's status.
        """
        lost = await records.clear_signals(stream.id)
        if stream.status == "disabled":
            # What waited was the last word itself. The status still says so.
            await records.replace_stream(replace(stream, due_at=None))
            return
        now = self._clock()
        reason = f"{reason} They were dropped, and the stream was disabled."
        event = stream_updated(stream.id, status="disabled", reason=reason, at=now)
        await records.add_signals([_signal(stream, event, is_last_word=True)])
        due_at = now if stream.method == "push" else None
        await records.replace_stream(
            replace(stream, status="disabled", reason=reason, due_at=due_at, attempts=0)
        )
        self.bell.ring()
        _log.error("stream %s was disabled, and %d events were dropped: %s", stream.id, lost, reason)


async def _is_wanted(records: Records, stream: Stream, event: SecurityEvent) -> bool:
    return event.type in stream.delivered and not await records.is_unwanted(
        stream.id, covering(event.subject)
    )


def _signal(stream: Stream, event: SecurityEvent, *, is_last_word: bool = False) -> Signal:
    jti = new_identifier()
    return Signal(
        stream_id=stream.id,
        jti=jti,
        at=event.at,
        claims=json.encode(event.claims(jti=jti)),
        is_last_word=is_last_word,
    )
