"""Events that receivers come for (RFC 8936)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import msgspec

from .context import Context
from .model import Service, Signal, Stream
from .signal_errors import InvalidStreamError, UnknownStreamError
from .signal_sending import Refusal, note_refusal, signed

__all__ = ["PollAnswer", "SignalPolling"]


class PollAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a poll (RFC 8936 section 2.3).

    Attributes:
        sets: The SETs by their ``jti``, the oldest first.
        more_available: Whether others wait.
    """

    sets: dict[str, str]
    more_available: bool


class SignalPolling:
    """Answers polls."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def poll(
        self,
        service: Service,
        stream_id: str,
        *,
        most: int | None = None,
        at_once: bool = False,
        acknowledged: Collection[str] = (),
        refused: Mapping[str, Refusal] | None = None,
    ) -> PollAnswer:
        """Forget what a receiver has, and return what it has not: the same again, until it says that it has it.

        Args:
            service: Who asks.
            stream_id: Its stream.
            most: The most events that it takes; ``None`` for as many as there are. 0: it only acknowledges.
            at_once: Whether to answer at once; by default, when there is an event, or after some time.
            acknowledged: The ``jti`` of events that it has.
            refused: The events that it does not accept, by their ``jti``. It does not get them again.

        Raises:
            UnknownStreamError: If it has no such stream, or not one to poll.
            InvalidStreamError: If ``most`` is negative.
        """
        if most is not None and most < 0:
            raise InvalidStreamError("That is no number of events.", field="maxEvents")
        stream = await self._own(service, stream_id)
        refused = refused or {}
        done = [*acknowledged, *refused]
        if done:
            await self._context.storage.records.delete_signals(stream.id, done)
        for jti, refusal in refused.items():
            note_refusal(stream, jti, refusal)
        if most == 0:
            return PollAnswer(sets={}, more_available=bool(await self._waiting(stream, 1)))
        limit = self._context.signals.policy.most_per_poll
        limit = limit if most is None else min(most, limit)
        stream, signals = await self._found(service, stream, limit=limit + 1, at_once=at_once)
        sets = {each.jti: await signed(self._context, stream, each) for each in signals[:limit]}
        return PollAnswer(sets=sets, more_available=len(signals) > limit)

    async def _found(
        self, service: Service, stream: Stream, *, limit: int, at_once: bool
    ) -> tuple[Stream, list[Signal]]:
        """Return what waits, as soon as something does."""
        signals, storage = self._context.signals, self._context.storage
        time = asyncio.get_running_loop().time
        until = time() + signals.policy.long_poll.total_seconds()
        while True:
            version = storage.version()
            stream = await self._own(service, stream.id)
            found = await self._waiting(stream, limit)
            remaining = until - time()
            if found or at_once or remaining <= 0:
                return stream, found
            if not await signals.bell.wait(version, timeout=remaining):
                return stream, []

    async def _waiting(self, stream: Stream, limit: int) -> list[Signal]:
        if stream.status == "paused":
            return []
        found = await self._context.storage.records.list_signals(stream.id, limit=limit)
        return [each for each in found if stream.status == "enabled" or each.is_last_word]

    async def _own(self, service: Service, stream_id: str) -> Stream:
        stream = await self._context.storage.records.find_stream(stream_id)
        if stream is None or stream.service_id != service.id or stream.method != "poll":
            raise UnknownStreamError
        return stream
