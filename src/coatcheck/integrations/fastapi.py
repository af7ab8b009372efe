"""Coatcheck in FastAPI: pages, endpoints and a typed user in a few lines.

::

    from fastapi import FastAPI
    from coatcheck.integrations.fastapi import Auth, CurrentUser

    app = FastAPI()
    auth = Auth(app)

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.email

A browser without a session is sent to sign in and comes back; any other client gets 401 and a challenge (RFC 6750).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope
from starlette.websockets import WebSocket

from ..errors import CoatcheckError
from ..flows.session_data import SessionData
from ..identity import Identity
from ..server.server import Server
from ..server.settings import Settings, load_settings
from .embedding import EmbeddedServer
from .errors import NoAuthError, SecondAuthError

__all__ = ["Auth", "CurrentUser", "Identity", "OptionalUser", "RecentUser", "requires"]

_ATTRIBUTE = "_coatcheck_auth"
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class Auth:
    """A server inside of a FastAPI application; ``integrations.embedding`` says how the two live together.

    Attributes:
        sets_tokens: Whether responses to requests by cookie get another cookie, with a token.
    """

    def __init__(self, app: FastAPI, *, settings: Settings | None = None, **arguments: Any) -> None:
        """Make a server, and make it part of an application.

        Args:
            app: The application. It gets the pages and endpoints below ``/auth``, and answers what the dependencies
                of this module refuse, unless it has a handler for ``CoatcheckError`` of its own.
            settings: The settings; by default what ``load_settings`` finds, so that nothing need be configured for
                development.
            arguments: Instead of ``settings``: single ones by name, such as ``name="Example"``.

        Raises:
            SettingsError: If the settings cannot be used.
            SecondAuthError: If the application has an ``Auth`` already.
            CoatcheckError: What ``Server`` raises.
        """
        if getattr(app, _ATTRIBUTE, None) is not None:
            raise SecondAuthError
        if settings is not None and arguments:
            raise TypeError("Give the settings as a whole or one by one, not both.")
        settings = load_settings(**arguments) if settings is None else settings
        self._embedded = EmbeddedServer(settings)
        self.sets_tokens: bool = self.server.gate.options.token_cookie != "off"  # noqa: S105 - a mode
        app.mount(settings.prefix, self._embedded)
        for path, answer in self._embedded.root.items():
            app.router.routes.append(Route(path, answer, include_in_schema=False))
        app.router.lifespan_context = self._around(app.router.lifespan_context)
        self.protect(app)

    @property
    def server(self) -> Server:
        """The server itself, with its flows and settings. It is another one after each lifespan, which closes it."""
        return self._embedded.server

    @property
    def session_data(self) -> SessionData:
        """What the application attaches to a session."""
        return self.server.flows.session_data

    def protect(self, app: FastAPI) -> None:
        """Let the dependencies of this module work in another application too, one that is mounted for example."""
        setattr(app, _ATTRIBUTE, self)
        handlers: dict[Any, Any] = app.exception_handlers
        handlers.setdefault(CoatcheckError, self._answer)

    async def identify(self, connection: HTTPConnection) -> Identity | None:
        """Return who a request or WebSocket comes from; ``None`` if nobody is signed in.

        Raises:
            CoatcheckError: If a credential is refused, or the request comes from another site.
        """
        return await self.server.gate.identify(connection.scope)

    async def offer_token(self, scope: Scope, response: Response) -> None:
        """Add the cookie with a token to a response, if the request came by cookie and has none."""
        gate = self.server.gate
        known = await gate.find(scope)
        cookie = None if known is None else await gate.token_cookie(scope, known)
        if cookie is not None:
            response.headers.append("Set-Cookie", cookie)
            response.headers["Cache-Control"] = "no-store"  # no cache may give one user's token to another

    async def _answer(self, connection: Request | WebSocket, error: CoatcheckError) -> Response | None:
        if isinstance(connection, WebSocket):
            # Before the handshake is done, this answers it with 403.
            await connection.close(_POLICY_VIOLATION, reason=error.code)
            return None
        return await self.server.app.answer(connection, error)

    def _around(self, inner: Any) -> Any:
        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
            async with self._embedded.running(), inner(app) as state:
                yield state

        return lifespan


class _Scheme(SecurityBase):
    """What all dependencies are in the OpenAPI document."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="An access token, or the session cookie of the sign-in pages.")
        self.scheme_name = "Coatcheck"


class _Requirement(_Scheme):
    """A dependency: what a route demands of whoever calls it."""

    def __init__(self, *, scopes: frozenset[str], recent: bool) -> None:
        super().__init__()
        self._scopes = scopes
        self._recent = recent

    async def __call__(self, connection: HTTPConnection, response: Response) -> Identity:
        auth = _auth_of(connection)
        identity = await auth.server.gate.require(connection.scope, scopes=self._scopes, recent=self._recent)
        if auth.sets_tokens:
            await auth.offer_token(connection.scope, response)
        return identity


class _Optional(_Scheme):
    async def __call__(self, connection: HTTPConnection, response: Response) -> Identity | None:
        auth = _auth_of(connection)
        identity = await auth.server.gate.identify(connection.scope)
        if auth.sets_tokens:
            await auth.offer_token(connection.scope, response)
        return identity


def _auth_of(connection: HTTPConnection) -> Auth:
    # On the application itself: its ``state`` takes ten times as long to ask, at every request to a protected route.
    auth: Auth | None = getattr(connection.scope["app"], _ATTRIBUTE, None)
    if auth is None:
        raise NoAuthError
    return auth


def requires(*scopes: str, recent: bool = False) -> Any:
    """Return a dependency that demands scopes, a recent sign-in, or both.

    ::

        @app.post("/orders")
        async def order(user: Annotated[Identity, requires("orders:write")]) -> None: ...

        @app.delete("/orders", dependencies=[requires("orders:write", recent=True)])
        async def clear() -> None: ...

    Args:
        scopes: What the credential must cover.
        recent: Whether the user must have signed in recently.
    """
    return Depends(_Requirement(scopes=frozenset(scopes), recent=recent))


CurrentUser = Annotated[Identity, requires()]
"""Somebody who has signed in, with a cookie or a bearer token."""

OptionalUser = Annotated[Identity | None, Depends(_Optional())]
"""Somebody who has signed in, or ``None``."""

RecentUser = Annotated[Identity, requires(recent=True)]
"""Somebody who has proved recently who they are; others are asked to, and come back."""
