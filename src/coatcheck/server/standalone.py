"""A server by itself, as one ASGI application with its own beginning and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..web.app import AuthApp
from ..web.exchange import Exchange
from ..web.resource import Resource, route
from ..web.site import Site
from .demo import demo_routes
from .server import Server
from .settings import Settings

__all__ = ["make_application"]


def make_application(settings: Settings, *, demo: bool = False, server: Server | None = None) -> Starlette:
    """Return the application: the pages and endpoints below their prefix, and at the root a way to them.

    Args:
        settings: The settings.
        demo: Whether the root is the demonstration application.
        server: The server, if it has been made already; by default it is made from the settings.

    Raises:
        CoatcheckError: What ``Server`` raises.
    """
    composed = Server(settings) if server is None else server

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with composed.running():
            yield

    site = composed.app.site
    routes = demo_routes(site) if demo else [route("/", Resource(site, get=_to_account))]
    routes += [Route(path, answer) for path, answer in composed.app.root.items()]
    beyond: list[BaseRoute] = [
        *routes,
        Mount(settings.prefix, composed.app),
        Mount("/", composed.app.nowhere),
    ]
    return _Standalone(composed.app, prefix=settings.prefix, routes=beyond, lifespan=lifespan)


class _Standalone(Starlette):
    """Hands requests on to where they belong: nearly all belong below the prefix, which nothing else needs to see."""

    def __init__(self, app: AuthApp, *, prefix: str, **more: Any) -> None:
        super().__init__(**more)
        self._below, self._begin = app, f"{prefix}/"
        self._well_known = app.root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = super().__call__
        if scope["type"] == "http":
            path: str = scope["path"]
            if (document := self._well_known.get(path)) is not None:
                app = document
            elif self._begin != "/" and path.startswith(self._begin):
                app = self._below
        await app(scope, receive, send)


async def _to_account(exchange: Exchange) -> Response:
    site: Site = exchange.site
    return exchange.go_to(site.path("/account"))
