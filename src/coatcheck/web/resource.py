"""One path, and what each method does there.

What all routes have in common happens here and cannot be forgotten by one: the body is read and decoded once, a request
that may change something proves where it comes from, errors are told in the client's language, and every answer has
its headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import answer_to, finish
from .bodies import read_fields, typed
from .errors import MethodNotAllowedError
from .exchange import Exchange
from .requests import Fields
from .site import Site

__all__ = ["Get", "Post", "Resource", "route"]

AnyFields = TypeVar("AnyFields", bound=Fields)

Get = Callable[[Exchange], Awaitable[Response]]
"""What answers GET and HEAD. It changes nothing: whoever scans mail follows links."""


class Post(Generic[AnyFields]):
    """What answers POST, and what it takes.

    Args:
        kind: What the body says.
        handler: What is done with it.
        by_cookie: Whether cookies give the request its power, so that it must prove where it comes from. Only for
            what carries its own secret in the body, this is ``False``.
    """

    def __init__(
        self,
        kind: type[AnyFields],
        handler: Callable[[Exchange, AnyFields], Awaitable[Response]],
        *,
        by_cookie: bool = True,
    ) -> None:
        self._kind = kind
        self._handler = handler
        self._by_cookie = by_cookie

    async def __call__(self, exchange: Exchange) -> Response:
        """Read, check, decode, and hand on."""
        fields: dict[str, Any] = await read_fields(exchange.request)
        if self._by_cookie:
            await exchange.check_same_site(fields)
        return await self._handler(exchange, typed(fields, self._kind))


class Resource:
    """An ASGI application for one path."""

    def __init__(
        self,
        site: Site,
        *,
        get: Get | None = None,
        post: Post[Any] | None = None,
        others: Mapping[str, Get] | None = None,
        back: str = "",
        always_json: bool = False,
        oauth: bool = False,
    ) -> None:
        """Take what it does.

        Args:
            site: What routes hand requests on to.
            get: What answers GET and HEAD.
            post: What answers POST.
            others: What answers other methods, POST too where its body is of a kind of its own. Each reads that itself,
                and takes no power from cookies.
            back: The page, below the prefix, to come back to after having to sign in; by default this one.
            always_json: Whether there is no page here.
            oauth: Whether errors have the form of the token endpoint's.
        """
        self._site = site
        self._methods: dict[str, Get] = {}
        if get is not None:
            self._methods |= {"GET": get, "HEAD": get}
        if post is not None:
            self._methods["POST"] = post
        self._methods |= others or {}
        self._back = site.path(back) if back else ""
        self._always_json = always_json
        self._oauth = oauth
        self.allowed: str = ", ".join([*self._methods, "OPTIONS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        exchange = Exchange(self._site, Request(scope, receive), always_json=self._always_json)
        try:
            response = await self._answer(exchange)
        except ClientDisconnect:
            return  # nobody is left to be told anything
        except Exception as error:  # noqa: BLE001 - the boundary: told, logged, and no traceback for outside
            response = await answer_to(error, exchange, back=self._back, oauth=self._oauth)
        await finish(response, exchange)(scope, receive, send)

    async def _answer(self, exchange: Exchange) -> Response:
        exchange.check_local()
        method = exchange.request.method
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": self.allowed})
        handler = self._methods.get(method)
        if handler is None:
            raise MethodNotAllowedError(self.allowed)
        return await handler(exchange)


def route(path: str, resource: ASGIApp) -> Route:
    """Return a resource at its path below the prefix."""
    return Route(path, resource)
