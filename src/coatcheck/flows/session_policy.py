"""A stricter policy for sessions that began under another one: it holds for them too, from the next start on."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from ..sessions.lifecycle import is_alive
from ..sessions.model import Session
from .context import Context
from .ending import SERVER, Reason, end_sessions, revoke
from .ports import Records

__all__ = ["SessionPolicyChange"]

_BATCH = 500


class SessionPolicyChange:
    """Applies the policy that a server was started with to the sessions that there are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        profile = context.sessions.profile
        self._lifetime = profile.lifetime.total_seconds()
        self._idle_timeout = profile.idle_timeout.total_seconds()

    async def apply(self) -> int:
        """Shorten all sessions that may last longer than the policy allows; return how many ended by that.

        None is ever lengthened. It happens batch by batch, each in one transaction: after an interruption, the next
        start goes on.
        """
        ended, after = 0, ""
        while True:
            # First without a transaction: nearly always there is nothing to do.
            longer = await self._list(self._context.storage.records, after=after)
            if not longer:
                return ended
            async with self._context.storage.transaction() as records:
                ended += await self._shorten(records, await self._list(records, after=after))
            after = longer[-1].id
            await asyncio.sleep(0)

    async def _list(self, records: Records, *, after: str) -> list[Session]:
        return await records.list_longer_sessions(
            lifetime=self._lifetime, idle_timeout=self._idle_timeout, after=after, limit=_BATCH
        )

    async def _shorten(self, records: Records, longer: list[Session]) -> int:
        """Shorten some sessions. Returns how many of them ended that would have lasted."""
        context, now = self._context, self._context.clock()
        await records.shorten_sessions(
            [each.id for each in longer], lifetime=self._lifetime, idle_timeout=self._idle_timeout
        )
        shortened = [self._shortened(each) for each in longer if is_alive(each, now)]
        over = [each.id for each in shortened if not is_alive(each, now)]
        ended = await end_sessions(context, records, over, reason=Reason.POLICY_CHANGED, actor=SERVER)
        # What was issued under the old policy may say that it is good for longer than its session now lasts.
        token_end = now + context.ledger.policy.longest_token.total_seconds()
        soon = [each.id for each in shortened if now < each.ends_at < token_end]
        await revoke(
            context,
            records,
            [("session", each) for each in soon],
            reason=Reason.POLICY_CHANGED,
            actor=SERVER,
            cutoff=now,
        )
        return len(ended)

    def _shortened(self, session: Session) -> Session:
        return replace(
            session,
            expires_at=min(session.expires_at, session.authenticated_at + self._lifetime),
            idle_timeout=min(session.idle_timeout, self._idle_timeout),
        )
