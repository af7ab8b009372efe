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
from ..identity import FIRST_PARTY, Client, Identity
from ..jose import TokenError
from ..sessions.binding import is_bound_elsewhere
from ..sessions.errors import InvalidSessionError
from ..sessions.lifecycle import is_alive, needs_touch, touch_interval
from ..sessions.model import Session
from .access_tokens import AccessClaims, Recipient, facts_of, granted_scopes, is_mainly_for
from .context import Context
from .ending import SERVER, Reason, end_sessions
from .errors import InvalidTokenError
from .provider.clients import cached_client
from .provider.secret_tokens import verify_wherever
from .provider.subjects import subject_of

__all__ = ["Authentication", "Known", "MachineIdentity", "Via"]

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
        parent: For a client's session, the one in which the user granted it, if it ends with that.
        first_party: Whether it is the site's own: of whoever signed in here, or of a client that belongs to the site.
        claims: What the access token says, if it is one.
    """

    identity: Identity
    session: Session
    user: User
    ends_at: float
    fresh_until: float
    epoch: int = 0
    named: tuple[str, ...] = ()
    parent: Session | None = None
    first_party: bool = True
    claims: AccessClaims | None = None

    def __repr__(self) -> str:
        return f"<Known user {self.identity.id} via {self.identity.via}>"


class MachineIdentity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A client that acts for itself, not for any user.

    Attributes:
        client_id: Which.
        scopes: What its token may do.
    """

    client_id: str
    scopes: frozenset[str]


class Authentication:
    """Checks credentials. One per process: it is where the remembering happens."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._version = context.storage.version
        self._ledger = context.ledger
        self._registry = context.ledger.registry
        self._recalled, self._looked_up = context.counts.recalled, context.counts.looked_up
        self._seen: int | None = None
        self._known: dict[Via, dict[bytes, Known]] = {"cookie": {}, "bearer": {}}
        self._verified: dict[tuple[Recipient, bytes], tuple[AccessClaims, str]] = {}

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
        self._recalled[via] += 1
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
        self._looked_up["cookie"] += 1
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
        self._looked_up["bearer"] += 1
        epoch = self._registry.epoch
        try:
            known = await self._look_up_token(token)
            await self._check(known, client)
        except InvalidSessionError as error:
            raise InvalidTokenError(detail=error.detail) from None
        self._remember(presented_as, known, epoch=epoch)
        return known

    async def by_client_token(self, token: str, *, recipient: Recipient) -> Known:
        """Return what an access token stands for at another place than this server's own API. It is not remembered.

        Args:
            token: The token.
            recipient: Where it is looked at.

        Raises:
            InvalidTokenError: As ``by_token``.
        """
        await self._catch_up()
        self._looked_up["bearer"] += 1
        return await self.by_claims(*await self.verified(token, recipient))

    async def by_claims(self, claims: AccessClaims, kid: str) -> Known:
        """Return what an access token stands for whose signature and times were verified.

        Args:
            claims: What it says.
            kid: The key that signed it; empty for the secret of an API.

        Raises:
            InvalidTokenError: As ``by_token``.
        """
        try:
            known = await self._look_up_claims(claims, kid)
            await self._check(known, None)
        except InvalidSessionError as error:
            raise InvalidTokenError(detail=error.detail) from None
        return known

    async def machine(self, claims: AccessClaims, kid: str) -> MachineIdentity:
        """Return the client that a token was issued to in its own name, which was verified likewise.

        Raises:
            InvalidTokenError: As ``machine_token``.
        """
        self._check_ledger(claims, kid, claims.sub)
        if claims.sid or claims.sub != claims.client_id:
            raise InvalidTokenError(detail="it stands for a user")
        if await cached_client(self._context, claims.client_id) is None:
            raise InvalidTokenError(detail="its client is gone or disabled")
        return MachineIdentity(
            client_id=claims.client_id, scopes=frozenset(filter(None, claims.scope.split(" ")))
        )

    async def machine_token(self, token: str) -> MachineIdentity:
        """Return the client that an access token for this server's own API was issued to in its own name.

        Raises:
            InvalidTokenError: If it is no such token, is not good any more, or its client is gone or disabled.
        """
        await self._catch_up()
        return await self.machine(*await self.verified(token, "own"))

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
        for session in (
            known.session,
            known.parent,
        ):  # whoever uses what is granted in a session uses that too
            if session is not None and needs_touch(session, self._context.sessions, now=now):
                await self._touch(session, now)

    async def _touch(self, session: Session, now: float) -> None:
        """Note that a session was used: once per interval, not once per request."""
        try:
            await self._context.storage.records.touch_session(session.id, now)
        except CoatcheckError as error:  # a busy storage: the next request notes it, and this one only reads
            _log.warning("the use of session %s was not noted [%s]", session.id, error.code)

    async def verified(self, token: str, recipient: Recipient) -> tuple[AccessClaims, str]:
        """Return what an access token says whose signature and times are good, and the ``kid`` of its key.

        What the ledger says of it is not looked at. The ``kid`` is empty where the secret of an API signed it.

        Args:
            token: The token.
            recipient: For whom it must be.

        Raises:
            InvalidTokenError: If it is none of this server's for that recipient, or has expired.
        """
        key = (recipient, digest(token))
        found = self._verified.get(key)
        if found is None:
            try:
                found = await self._verify(token, recipient)
            except TokenError as error:
                raise InvalidTokenError(detail=f"{error.code}: {error.message}") from None
            if found[1]:  # what an API's secret signed is good only as long as that is its secret
                _put(self._verified, key, found)
        claims = found[0]
        if recipient == "own" and not is_mainly_for(claims, self._context.access_tokens.audience):
            raise InvalidTokenError(detail="it is for another API")
        if self._clock() >= claims.exp:
            raise InvalidTokenError(detail="expired")
        return found

    async def _verify(self, token: str, recipient: Recipient) -> tuple[AccessClaims, str]:
        if recipient == "anybody":
            return await verify_wherever(self._context, token)
        return await self._context.access_tokens.verify(token, recipient=recipient)

    def _check_ledger(self, claims: AccessClaims, kid: str, user_id: str) -> None:
        void = self._registry.void(replace(facts_of(claims, kid), sub=user_id))
        if void is not None:
            raise InvalidTokenError(detail=f"its {void} is in the ledger")

    async def _look_up_token(self, token: str) -> Known:
        return await self._look_up_claims(*await self.verified(token, "own"))

    async def _look_up_claims(self, claims: AccessClaims, kid: str) -> Known:
        self._check_ledger(claims, kid, claims.sub)
        if not claims.sid:
            raise InvalidTokenError(detail="it stands for no user")
        session = await self._context.storage.records.find_session(claims.sid)
        if session is None or session.client_id != claims.client_id:
            raise InvalidTokenError(detail="its session has ended")
        first_party = True
        if session.client_id != FIRST_PARTY:
            first_party = await self._check_client(session, claims)
            self._check_ledger(claims, kid, session.user_id)  # of whom the token itself need not tell
        elif session.user_id != claims.sub:
            raise InvalidTokenError(detail="its session is another user's")
        known = await self._look_up(session, claims, "bearer")
        known.named = (claims.jti or "", kid, claims.client_id, session.parent_id or "")
        known.first_party, known.claims = first_party, claims
        return known

    async def _check_client(self, session: Session, claims: AccessClaims) -> bool:
        """Check that a client's token is for the user of its session. Tells whether the client is the site's own."""
        client = await self._context.storage.records.find_client(session.client_id)
        if client is None or client.disabled_at is not None:
            raise InvalidTokenError(detail="its client is gone or disabled")
        if claims.sub != subject_of(self._context.sealer, client, session.user_id):
            raise InvalidTokenError(detail="its session is another user's")
        return client.first_party

    async def _parent_of(self, session: Session) -> Session | None:
        """Return the session that another ends with, if it does with any."""
        if session.parent_id is None:
            return None
        parent = await self._context.storage.records.find_session(session.parent_id)
        if parent is None or not is_alive(parent, self._clock()):
            raise InvalidSessionError(detail="the session in which it was granted has ended")
        return parent

    async def _look_up(self, session: Session, claims: AccessClaims | None, via: Via) -> Known:
        user = await self._context.storage.records.find_user(session.user_id)
        if user is None or user.disabled_at is not None:
            raise InvalidSessionError(detail="the user is gone or disabled")
        parent = await self._parent_of(session)
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
        fresh_until = ends_at
        for each in (session, parent):
            if each is not None:
                ends_at = min(ends_at, each.ends_at)
                touch_at = each.last_seen_at + touch_interval(each, self._context.sessions)
                # What is bound to a client is looked at every time.
                fresh_until = min(fresh_until, touch_at) if each.binding is None else 0.0
        # What the application attached is read when it is asked for: it would be remembered once per credential.
        session = replace(session, data=b"{}")
        return Known(
            identity=identity,
            session=session,
            user=user,
            ends_at=ends_at,
            fresh_until=min(ends_at, fresh_until),
            parent=parent,
        )

    async def _check_binding(self, session: Session, client: Client) -> None:
        if not is_bound_elsewhere(session, client, self._context.sessions):
            return
        async with self._context.storage.transaction(session.user_id) as records:
            await end_sessions(
                self._context, records, [session.id], reason=Reason.BOUND_ELSEWHERE, actor=SERVER
            )
        raise InvalidSessionError(detail="it was presented by another client than it is bound to")


def _put(memory: dict[K, T], key: K, value: T) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value
