"""What a client may ask of its user (OpenID Connect Core section 5.3)."""

from __future__ import annotations

from typing import Any

import msgspec

from ...oauth.vocabulary import OPENID
from ..authentication import Authentication
from ..context import Context
from ..errors import InsufficientScopeError, InvalidTokenError
from .claims import ClaimsOfUsers
from .issuing import TokenIssuer

__all__ = ["Userinfo", "UserinfoAnswer"]


class UserinfoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is told. One of the two is set.

    Attributes:
        claims: The claims, for an answer in JSON.
        signed: The same as a JWT, for clients that registered an algorithm for it.
    """

    claims: dict[str, Any] | None = None
    signed: str | None = None

    def __repr__(self) -> str:
        return "<UserinfoAnswer>"


class Userinfo:
    """Answers clients that show an access token of their user."""

    def __init__(self, context: Context, authentication: Authentication, issuer: TokenIssuer) -> None:
        """Take what all flows share, who checks tokens, and who signs answers."""
        self._context = context
        self._authentication = authentication
        self._issuer = issuer
        self._claims = ClaimsOfUsers(context)

    async def of(self, token: str) -> UserinfoAnswer:
        """Return what a client may know of its user, by an access token.

        The token has to be for the issuer, and everything that it comes from has to be alive: the client's session, the
        one in which the user granted it, and the grant. What was granted then counts only as far as the token says it
        too, so that one which was issued for less does not come to be worth more.

        Args:
            token: The access token.

        Raises:
            InvalidTokenError: If it is not good, or does not come from a client's session.
            InsufficientScopeError: If it was not issued for ``openid``.
        """
        known = await self._authentication.by_client_token(token, recipient="userinfo")
        records = self._context.storage.records
        grant = await records.find_grant(known.session.id)
        client = await records.find_client(known.session.client_id)
        if grant is None or client is None or known.claims is None:
            raise InvalidTokenError(detail="nothing was granted in its session")
        scope = set(known.claims.scope.split(" ")).intersection(grant.scope)
        if OPENID not in scope:
            raise InsufficientScopeError([OPENID])
        claims: dict[str, Any] = {
            "sub": known.claims.sub,
            **await self._claims.of(known.user, scope=scope, asked=grant.claims.userinfo),
        }
        algorithm = client.userinfo_signed_response_alg
        if algorithm is None:
            return UserinfoAnswer(claims=claims)
        return UserinfoAnswer(signed=await self._issuer.signed_userinfo(client, claims, algorithm=algorithm))
