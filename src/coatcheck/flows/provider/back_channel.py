"""Telling clients that sessions ended (OpenID Connect Back-Channel Logout 1.0).

A notice is written in the transaction that ends the session, and kept until the client says that it has it: a server
that dies in between tells it when it is back. Several processes may send; each notice is one process's at a time.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from ..._core.secrets import new_identifier
from ...oauth.logout import LOGOUT_TOKEN_LIFETIME, LOGOUT_TOKEN_TYPE, logout_claims
from ...oauth.model import LogoutNotice, OAuthClient
from ...sessions.model import Session
from .subjects import subject_of

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records
    from .issuing import TokenIssuer

__all__ = ["ENDED", "BackChannel", "OutgoingLogout", "queue_ended", "queue_logouts"]

ENDED: Final = "what is left of sessions"
"""Whose transactions are those that forget sessions which have ended: one at a time, and beside all users'."""

_LEASE: Final = 15.0  # seconds that a process has a notice to itself
_BATCH: Final = 100
_GENERATOR: Final = random.SystemRandom()


async def queue_logouts(context: Context, records: Records, sessions: Iterable[Session]) -> None:
    """Queue a notice for each client that wants to be told, inside the transaction that ends its session.

    Args:
        context: What flows share.
        records: The transaction.
        sessions: The sessions that end, of clients. Whose they are is written down by the name that the client knows:
            when it is told, there may be no such user any more.
    """
    now, clients = context.clock(), dict[str, OAuthClient | None]()
    notices: list[LogoutNotice] = []
    for session in sessions:
        if session.client_id not in clients:
            clients[session.client_id] = await records.find_client(session.client_id)
        client = clients[session.client_id]
        if client is None or client.backchannel_logout_uri is None:
            continue
        notices.append(
            LogoutNotice(
                jti=new_identifier(),
                client_id=client.id,
                sub=subject_of(context.sealer, client, session.user_id),
                sid=session.id,
                queued_at=now,
                due_at=now,
            )
        )
    if notices:
        await records.add_logout_notices(notices)
        context.logout_bell.ring()


async def queue_ended(context: Context, records: Records, *, limit: int) -> int:
    """Queue notices for sessions of clients that ended with all others at once, inside a transaction.

    However many these are, nobody who writes waits for long: each call is a batch. Whoever deletes what is left of
    sessions calls it before: with the session above it, one of a client would be gone without a word.

    Returns:
        For how many sessions: 0 when there are none left.
    """
    ended = await records.list_ended_client_sessions(limit=limit)
    if ended:
        await queue_logouts(context, records, ended)
        await records.forget_ended_client_sessions([each.id for each in ended])
    return len(ended)


class OutgoingLogout(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way.

    Attributes:
        notice: It, as this process has it.
        uri: Where to.
        token: The logout token.
    """

    notice: LogoutNotice
    uri: str
    token: str

    def __repr__(self) -> str:
        return f"<OutgoingLogout {self.notice.jti}>"


class BackChannel:
    """Hands out what clients are to be told, and takes what has become of it."""

    def __init__(self, context: Context, issuer: TokenIssuer) -> None:
        """Take what all flows share, and what signs for clients."""
        self._context = context
        self._issuer = issuer

    async def claim(self, *, but: Collection[str] = ()) -> LogoutNotice | None:
        """Return a notice that is due, and keep others from it for a while; ``None`` if there is none.

        Args:
            but: Clients who are not to be told at this moment.
        """
        now = self._context.clock()
        return await self._context.storage.records.claim_logout_notice(now, until=now + _LEASE, but=but)

    async def prepare(self, notice: LogoutNotice) -> OutgoingLogout | None:
        """Return a claimed notice as it is to be sent, signed at this moment.

        ``None`` if the client does not want to be told any more, is switched off, or is gone: it is forgotten then.

        Raises:
            CoatcheckError: If it cannot be signed as the client wants it.
        """
        client = await self._context.storage.records.find_client(notice.client_id)
        if client is None or client.backchannel_logout_uri is None or client.disabled_at is not None:
            await self.settle(notice)
            return None
        signer = await self._issuer.client_signer(
            client,
            client.id_token_signed_response_alg,
            lifetime=LOGOUT_TOKEN_LIFETIME,
            typ=LOGOUT_TOKEN_TYPE,
        )
        token = signer.sign(logout_claims(notice), now=self._context.clock())
        return OutgoingLogout(notice=notice, uri=client.backchannel_logout_uri, token=token)

    async def settle(self, notice: LogoutNotice) -> None:
        """Forget a notice: the client knows, or will never take it."""
        await self._context.storage.records.delete_logout_notice(notice.jti)

    async def postpone(self, notice: LogoutNotice, *, at_least: float = 0.0) -> float | None:
        """Put a notice off: the client could not be told. It is given up if that has gone on for too long.

        Twice as long each time, up to a limit; and by up to a half less, so that clients which came down together are
        not all tried at the same moment for ever.

        Args:
            notice: It, as it was claimed.
            at_least: For how many seconds the client asked to be left alone.

        Returns:
            For how many seconds; ``None`` if it was given up.
        """
        policy, now = self._context.provider, self._context.clock()
        if now >= notice.queued_at + policy.logout_keep.total_seconds():
            await self.settle(notice)
            return None
        longest = policy.logout_longest_pause.total_seconds()
        doubled: float = policy.logout_first_pause.total_seconds() * 2 ** min(notice.attempts - 1, 30)
        pause = max(min(doubled, longest) * (1 - _GENERATOR.random() / 2), min(at_least, longest))
        await self._context.storage.records.postpone_logout_notice(notice, due_at=now + pause)
        return pause

    async def release(self, notice: LogoutNotice) -> None:
        """Give a notice back, to whoever comes next: this process stops, and what it sent may have arrived or not."""
        now = self._context.clock()
        await self._context.storage.records.postpone_logout_notice(notice, due_at=now)

    async def next_at(self) -> float | None:
        """Return when the next notice is due; ``None`` if none waits."""
        return await self._context.storage.records.next_logout_at()

    async def expire(self) -> int:
        """Give up a batch of notices that have waited for too long; return how many."""
        before = self._context.clock() - self._context.provider.logout_keep.total_seconds()
        return await self._context.storage.records.delete_stale_logout_notices(before, limit=_BATCH)

    async def queue_ended(self) -> int:
        """Queue notices for a batch of sessions that ended with all others at once; return for how many."""
        storage = self._context.storage
        # Whoever looks often, and finds nothing, should not take the turn of those who write.
        if not await storage.records.list_ended_client_sessions(limit=1):
            return 0
        async with storage.transaction(ENDED) as records:
            return await queue_ended(self._context, records, limit=_BATCH)

    @property
    def first_pause(self) -> float:
        """How long to wait after the first vain attempt, in seconds."""
        return self._context.provider.logout_first_pause.total_seconds()

    def wake(self) -> None:
        """Have whoever waits look again."""
        self._context.logout_bell.ring()

    def seconds_until(self, at: float) -> float:
        """Return how long it is until an instant, and 0 if it has passed."""
        return max(0.0, at - self._context.clock())

    async def wait(self, seconds: float) -> bool:
        """Wait until this process queues a notice, but no longer than that; tell whether it has."""
        return await self._context.logout_bell.wait(seconds)
