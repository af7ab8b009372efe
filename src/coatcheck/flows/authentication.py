"""From a credential to an identity: what every request to a protected route goes through.

Two things are remembered: the sessions of credentials that were looked up, for as long as the ledger says nothing about
them; and the claims of tokens that were verified, for as long as they live. Whatever changes what a credential stands
for is written in the ledger. A session that ended is therefore refused by the very next request in this process, and in
every other as soon as the storage tells of the commit; and a request that finds the ledger as it was reads nothing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from .._core.secrets import digest
from ..accounts.model import User
from ..errors import CoatcheckError
from ..identity import Client, Identity
from ..jose import TokenError
from ..sessions.binding import is_bound_elsewhere
from ..sessions.errors import InvalidSessionError
from ..sessions.lifecycle import needs_touch, touch_interval
from ..sessions.model import Session
from .access_tokens import AccessClaims, facts_of, granted_scopes
from .context import Context
from .ending import SERVER, Reason, end_sessions
from .errors import InvalidTokenError

__all__ = ["Authentication", "Known", "Via"]

_log = logging.getLogger("coatcheck.sessions")

K = TypeVar("K")
T = TypeVar("T")

Via = Literal["cookie", "bearer"]
"""What a request carried."""

_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 2048  # octets of a header: some 20 MB in all, whatever clients send


class Known(msgspec.Struct, gc=False):
    """A credential that was looked up.

    Attributes:
        identity: Whom it stands for.
        session: The session that it comes from.
        user: The user.
        ends_at: When it ends if nothing happens.
        fresh_until: Until when nothing has to be done or checked but what the ledger says.
        epoch: The epoch of the ledger that it was last checked against.
        named: What the ledger calls it, beside the session and the user: the token and its key.
    """

    identity: Identity
    session: Session
    user: User
    ends_at: float
    fresh_until: float
    epoch: int = 0
    named: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Known user {self.identity.id} via {self.identity.via}>"


class Authentication:
    """Checks credentials. One per process: it is where the remembering happens."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._version = context.storage.version
        self._ledger = context.ledger
        self._registry = context.ledger.registry
        self._seen: int | None = None
        self._known: dict[Via, dict[bytes, Known]] = {"cookie": {}, "bearer": {}}
        self._verified: dict[bytes, tuple[AccessClaims, str]] = {}

    def recall(self, credential: bytes, via: Via) -> Known | None:
        """Return what a credential is known to stand for, if nothing can have changed since it was looked up.

        The hot path: no storage is read and nobody is waited for. ``None`` says nothing about the credential.

        Args:
            credential: The value of the header that the credential came in, as a whole.
            via: Which header that is.
        """
        known = self._known[via].get(credential)
        if known is None or self._version() != self._seen or self._clock() >= known.fresh_until:
            return None
        if known.epoch != self._registry.epoch:
            if self._registry.mentions.since(known.epoch, (known.session.id, known.user.id, *known.named)):
                del self._known[via][credential]
                return None
            known.epoch = self._registry.epoch
        return known

    async def by_cookie(
        self, secret: str, *, presented_as: bytes | None = None, client: Client | None = None
    ) -> Known:
        """Return what a session cookie stands for.

        Args:
            secret: The cookie's value.
            presented_as: The header that it came in, under which ``recall`` finds it.
            client: What the request shows of itself; needed where sessions are bound to it.

        Raises:
            InvalidSessionError: If the session is unknown, has ended or expired, or is bound elsewhere.
        """
        credential = presented_as or secret.encode("utf-8", "surrogatepass")
        await self._catch_up()
        known = self.recall(credential, "cookie")
        if known is not None:
            return known
        epoch = self._registry.epoch
        session = await self._context.storage.records.find_session_by_digest(digest(secret))
        if session is None:
            raise InvalidSessionError(detail="unknown")
        known = await self._look_up(session, None, "cookie")
        await self._check(known, client)
        self._remember(credential, known, epoch=epoch)
        return known

    async def by_token(self, token: str, *, presented_as: bytes, client: Client | None = None) -> Known:
        """Return what an access token stands for. It is worth nothing once its session has ended.

        Args:
            token: The token.
            presented_as: The header that it came in, under which ``recall`` finds it.
            client: What the request shows of itself; needed where sessions are bound to it.

        Raises:
            InvalidTokenError: If it is not a token of this server for this API, has expired, or its session is over
                or bound elsewhere.
        """
        await self._catch_up()
        known = self.recall(presented_as, "bearer")
        if known is not None:
            return known
        epoch = self._registry.epoch
        try:
            known = await self._look_up_token(token)
            await self._check(known, client)
        except InvalidSessionError as error:
            raise InvalidTokenError(detail=error.detail) from None
        self._remember(presented_as, known, epoch=epoch)
        return known

    async def _catch_up(self) -> None:
        version = self._version()
        if version != self._seen:
            await self._ledger.catch_up()
            self._seen = version

    def _remember(self, credential: bytes, known: Known, *, epoch: int) -> None:
        """Remember what was looked up, unless the ledger moved in the meantime: it may have ended just this."""
        if self._registry.epoch == epoch and len(credential) <= _LONGEST_REMEMBERED:
            known.epoch = epoch
            _put(self._known[known.identity.via], credential, known)

    async def _check(self, known: Known, client: Client | None) -> None:
        """Check what time and place have to do with a credential, and note its use.

        Raises:
            InvalidSessionError: If it has expired, or is bound elsewhere.
        """
        now = self._clock()
        if now >= known.ends_at:
            raise InvalidSessionError(detail="expired")
        if known.session.binding is not None and client is not None:
            await self._check_binding(known.session, client)
        if needs_touch(known.session, self._context.sessions, now=now):
            # Once per interval, not once per request.
            try:
                await self._context.storage.records.touch_session(known.session.id, now)
            except (
                CoatcheckError
            ) as error:  # a busy storage: the next request notes it, and this one only reads
                _log.warning("the use of session %s was not noted [%s]", known.session.id, error.code)

    async def _look_up_token(self, token: str) -> Known:
        key = digest(token)
        found = self._verified.get(key)
        if found is None:
            try:
                found = await self._context.access_tokens.verify(token)
            except TokenError as error:
                raise InvalidTokenError(detail=f"{error.code}: {error.message}") from None
            _put(self._verified, key, found)
        claims, kid = found
        void = self._registry.void(facts_of(claims, kid))
        if void is not None:
            raise InvalidTokenError(detail=f"its {void} is in the ledger")
        session = await self._context.storage.records.find_session(claims.sid)
        if session is None or session.user_id != claims.sub:
            raise InvalidTokenError(detail="its session has ended")
        known = await self._look_up(session, claims, "bearer")
        known.named = (claims.jti or "", kid, claims.client_id)
        return known

    async def _look_up(self, session: Session, claims: AccessClaims | None, via: Via) -> Known:
        user = await self._context.storage.records.find_user(session.user_id)
        if user is None or user.disabled_at is not None:
            raise InvalidSessionError(detail="the user is gone or disabled")
        ends_at, scopes = session.ends_at, granted_scopes(user, session)
        if claims is not None:
            # What the token was issued for, as far as the user may still do it.
            ends_at, scopes = min(ends_at, claims.exp), scopes.intersection(claims.scope.split(" "))
        identity = Identity(
            id=user.id,
            email=user.email,
            scopes=scopes,
            session_id=session.id,
            authenticated_at=datetime.fromtimestamp(session.authenticated_at, UTC),
            methods=session.methods,
            via=via,
        )
        touch_at = session.last_seen_at + touch_interval(session, self._context.sessions)
        # What is bound to a client is looked at every time.
        fresh_until = min(ends_at, touch_at) if session.binding is None else 0.0
        # What the application attached is read when it is asked for: it would be remembered once per credential.
        session = replace(session, data=b"{}")
        return Known(identity=identity, session=session, user=user, ends_at=ends_at, fresh_until=fresh_until)

    async def _check_binding(self, session: Session, client: Client) -> None:
        if not is_bound_elsewhere(session, client, self._context.sessions):
            return
        async with self._context.storage.transaction() as records:
            await end_sessions(
                self._context, records, [session.id], reason=Reason.BOUND_ELSEWHERE, actor=SERVER
            )
        raise InvalidSessionError(detail="it was presented by another client than it is bound to")


def _put(memory: dict[K, T], key: K, value: T) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value
