"""Access tokens (RFC 9068) of this server, for this API, and the keys that sign them."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from .._core import json
from .._core.clock import Clock
from .._core.secrets import Sealer, SealError, new_identifier
from ..accounts.model import User
from ..jose import Claims, Key, KeySet, jwt
from ..sessions.model import Session
from .errors import ServerKeyError
from .model import StoredKey
from .ports import KeyRecords, Storage

__all__ = ["FIRST_PARTY", "AccessClaims", "AccessTokens", "granted_scopes"]

FIRST_PARTY = "first-party"
"""The ``client_id`` of whoever signs in at this server itself, rather than through a registered client."""

_USE = "access-token"
_CONTEXT = "signing-key"


class AccessClaims(Claims):
    """The claims of an access token (RFC 9068 section 2.2).

    Attributes:
        client_id: The client that it was issued to.
        sid: The session that it comes from.
        scope: What it may do, space-delimited.
        auth_time: When the user last proved who they are, in seconds since 1970.
        amr: How (RFC 8176).
    """

    sub: str
    exp: int | float
    client_id: str
    sid: str
    scope: str = ""
    auth_time: int = 0
    amr: tuple[str, ...] = ()


class IDClaims(Claims):
    """The claims of an ID token (OpenID Connect Core section 2), for the site's own pages."""

    sub: str
    exp: int | float
    sid: str
    email: str
    auth_time: int = 0
    amr: tuple[str, ...] = ()


def granted_scopes(user: User, session: Session) -> frozenset[str]:
    """Return what a session may do: what it was asked for, as far as the user may do it now."""
    if session.scope is None:
        return user.scopes
    return user.scopes.intersection(session.scope.split(" "))


class AccessTokens:
    """Signs access tokens with the newest key, and verifies them with any.

    Attributes:
        lifetime: For how many seconds a token is good.
    """

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta,
        clock: Clock,
    ) -> None:
        """Take where the keys are and what the tokens say.

        Args:
            storage: Where the keys are.
            sealer: Under which they are encrypted.
            issuer: The ``iss``.
            audience: The ``aud``: the API that the tokens are for.
            lifetime: How long they are good.
            clock: The time.
        """
        self._storage = storage
        self._sealer = sealer
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self.lifetime: int = int(lifetime.total_seconds())
        self._loaded: tuple[jwt.Signer, jwt.Signer, jwt.Verifier[AccessClaims], KeySet] | None = None

    async def issue(self, user: User, session: Session) -> str:
        """Return an access token for a session. It does not outlive the session."""
        signer, _, _, _ = await self._keys()
        now = int(self._clock())
        claims = AccessClaims(
            sub=user.id,
            exp=min(now + self.lifetime, int(session.expires_at)),
            jti=new_identifier(),
            client_id=FIRST_PARTY,
            sid=session.id,
            scope=" ".join(sorted(granted_scopes(user, session))),
            auth_time=int(session.authenticated_at),
            amr=session.methods,
        )
        return signer.sign(claims, now=now)

    async def issue_id_token(self, user: User, session: Session) -> str:
        """Return an ID token for the site's own pages: who it is, not what they may do."""
        _, signer, _, _ = await self._keys()
        now = int(self._clock())
        claims = IDClaims(
            sub=user.id,
            exp=min(now + self.lifetime, int(session.expires_at)),
            sid=session.id,
            email=user.email,
            auth_time=int(session.authenticated_at),
            amr=session.methods,
        )
        return signer.sign(claims, now=now)

    async def verify(self, token: str) -> AccessClaims:
        """Return the claims of an access token of this server for this API.

        Raises:
            TokenError: If it is not one, or is not good any more.
        """
        _, _, verifier, _ = await self._keys()
        return verifier.verify(token).claims

    async def key_set(self) -> KeySet:
        """Return the public keys (RFC 7517 section 5)."""
        _, _, _, keys = await self._keys()
        return keys

    async def _keys(self) -> tuple[jwt.Signer, jwt.Signer, jwt.Verifier[AccessClaims], KeySet]:
        if self._loaded is None:
            self._loaded = self._prepared(await self._load())
        return self._loaded

    def _prepared(self, keys: list[Key]) -> tuple[jwt.Signer, jwt.Signer, jwt.Verifier[AccessClaims], KeySet]:
        public = KeySet([key.public() for key in keys])
        signer = jwt.Signer(
            keys[0], issuer=self._issuer, audience=self._audience, typ="at+jwt", clock=self._clock
        )
        identifier = jwt.Signer(keys[0], issuer=self._issuer, audience=FIRST_PARTY, clock=self._clock)
        verifier = jwt.Verifier(
            public,
            issuer=self._issuer,
            audience=self._audience,
            claims=AccessClaims,
            typ="at+jwt",
            require=("exp", "iat", "jti", "sub"),
            leeway=timedelta(0),  # the same clock signs and verifies
            clock=self._clock,
        )
        return signer, identifier, verifier, public

    async def _load(self) -> list[Key]:
        """Return the private keys, the newest first; make the first if there is none."""
        stored = await _of_our_use(self._storage.records)
        if not stored:
            async with self._storage.transaction() as records:
                stored = await _of_our_use(records)  # another process may have been first
                if not stored:
                    stored = [self._new_key()]
                    await records.add_key(stored[0])
        return [self._opened(each) for each in stored]

    def _new_key(self) -> StoredKey:
        key = Key.generate("ES256")
        assert key.kid is not None  # noqa: S101 - generated keys are named by their thumbprint
        sealed = self._sealer.seal(json.encode(key.to_private_jwk()), context=_CONTEXT)
        return StoredKey(kid=key.kid, use=_USE, sealed=sealed, created_at=self._clock())

    def _opened(self, stored: StoredKey) -> Key:
        try:
            jwk = self._sealer.open(stored.sealed, context=_CONTEXT)
        except SealError:
            raise ServerKeyError(detail=f"kid {stored.kid}") from None
        return Key.from_jwk(msgspec.json.decode(jwk))


async def _of_our_use(records: KeyRecords) -> list[StoredKey]:
    return [key for key in await records.list_keys() if key.use == _USE]
