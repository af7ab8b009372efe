"""The gate: from a request to whoever it comes from, before anything else is done with it.

It reads the raw headers of an ASGI scope, so that every framework passes through the same one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

import msgspec
from starlette.types import Scope

from .._core.secrets import Sealer
from ..flows.authentication import Authentication, Known
from ..flows.errors import InsufficientScopeError, NotSignedInError
from ..flows.recency import require_recent
from ..flows.service import Flows
from ..identity import Client, Identity
from ..sessions import csrf
from ..sessions.errors import InvalidSessionError
from .clients import Network, client_of
from .content_type import JSON, media_type
from .cookies import Cookies, cookie_in
from .errors import MalformedCredentialError

__all__ = ["Gate", "GateOptions", "bearer_token"]

Headers = list[tuple[bytes, bytes]]

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)  # RFC 6750 section 2.1


class GateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate is told by the configuration.

    Attributes:
        own_origin: The site's origin; ``None`` in development, where it is the one that was asked.
        trusted_origins: Further origins whose requests may carry the cookies.
        csrf: How forged requests are told apart: by the browser's headers, or by those and a token.
        csrf_exempt: Paths that need no such check, because they check something better by themselves.
        token_cookie: Which token is kept in a cookie for other services on the same host.
        trusted_proxies: Networks whose ``X-Forwarded-For`` is believed.
    """

    own_origin: str | None
    trusted_origins: frozenset[str] = frozenset()
    csrf: Literal["fetch-metadata", "token"] = "fetch-metadata"
    csrf_exempt: frozenset[str] = frozenset()
    token_cookie: Literal["off", "access-token", "id-token"] = "off"  # noqa: S105 - a mode
    trusted_proxies: tuple[Network, ...] = ()


class Gate:
    """Tells who a request comes from, and whether it comes from the site itself."""

    def __init__(self, flows: Flows, cookies: Cookies, options: GateOptions) -> None:
        """Take the flows, the cookies and what the configuration says."""
        self._flows = flows
        self._authentication: Authentication = flows.authentication
        self._sealer: Sealer = flows.context.sealer
        self._binds = flows.context.sessions.binding != "off"
        self.cookies = cookies
        self.options = options
        self._cookie_prefix = f"{cookies.session.name}=".encode("ascii")

    async def identify(self, scope: Scope) -> Identity | None:
        """Return who a request comes from; ``None`` if it carries no credential that is good.

        A bearer token takes precedence, and must be good: whoever sends one means it. A cookie that is not good is as
        none at all, because browsers send it whether anybody means it or not.

        Raises:
            MalformedCredentialError: If the ``Authorization`` header is not in its form (RFC 6750 section 2.1).
            InvalidTokenError: If a bearer token is not good.
            InsufficientScopeError: If it is that of a client which is not the site's own: see ``require``.
            CrossSiteRequestError: If a request with a good cookie may change something, and does not prove that it
                comes from the site.
        """
        known = await self.find(scope)
        if known is None:
            return None
        if not known.first_party:
            raise InsufficientScopeError(())
        return known.identity

    def _recall(self, scope: Scope) -> Known | None:
        """Return what ``find`` would, where that takes no more than remembering; ``None`` says nothing."""
        credential: bytes | None = None
        cookie: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if credential is not None:
                    return None
                credential = value
            elif name == b"cookie":
                if cookie is not None:
                    return None
                cookie = value
        if credential is None:
            # One that may change something has more to prove.
            if cookie is None or scope.get("method") not in csrf.SAFE_METHODS:
                return None
            return self._authentication.recall(cookie, "cookie")
        return self._authentication.recall(credential, "bearer")

    async def find(self, scope: Scope) -> Known | None:
        """Return what ``identify`` does, with the session and the user."""
        headers: Headers = scope["headers"]
        cookies = False
        for name, value in headers:
            if name == b"authorization":
                token = _bearer(headers, value)
                if token is not None:
                    return await self._authentication.by_token(
                        token, presented_as=value, client=self.client_of(scope) if self._binds else None
                    )
            elif name == b"cookie" and self._cookie_prefix in value:
                cookies = True
        return await self._find_by_cookie(scope, headers) if cookies else None

    async def _find_by_cookie(self, scope: Scope, headers: Headers) -> Known | None:
        secret = cookie_in(headers, self.cookies.session)
        if secret is None:
            return None
        try:
            known = await self._authentication.by_cookie(
                secret,
                presented_as=b"; ".join(value for name, value in headers if name == b"cookie"),
                client=self.client_of(scope) if self._binds else None,
            )
        except InvalidSessionError:
            return None
        if scope["type"] != "http" or scope["method"] not in csrf.SAFE_METHODS:
            self.check_same_site(scope, session_digest=known.session.digest)
        return known

    async def require(self, scope: Scope, *, scopes: Collection[str] = (), recent: bool = False) -> Identity:
        """Return who a request comes from, if they may do what is asked.

        Args:
            scope: The request.
            scopes: What is needed.
            recent: Whether the sign-in must be recent.

        Raises:
            NotSignedInError: If the request carries no credential that is good.
            InsufficientScopeError: If it does not cover what is needed, or a client that is not the site's own shows it
                where no scope is needed.
            RecentSignInNeededError: If the sign-in is too long ago.
            CoatcheckError: What ``identify`` raises.
        """
        known = self._recall(scope) or await self.find(scope)
        if known is None:
            raise NotSignedInError
        identity = known.identity
        if not known.first_party and not scopes:
            raise InsufficientScopeError(())  # what asks for no scope was granted to no stranger's client
        if scopes and not identity.scopes.issuperset(scopes):
            raise InsufficientScopeError(scopes)
        if recent:
            require_recent(self._flows.context, identity)
        return identity

    def check_same_site(
        self, scope: Scope, *, session_digest: bytes | None, submitted: str | None = None
    ) -> None:
        """Check that a request comes from the site itself.

        Args:
            scope: The request.
            session_digest: The session that it carries, if any.
            submitted: The anti-forgery token that came in the body; a header does as well.

        Raises:
            CrossSiteRequestError: If it does not prove it.
        """
        if scope["path"] in self.options.csrf_exempt:
            return
        headers: Headers = scope["headers"]
        sent = {name: value.decode("latin-1") for name, value in headers}
        csrf.check_origin(
            site=sent.get(b"sec-fetch-site"),
            origin=sent.get(b"origin"),
            own=self.options.own_origin or _origin_asked(scope, sent),
            trusted=self.options.trusted_origins,
            # From another origin, a browser asks before it sends JSON, and says where from (Fetch, "CORS-preflight").
            forgeable=b"cookie" in sent and media_type(sent.get(b"content-type", "")) != JSON,
        )
        if self.options.csrf == "token":
            csrf.check_token(
                self._sealer,
                session_digest,
                cookie=cookie_in(headers, self.cookies.csrf),
                submitted=submitted or sent.get(b"x-csrf-token"),
            )

    def csrf_token(self, scope: Scope, session_digest: bytes | None) -> tuple[str, str | None]:
        """Return the anti-forgery token for a page's forms, and the cookie to set with it if it is not set yet.

        Both are ``""`` and ``None`` where the token mode is off.
        """
        if self.options.csrf != "token":
            return "", None
        cookie = cookie_in(scope["headers"], self.cookies.csrf)
        if cookie is not None and csrf.is_valid(self._sealer, session_digest, cookie):
            return cookie, None
        token = csrf.new_token(self._sealer, session_digest)
        return token, self.cookies.csrf.set(token)

    async def token_cookie(self, scope: Scope, known: Known) -> str | None:
        """Return the cookie with a fresh token, where it is switched on and the browser has none that is good.

        Raises:
            CookieTooLargeError: If the browser would not keep it.
        """
        kind = self.options.token_cookie
        if kind == "off" or known.identity.via != "cookie":
            return None
        if cookie_in(scope["headers"], self.cookies.token) is not None:
            return None
        token = await self._flows.tokens.of_session(known.session.id, kind=kind)
        if token is None:
            return None
        return self.cookies.with_token(token, lifetime=self._flows.context.access_tokens.lifetime)

    def session_cookie_of(self, scope: Scope) -> str | None:
        """Return the session cookie of a request, whatever it is worth."""
        return cookie_in(scope["headers"], self.cookies.session)

    def client_of(self, scope: Scope) -> Client:
        """Return what a request shows of its client."""
        return client_of(scope, self.options.trusted_proxies)


def _has_several(headers: Headers) -> bool:
    return sum(name == b"authorization" for name, _ in headers) > 1


def bearer_token(headers: Headers) -> str | None:
    """Return the bearer token of a request; ``None`` if it carries none.

    Raises:
        MalformedCredentialError: If the ``Authorization`` header is not in its form (RFC 6750 section 2.1), or there
            are several.
    """
    for name, value in headers:
        if name == b"authorization" and (token := _bearer(headers, value)) is not None:
            return token
    return None


def _bearer(headers: Headers, value: bytes) -> str | None:
    """Return the bearer token of an ``Authorization`` header; ``None`` if it has another scheme."""
    if value[:6].lower() != b"bearer":
        return None
    if _has_several(headers):
        raise MalformedCredentialError("There is more than one Authorization header.")
    match = _BEARER.fullmatch(value.decode("latin-1"))
    if match is None:
        raise MalformedCredentialError("The Authorization header must be: Bearer, a space, and the token.")
    return match[1]


def _origin_asked(scope: Scope, sent: dict[bytes, str]) -> str:
    scheme = {"ws": "http", "wss": "https"}.get(str(scope["scheme"]), str(scope["scheme"]))
    return f"{scheme}://{sent.get(b'host', '')}"
