"""A server by itself, as one ASGI application with its own beginning and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

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
    return Starlette(routes=beyond, lifespan=lifespan)


async def _to_account(exchange: Exchange) -> Response:
    site: Site = exchange.site
    return exchange.go_to(site.path("/account"))
