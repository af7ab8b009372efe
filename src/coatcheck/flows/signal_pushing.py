"""Events that are brought to receivers (RFC 8935): which are next, and what has become of them.

Several processes may push. Each stream is one process's at a time, for as long as it says so: events of one stream go
one after the other. A process that dies leaves its streams to the others, and to itself after a restart.
"""

from __future__ import annotations

import random
from typing import Final

import msgspec
from msgspec.structs import replace

from .context import Context
from .model import Stream
from .signal_policy import SignalPolicy
from .signal_sending import Refusal, note_refusal, signed
from .signal_streams import AUTHORIZATION

__all__ = ["Outgoing", "SignalPushing", "pause_after"]

_CLAIMS: Final = "claims of streams"  # whose transactions these are
_GENERATOR: Final = random.SystemRandom()


def pause_after(attempts: int, policy: SignalPolicy, *, luck: float) -> float:
    """Return how long to wait after so many vain attempts, in seconds.

    Twice as long each time, up to a limit; and by up to a half less, by ``luck`` from 0 to 1, so that receivers which
    came down together are not all tried at the same moment for ever.
    """
    doubled: float = policy.first_pause.total_seconds() * 2 ** min(attempts - 1, 30)
    return min(doubled, policy.longest_pause.total_seconds()) * (1 - luck / 2)


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way.

    Attributes:
        stream: Its stream, as this process has it.
        endpoint: Where to.
        authorization: The ``Authorization`` to show there; ``None`` for none.
        jti: The event's identifier.
        token: The SET.
    """

    stream: Stream
    endpoint: str
    authorization: str | None
    jti: str
    token: str

    def __repr__(self) -> str:
        return f"<Outgoing {self.jti}>"


class SignalPushing:
    """Hands out what is to be pushed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def policy(self) -> SignalPolicy:
        """How long to wait, and for what."""
        return self._context.signals.policy

    async def claim(self) -> Stream | None:
        """Return a stream from which to push, and keep others from it for a while; ``None`` if none is due."""
        now = self._context.clock()
        # Whoever looks often, and finds nothing, should not take the turn of those who write.
        if await self._context.storage.records.find_due_stream(now) is None:
            return None
        async with self._context.storage.transaction(_CLAIMS) as records:
            await records.hold_streams()
            stream = await records.find_due_stream(now)
            if stream is None:
                return None  # another process was first
            claimed = replace(stream, due_at=now + self.policy.lease.total_seconds())
            await records.replace_stream(claimed)
        return claimed

    async def next(self, claimed: Stream) -> Outgoing | None:
        """Return the next event of a stream that is this process's; ``None`` if there is none, or it is not any more.

        Raises:
            SealError: If the receiver's ``Authorization`` was sealed under another secret.
        """
        records = self._context.storage.records
        stream = await records.find_stream(claimed.id)
        if stream is None or stream.due_at != claimed.due_at or stream.endpoint is None:
            return None
        (waiting,) = await records.list_signals(stream.id, limit=1) or (None,)
        if waiting is None:
            await self._rest(stream)
            return None
        authorization = None
        if stream.sealed_authorization is not None:
            sealer = self._context.sealer
            authorization = sealer.open(stream.sealed_authorization, context=AUTHORIZATION).decode("ascii")
        return Outgoing(
            stream=stream,
            endpoint=stream.endpoint,
            authorization=authorization,
            jti=waiting.jti,
            token=await signed(self._context, stream, waiting),
        )

    async def settle(self, outgoing: Outgoing, *, refusal: Refusal | None = None) -> Stream | None:
        """Forget an event: the receiver has it, or will never take it.

        Returns:
            The stream, if there is more to push from it, and it is still this process's.
        """
        now, claimed = self._context.clock(), outgoing.stream
        async with self._context.storage.transaction(claimed.id) as records:
            await records.hold_streams()
            await records.delete_signals(claimed.id, [outgoing.jti])
            stream = await records.find_stream(claimed.id)
            if stream is None or stream.due_at != claimed.due_at:
                following = None
            elif await records.count_signals(claimed.id, limit=1):
                following = replace(stream, due_at=now + self.policy.lease.total_seconds(), attempts=0)
                await records.replace_stream(following)
            else:
                following = None
                await records.replace_stream(replace(stream, due_at=None, attempts=0))
        if refusal is not None:
            note_refusal(claimed, outgoing.jti, refusal)
        return following

    async def postpone(self, claimed: Stream, *, at_least: float = 0.0) -> float:
        """Leave a stream alone for a while: its receiver could not take what was sent.

        Args:
            claimed: The stream.
            at_least: For how many seconds the receiver asked to be left alone.

        Returns:
            For how many seconds.
        """
        async with self._context.storage.transaction(claimed.id) as records:
            await records.hold_streams()
            stream = await records.find_stream(claimed.id)
            if stream is None or stream.due_at != claimed.due_at:
                return 0.0
            attempts = stream.attempts + 1
            pause = pause_after(attempts, self.policy, luck=_GENERATOR.random())
            pause = max(pause, min(at_least, self.policy.longest_pause.total_seconds()))
            due_at = self._context.clock() + pause
            await records.replace_stream(replace(stream, due_at=due_at, attempts=attempts))
        return pause

    async def release(self, claimed: Stream) -> None:
        """Give a stream back, to whoever comes next: this process stops, and what it sent may have arrived or not."""
        async with self._context.storage.transaction(claimed.id) as records:
            await records.hold_streams()
            stream = await records.find_stream(claimed.id)
            if stream is not None and stream.due_at == claimed.due_at:
                await records.replace_stream(replace(stream, due_at=self._context.clock()))

    async def _rest(self, claimed: Stream) -> None:
        """Leave a stream alone until there is an event: there was none when it was looked at."""
        async with self._context.storage.transaction(claimed.id) as records:
            await records.hold_streams()
            stream = await records.find_stream(claimed.id)
            waiting = await records.count_signals(claimed.id, limit=1)
            if stream is not None and stream.due_at == claimed.due_at and not waiting:
                await records.replace_stream(replace(stream, due_at=None))

    async def expire(self) -> int:
        """Give up every stream, pushed or polled, in which an event has waited for too long; return how many."""
        before = self._context.clock() - self.policy.longest.total_seconds()
        given_up = 0
        while await self._context.storage.records.find_stale_stream(before) is not None:
            async with self._context.storage.transaction(_CLAIMS) as records:
                await records.hold_streams()
                stream = await records.find_stale_stream(before)
                if stream is not None:
                    days = self.policy.longest.days
                    await self._context.signals.give_up(
                        records, stream, f"Events waited for more than {days} days."
                    )
                    given_up += 1
        return given_up
