"""Access tokens (RFC 9068) of this server, for this API."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, Protocol

from msgspec.structs import replace

from .._core.clock import Clock
from .._core.secrets import new_identifier
from ..accounts.model import User
from ..identity import FIRST_PARTY
from ..jose import Claims, Key, KeySet, jwt
from ..jose.errors import InvalidClaimError
from ..jose.hazmat import ANY_AUDIENCE
from ..jose.jwt.policy import Anything
from ..revocation.model import Facts
from ..revocation.policy import LONGEST_TOKEN
from ..revocation.registry import Registry
from ..revocation.status_list import StatusClaim
from ..sessions.authentication_context import acr_of
from ..sessions.model import Session
from .signing_keys import SigningKeys

__all__ = [
    "TYPE",
    "AccessClaims",
    "AccessTokens",
    "Placing",
    "Recipient",
    "check_length",
    "facts_of",
    "granted_scopes",
    "is_mainly_for",
]

Recipient = Literal["own", "userinfo", "anybody"]
"""Who looks at a token: this server's own API, its userinfo endpoint, or whoever asks what a token is worth."""

TYPE: Final = "at+jwt"
"""The ``typ`` of access tokens (RFC 9068 section 2.1)."""

_LONGEST_SECONDS = LONGEST_TOKEN.total_seconds()


class Placing(Protocol):
    """Gives tokens their places in status lists."""

    async def __call__(self, facts: Facts, ends_at: float, *, owner: str | None = None) -> StatusClaim:
        """Give a token that ends then its place; ``owner`` is the user whose it is, by default its ``sub``."""
        ...


class AccessClaims(Claims):
    """The claims of an access token (RFC 9068 section 2.2).

    Attributes:
        client_id: The client that it was issued to.
        sid: The session that it comes from; empty for a machine's, which comes from none, and whose ``sub`` is the
            client itself.
        scope: What it may do, space-delimited.
        auth_time: When the user last proved who they are, in seconds since 1970.
        amr: How (RFC 8176).
        acr: How strongly (OpenID Connect Core section 2), as ``acr_of`` tells.
        status: Its place in a status list, where there are any.
    """

    sub: str
    exp: int | float
    client_id: str
    sid: str = ""
    scope: str = ""
    auth_time: int = 0
    amr: tuple[str, ...] = ()
    acr: str = ""
    status: StatusClaim | None = None


class IDClaims(Claims):
    """The claims of an ID token (OpenID Connect Core section 2), for the site's own pages."""

    sub: str
    exp: int | float
    sid: str
    email: str
    auth_time: int = 0
    amr: tuple[str, ...] = ()
    acr: str = ""


def facts_of(claims: AccessClaims, kid: str) -> Facts:
    """Return what the ledger may speak about."""
    return Facts(
        jti=claims.jti or "",
        sid=claims.sid,
        sub=claims.sub,
        client_id=claims.client_id,
        kid=kid,
        iat=claims.iat or 0,
    )


def is_mainly_for(claims: AccessClaims, audience: str) -> bool:
    """Tell whether an API is the one that a token was issued for.

    Behind it the ``aud`` may name the issuer, so that userinfo takes the token too. That makes it no token for what
    else there is at the issuer: otherwise an API could use there what it was sent.
    """
    aud = claims.aud
    return (aud if isinstance(aud, str) else (aud or ("",))[0]) == audience


def granted_scopes(user: User, session: Session) -> frozenset[str]:
    """Return what a session may do: what it was asked for, as far as the user may do it now."""
    if session.scope is None:
        return user.scopes
    return user.scopes.intersection(session.scope.split(" "))


class AccessTokens:
    """Issues access tokens, and verifies those of this server.

    Attributes:
        audience: The API that the tokens are for.
        issuer: Who issues them.
        keys: What signs them.
        lifetime: For how many seconds a token is good.
        place: Gives a token that ends then its place in a status list; ``None`` where there are none.
    """

    def __init__(
        self,
        keys: SigningKeys,
        registry: Registry,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta,
        clock: Clock,
    ) -> None:
        """Take the keys and what the tokens say.

        Args:
            keys: What signs them, as the same issuer.
            registry: What is void. What is issued later is not.
            issuer: The ``iss``.
            audience: The ``aud``: the API that the tokens are for.
            lifetime: How long they are good.
            clock: The time.
        """
        self.keys: SigningKeys = keys
        self._registry = registry
        self.issuer: str = issuer
        self.audience: str = audience
        self._clock = clock
        self.lifetime: int = int(lifetime.total_seconds())
        self.place: Placing | None = None
        self._trusted: KeySet | None = None
        self._verifiers: dict[Recipient, jwt.Verifier[AccessClaims]] = {}

    async def issue(self, user: User, session: Session, *, at: float) -> str:
        """Return an access token for a session. It does not outlive the session.

        Args:
            user: Whose session it is.
            session: The session.
            at: When a transaction had read these records, which is when the token counts as issued: whatever changes
                them later cuts off what was issued by then.
        """
        signer = await self.keys.signer(TYPE, self.audience)
        claims = AccessClaims(
            sub=user.id,
            iat=self._issued_at(user, session, at),
            exp=self._expires_at(session, at),
            jti=new_identifier(),
            client_id=FIRST_PARTY,
            sid=session.id,
            scope=" ".join(sorted(granted_scopes(user, session))),
            auth_time=int(session.authenticated_at),
            amr=session.methods,
            acr=acr_of(session.methods),
        )
        if self.place is not None:
            kid = (await self.keys.signing_key()).kid or ""
            claims = replace(claims, status=await self.place(facts_of(claims, kid), claims.exp))
        return signer.sign(claims, now=at)

    async def issue_id_token(self, user: User, session: Session, *, at: float) -> str:
        """Return an ID token for the site's own pages: who it is, not what they may do. ``at`` is as for ``issue``."""
        signer = await self.keys.signer("JWT", FIRST_PARTY)
        claims = IDClaims(
            sub=user.id,
            iat=self._issued_at(user, session, at),
            exp=self._expires_at(session, at),
            sid=session.id,
            email=user.email,
            auth_time=int(session.authenticated_at),
            amr=session.methods,
            acr=acr_of(session.methods),
        )
        return signer.sign(claims, now=at)

    def _issued_at(self, user: User, session: Session, now: float) -> int | float:
        """Return the ``iat``: whole seconds, but in the second of a cut-off, whose fraction then decides.

        Somebody who proves who they are right after a cut-off shall get a token that is good. The registry is to be
        read up to where the records were: an older one would make the token look issued before the cut-off.
        """
        facts = Facts(sid=session.id, sub=user.id, client_id=FIRST_PARTY)
        return int(now) if self._registry.earliest(facts) <= int(now) else now

    def _expires_at(self, session: Session, now: float) -> int:
        """Return the ``exp``: a token does not outlive its session, used or not."""
        return min(int(now) + self.lifetime, int(session.ends_at))

    async def verify(self, token: str, *, recipient: Recipient = "own") -> tuple[AccessClaims, str]:
        """Return the claims of an access token of this server, and the ``kid`` of the key that signed it.

        Tokens that an API's own secret signs are never among them: the API could make them itself.

        Args:
            token: The token.
            recipient: For whom it must be.

        Raises:
            TokenError: If it is not one, or is not good any more.
        """
        trusted = await self.keys.key_set()
        if trusted is not self._trusted:
            self._verifiers.clear()
            self._trusted = trusted
        verifier = self._verifiers.get(recipient)
        if verifier is None:
            verifier = self._verifiers[recipient] = self._verifier_with(trusted, recipient)
        verified = verifier.verify(token)
        check_length(verified.claims)
        return verified.claims, verified.key.kid or ""

    async def key_set(self) -> KeySet:
        """Return the public keys (RFC 7517 section 5)."""
        return await self.keys.key_set()

    async def signing_key(self) -> Key:
        """Return the key that signs at this moment: the same object until it is another one."""
        return await self.keys.signing_key()

    def _verifier_with(self, trusted: KeySet, recipient: Recipient) -> jwt.Verifier[AccessClaims]:
        audience: str | tuple[str, str] | Anything = self.audience
        if recipient != "own":
            audience = (self.audience, self.issuer) if recipient == "userinfo" else ANY_AUDIENCE
        return jwt.Verifier(
            trusted,
            issuer=self.issuer,
            audience=audience,
            claims=AccessClaims,
            typ=TYPE,
            require=("exp", "iat", "jti", "sub"),
            leeway=timedelta(0),  # the same clock signs and verifies
            clock=self._clock,
        )


def check_length(claims: AccessClaims) -> None:
    """Refuse a token that was good for longer than any that is issued.

    Whoever has stolen a key can write any times, but cannot make the ledger longer: what it says of the key is kept
    until the longest token has expired. A longer one, remembered as verified, would come back to life then.

    Raises:
        InvalidClaimError: If it is one.
    """
    if claims.exp - (claims.iat or 0) > _LONGEST_SECONDS:
        raise InvalidClaimError("The token is good for longer than any that is issued here.", claim="exp")
