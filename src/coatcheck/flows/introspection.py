"""Token introspection (RFC 7662): a service asks whether a credential is good, and what it stands for.

A client may ask about what it was given itself, and about nothing else.

The answer to whatever is not good is the same, and says nothing more: not whether it never was, has ended, or is for
somebody else. To ask about an access token or a session cookie is to use it, as if it had been sent here. A refresh
token is looked at only: asking does not exchange it, and does not count as presenting it twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .._core import base64url
from .._core.secrets import digest
from ..identity import FIRST_PARTY
from ..jose import TokenError
from ..oauth.model import OAuthClient
from ..sessions.authentication_context import acr_of
from ..sessions.errors import InvalidRefreshTokenError, InvalidSessionError
from ..sessions.lifecycle import is_alive, needs_touch, touch_interval
from ..sessions.model import Session
from ..sessions.refresh import Plan, plan_refresh, session_of
from .access_tokens import AccessClaims
from .authentication import Authentication, Known
from .context import Context
from .errors import InvalidTokenError
from .model import Service
from .provider.subjects import subject_of

__all__ = ["INACTIVE", "Asker", "Introspection", "TokenState", "is_told_of"]

Asker = Service | OAuthClient
"""Who asks: a service that verifies tokens, or a client that was given some."""

_LONGEST = 8192  # characters; no credential of this server is that long


class TokenState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a service is told of a credential (RFC 7662 section 2.2, RFC 9470 section 6). Times: seconds since 1970.

    Attributes:
        active: Whether it is good. If not, there is nothing else.
        token_type: ``Bearer`` for an access token, ``session`` for what a session cookie carries.
        sub: The user, by the name that the client knows; for a machine's token, the client.
        sid: The session, where there is one.
        client_id: The client that it was issued to.
        scope: What it may do, space-delimited.
        exp: When it ends; for a session, if it is not used again.
        iat: When it was issued; for a session, the time of this answer. It does not tell whether the answer knows of a
            cut-off in the ledger: whoever keeps the answer asks again when an entry about the session, its user or its
            client has come since the question was sent.
        iss: Who issued it.
        aud: For whom.
        jti: Its own identifier.
        auth_time: When the user last proved who they are.
        amr: How (RFC 8176).
        acr: How strongly.
        cache_until: Until when whoever follows the ledger may keep this answer; then the session's use has to be
            noted again.
    """

    active: bool
    token_type: Literal["Bearer", "session"] | None = None
    sub: str | None = None
    sid: str | None = None
    client_id: str | None = None
    scope: str | None = None
    exp: float | None = None
    iat: float | None = None
    iss: str | None = None
    aud: str | tuple[str, ...] | None = None
    jti: str | None = None
    auth_time: int | None = None
    amr: tuple[str, ...] | None = None
    acr: str | None = None
    cache_until: float | None = None

    def __repr__(self) -> str:
        return f"<TokenState {'active' if self.active else 'inactive'}>"


INACTIVE = TokenState(active=False)
"""What is said of whatever is not good."""

_read_claims = msgspec.json.Decoder(AccessClaims).decode


def is_told_of(service: Service, audience: str | tuple[str, ...] | None) -> bool:
    """Tell whether a service may learn of credentials for an audience: for its own API only, unless it has all.

    Otherwise any service could find out what a token that it came by is good for elsewhere (RFC 7662 section 4).
    """
    if service.audience is None:
        return True
    return service.audience in ([audience] if isinstance(audience, str) else audience or ())


class Introspection:
    """Answers services that ask."""

    def __init__(self, context: Context, authentication: Authentication) -> None:
        """Take what all flows share, and who checks credentials."""
        self._context = context
        self._authentication = authentication

    async def introspect(self, token: str, *, service: Asker) -> TokenState:
        """Return what a service is told of a credential: an access token, a refresh token, or a session's secret.

        Args:
            token: The credential. Which kind it is can be seen, so no hint is needed (RFC 7662 section 2.1).
            service: Who asks: a service, or a client that has proven itself.
        """
        if len(token) > _LONGEST or not token.isascii():
            return INACTIVE
        try:
            if "." not in token:
                return await self._session(token, service)
            try:
                session_id = session_of(self._context.sealer, token)
            except InvalidRefreshTokenError:
                return await self._access_token(token, service)
            return await self._refresh_token(token, session_id, service)
        except (InvalidRefreshTokenError, InvalidSessionError, InvalidTokenError, TokenError):
            return INACTIVE

    async def sign(self, state: TokenState, *, service: Asker) -> str:
        """Return an answer as a JWT, which can be shown to others and kept as evidence (RFC 9701 section 5).

        Args:
            state: What the service is told.
            service: Who asked: the only one that it is for.
        """
        audience = service.audience or service.id if isinstance(service, Service) else service.id
        claims = {"aud": audience, "token_introspection": state}
        return await self._context.access_tokens.keys.sign(claims, typ="token-introspection+jwt")

    async def _access_token(self, token: str, service: Asker) -> TokenState:
        # What it says of itself first, so that the session of a token that is for another service is not used. Nothing
        # of that is told before the same octets were verified.
        try:
            claims = _read_claims(base64url.decode(token.split(".")[1].encode()))
        except (ValueError, msgspec.MsgspecError):
            return INACTIVE
        if not _may_ask(service, claims.client_id, claims.aud):
            return INACTIVE
        if claims.client_id == FIRST_PARTY:
            known = await self._authentication.by_token(token, presented_as=b"Bearer " + token.encode())
            scope = _scope(known.identity.scopes)
        else:
            scope = await self._scope_of_client(token)
        return TokenState(
            active=True,
            token_type="Bearer",  # noqa: S106 - a scheme, no secret
            sub=claims.sub,
            sid=claims.sid or None,
            client_id=claims.client_id,
            scope=scope,
            exp=claims.exp,
            iat=claims.iat,
            iss=claims.iss,
            aud=claims.aud,
            jti=claims.jti,
            auth_time=claims.auth_time or None,
            amr=claims.amr or None,
            acr=claims.acr or None,
        )

    async def _scope_of_client(self, token: str) -> str:
        """Return what a client's token may do, which may be for any API, if it is good.

        Whoever may do less than before at an API has new tokens: the ledger voids those of before.
        """
        await self._context.ledger.catch_up()
        claims, kid = await self._authentication.verified(token, "anybody")
        if claims.sid:
            await self._authentication.by_claims(claims, kid)
        else:
            await self._authentication.machine(claims, kid)
        return claims.scope

    async def _session(self, secret: str, service: Asker) -> TokenState:
        context = self._context
        if not isinstance(service, Service) or not is_told_of(service, context.access_tokens.audience):
            return INACTIVE
        now = context.clock()  # before looking, so that whatever changes meanwhile is later than the answer
        known = await self._authentication.by_cookie(secret)
        if needs_touch(known.session, context.sessions, now=now):
            known = await self._authentication.by_cookie(secret)  # as it is now that this use was noted
        if known.session.binding is not None:
            return INACTIVE  # only who sees the client can tell whether it is the one
        session = known.session
        return TokenState(
            active=True,
            token_type="session",  # noqa: S106 - a kind, no secret
            sub=session.user_id,
            sid=session.id,
            scope=_scope(known.identity.scopes),
            exp=session.ends_at,
            iat=now,
            auth_time=int(session.authenticated_at),
            amr=session.methods,
            acr=acr_of(session.methods),
            cache_until=self._cache_until(known, now),
        )

    def _cache_until(self, known: Known, now: float) -> float:
        touch_at = known.session.last_seen_at + touch_interval(known.session, self._context.sessions)
        return min(known.ends_at, touch_at, now + self._context.access_tokens.lifetime)

    async def _refresh_token(self, token: str, session_id: str, service: Asker) -> TokenState:
        context, records, now = self._context, self._context.storage.records, self._context.clock()
        session = await records.find_session(session_id)
        if session is None or not _may_ask(service, session.client_id, context.access_tokens.audience):
            return INACTIVE
        user = await records.find_user(session.user_id)
        found = await records.find_refresh_token(digest(token))
        if user is None or user.disabled_at is not None or found is None:
            return INACTIVE
        plan = plan_refresh(found, session, client=found.client, policy=context.refresh, now=now)
        if plan is not Plan.ROTATE:
            return INACTIVE  # it was exchanged
        ends_at = min(found.expires_at, session.ends_at)
        if session.client_id == FIRST_PARTY:
            return TokenState(
                active=True, sub=user.id, sid=session.id, client_id=session.client_id, exp=ends_at
            )
        return await self._refresh_token_of_client(session, user.id, ends_at=ends_at)

    async def _refresh_token_of_client(self, session: Session, user_id: str, *, ends_at: float) -> TokenState:
        records = self._context.storage.records
        client = await records.find_client(session.client_id)
        grant = await records.find_grant(session.id)
        if client is None or client.disabled_at is not None or grant is None:
            return INACTIVE
        if session.parent_id is not None:
            parent = await records.find_session(session.parent_id)
            if parent is None or not is_alive(parent, self._context.clock()):
                return INACTIVE
            ends_at = min(ends_at, parent.ends_at)
        return TokenState(
            active=True,
            sub=subject_of(self._context.sealer, client, user_id),
            sid=session.id,
            client_id=client.id,
            scope=" ".join(grant.scope),
            exp=ends_at,
        )


def _may_ask(asker: Asker, client_id: str, audience: str | tuple[str, ...] | None) -> bool:
    """Tell whether somebody may learn of a client's credential for an audience.

    A client may learn of its own: what it was given it may know, and what others were given it may not, whomever the
    tokens are for.
    """
    if isinstance(asker, Service):
        return is_told_of(asker, audience)
    return asker.id == client_id


def _scope(scopes: frozenset[str]) -> str:
    return " ".join(sorted(scopes))
