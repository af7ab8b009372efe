"""Access tokens and ID tokens for clients: what they say, how long they live, and what signs them.

Nothing is looked up here but, for an ID token that is to tell more than who it is, the user's profile: a machine's
token is made of what the caller has in hand, and of a signer that is remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from ..._core import base64url
from ..._core.secrets import new_identifier
from ...accounts.model import User
from ...jose import Claims, jwt
from ...jose.hazmat import NO_EXPIRY
from ...oauth.errors import InvalidTargetError
from ...oauth.model import API, Grant, OAuthClient
from ...revocation.model import Facts
from ...revocation.policy import LONGEST_TOKEN
from ...revocation.status_list import StatusClaim
from ...sessions.authentication_context import acr_of
from ...sessions.model import Session
from ..access_tokens import TYPE
from ..context import Context
from .claims import ClaimsOfUsers
from .shared_secrets import SecretOwner, secret_key
from .subjects import subject_of

__all__ = ["ID_TOKEN_LIFETIME", "Issued", "TokenIssuer", "half_hash"]

ID_TOKEN_LIFETIME: Final = timedelta(minutes=5)
"""For how long an ID token is good: it is looked at once, at sign-in."""

_LONGEST: Final = int(LONGEST_TOKEN.total_seconds())
_BY_SECRET: Final = "HS256"  # noqa: S105 - an algorithm
_MOST_SIGNERS: Final = 256
_HASHES: Final = {"Ed25519": hashlib.sha512}  # of the hash that the signature is made with; else SHA-256


class Issued(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An access token.

    Attributes:
        token: It.
        expires_in: For how many seconds it is good.
    """

    token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"<Issued for {self.expires_in} s>"


class _Granted(Claims):
    """The claims of an access token (RFC 9068 section 2.2), where the signer adds the times."""

    client_id: str
    scope: str = ""
    sid: str = ""
    auth_time: int = 0
    amr: tuple[str, ...] = ()
    acr: str = ""
    status: StatusClaim | None = None


class TokenIssuer:
    """Issues what clients get."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context
        self._tokens = context.access_tokens
        self._keys = context.access_tokens.keys
        self._registry = context.ledger.registry
        self._claims = ClaimsOfUsers(context)
        self._by_secret: dict[tuple[str, str | None, bytes, int | None], jwt.Signer] = {}

    async def access_token(
        self,
        *,
        api: API,
        subject: str,
        client_id: str,
        scope: Collection[str],
        session: Session | None,
        ends_at: float | None,
        with_issuer: bool,
        at: float,
    ) -> Issued:
        """Return an access token for one API (RFC 9068).

        Args:
            api: The API.
            subject: The ``sub``: the user by the name that the client knows, or for a machine the client itself.
            client_id: The client.
            scope: What was granted at that API.
            session: The client's session; ``None`` for a machine, whose token says nothing about a sign-in.
            ends_at: What the token must not outlive: the session and the one above it; ``None`` for nothing.
            with_issuer: Whether userinfo takes it too: ``aud`` then names the issuer beside the API. Where the API's
                tokens are signed with a secret that it shares, it never does.
            at: When a transaction had read the records: see ``AccessTokens.issue``.

        Raises:
            InvalidTargetError: If the API is signed for by a secret, and has none.
        """
        lifetime = min(api.token_lifetime or self._tokens.lifetime, _LONGEST)
        signer = await self._signer_for(api, with_issuer=with_issuer, lifetime=lifetime)
        claims = _Granted(
            sub=subject,
            jti=new_identifier(),
            client_id=client_id,
            scope=" ".join(sorted(scope)),
            **({} if session is None else _of_sign_in(session)),
        )
        issued_at, expires_at, expires_in = self._issued_at(claims, session, at), int(at) + lifetime, lifetime
        if ends_at is not None and ends_at < expires_at:
            expires_at = int(ends_at)
            expires_in = max(0, int(expires_at - at))
        if self._tokens.place is not None:
            owner = None if session is None else session.user_id
            claims = await self._placed(claims, api, issued_at=issued_at, expires_at=expires_at, owner=owner)
        if (
            issued_at != int(at) or expires_in != lifetime
        ):  # otherwise the signer writes them, which is quicker
            claims = msgspec.structs.replace(claims, iat=issued_at, exp=expires_at)
        return Issued(token=signer.sign(claims, now=at), expires_in=expires_in)

    async def id_token(
        self,
        *,
        client: OAuthClient,
        user: User,
        session: Session,
        grant: Grant,
        nonce: str | None,
        at: float,
        access_token: str | None = None,
        code: str | None = None,
    ) -> str:
        """Return an ID token (OpenID Connect Core section 2).

        Args:
            client: For whom.
            user: Who signed in.
            session: The client's session.
            grant: What was granted in it.
            nonce: What the request brought along.
            at: The time of issue.
            access_token: The access token beside it, for ``at_hash`` (section 3.1.3.6).
            code: The code beside it, for ``c_hash`` (section 3.3.2.11).
        """
        algorithm = client.id_token_signed_response_alg
        claims: dict[str, Any] = {}
        # Where nothing else comes with it, there is no userinfo to ask: the scopes' claims are in it (section 5.4).
        alone = access_token is None and code is None
        if alone or grant.claims.id_token:
            scope = grant.scope if alone else ()
            claims |= await self._claims.of(user, scope=scope, asked=grant.claims.id_token)
        claims |= {
            "sub": subject_of(self._context.sealer, client, user.id),
            "auth_time": int(session.authenticated_at),
            "acr": acr_of(session.methods),
            "amr": session.methods,
            "sid": session.id,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if access_token is not None:
            claims["at_hash"] = half_hash(access_token, algorithm)
        if code is not None:
            claims["c_hash"] = half_hash(code, algorithm)
        lifetime = int(ID_TOKEN_LIFETIME.total_seconds())
        return (await self.client_signer(client, algorithm, lifetime=lifetime)).sign(claims, now=at)

    async def signed_userinfo(self, client: OAuthClient, claims: Mapping[str, Any], *, algorithm: str) -> str:
        """Return claims of userinfo as a JWT for a client (OpenID Connect Core section 5.3.2)."""
        return (await self.client_signer(client, algorithm, lifetime=None)).sign(dict(claims))

    async def client_signer(
        self, client: OAuthClient, algorithm: str, *, lifetime: int | None, typ: str = "JWT"
    ) -> jwt.Signer:
        """Return what signs for a client: by a key of the server, or for ``HS256`` by the client's secret.

        Args:
            client: The ``aud``.
            algorithm: One of ``oauth.vocabulary.ID_TOKEN_ALGORITHMS``.
            lifetime: The seconds until ``exp``; ``None`` for no ``exp``.
            typ: The kind of token.

        Raises:
            InvalidTargetError: If it would be by the client's secret, and that is not known.
        """
        if algorithm != _BY_SECRET:
            return await self._keys.signer(typ, client.id, algorithm, lifetime=lifetime)
        return self._secret_signer(
            client.sealed_secret, owner="client", audience=client.id, typ=typ, lifetime=lifetime
        )

    async def _signer_for(self, api: API, *, with_issuer: bool, lifetime: int) -> jwt.Signer:
        if api.algorithm == _BY_SECRET:
            return self._secret_signer(
                api.sealed_secret, owner="api", audience=api.audience, typ=TYPE, lifetime=lifetime
            )
        both = with_issuer and api.audience != self._tokens.issuer
        audience = (api.audience, self._tokens.issuer) if both else api.audience
        return await self._keys.signer(TYPE, audience, api.algorithm, lifetime=lifetime)

    def _secret_signer(
        self, sealed: bytes | None, *, owner: SecretOwner, audience: str, typ: str, lifetime: int | None
    ) -> jwt.Signer:
        if sealed is None:
            raise InvalidTargetError("There is no secret to sign with.", detail=f"{owner} {audience}")
        known = self._by_secret.get((typ, audience, sealed, lifetime))
        if known is not None:
            return known
        if len(self._by_secret) >= _MOST_SIGNERS:
            self._by_secret.clear()
        signer = self._by_secret[typ, audience, sealed, lifetime] = jwt.Signer(
            secret_key(self._context.sealer, sealed, owner=owner),
            issuer=self._tokens.issuer,
            audience=audience,
            typ=typ,
            lifetime=NO_EXPIRY if lifetime is None else timedelta(seconds=lifetime),
            clock=self._context.clock,
        )
        return signer

    def _issued_at(self, claims: _Granted, session: Session | None, at: float) -> float:
        """Return the ``iat``: whole seconds, but in the second of a cut-off. See ``AccessTokens``."""
        user = claims.sub or "" if session is None else session.user_id
        facts = Facts(sid=claims.sid, sub=user, client_id=claims.client_id)
        return int(at) if self._registry.earliest(facts) <= int(at) else at

    async def _placed(
        self, claims: _Granted, api: API, *, issued_at: float, expires_at: int, owner: str | None
    ) -> _Granted:
        """Return claims with the token's place in a status list."""
        assert self._tokens.place is not None  # noqa: S101 - the caller asked
        by_secret = api.algorithm == _BY_SECRET
        facts = Facts(
            jti=claims.jti or "",
            sid=claims.sid,
            sub=claims.sub or "",
            client_id=claims.client_id,
            kid="" if by_secret else (await self._keys.signing_key(api.algorithm)).kid or "",
            iat=issued_at,
        )
        return msgspec.structs.replace(
            claims, status=await self._tokens.place(facts, expires_at, owner=owner)
        )


def half_hash(text: str, algorithm: str) -> str:
    """Return the left half of a token's hash, for ``at_hash`` and ``c_hash`` (OpenID Connect Core section 3.1.3.6).

    Args:
        text: The access token or the code, in ASCII.
        algorithm: What signs the ID token: its hash is the one to use.
    """
    octets = _HASHES.get(algorithm, hashlib.sha256)(text.encode("ascii")).digest()
    return base64url.encode(octets[: len(octets) // 2])


def _of_sign_in(session: Session) -> dict[str, Any]:
    return {
        "sid": session.id,
        "auth_time": int(session.authenticated_at),
        "amr": session.methods,
        "acr": acr_of(session.methods),
    }
