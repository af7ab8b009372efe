"""A server by itself, as one ASGI application with its own beginning and end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
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
from .observing import Observer
from .operations import Operations
from .server import Server
from .settings import Settings

__all__ = ["make_application"]


def make_application(
    settings: Settings, *, demo: bool = False, server: Server | None = None, figures: Path | None = None
) -> Starlette:
    """Return the application: the pages and endpoints below their prefix, and at the root a way to them.

    Args:
        settings: The settings.
        demo: Whether the root is the demonstration application.
        server: The server, if it has been made already; by default it is made from the settings.
        figures: A folder in which several processes of one node tell each other what they counted.

    Raises:
        CoatcheckError: What ``Server`` raises.
    """
    composed = Server(settings) if server is None else server

    site = composed.app.site
    routes = demo_routes(site) if demo else [route("/", Resource(site, get=_to_account))]
    operations = Operations(composed, further=[each.path for each in routes], figures=figures)
    root = composed.app.root | operations.root

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with composed.running(), operations.running():
            yield

    routes += [Route(path, answer) for path, answer in root.items()]
    beyond: list[BaseRoute] = [
        *routes,
        Mount(settings.prefix, composed.app),
        Mount("/", composed.app.nowhere),
    ]
    return _Standalone(
        composed.app,
        prefix=settings.prefix,
        root=root,
        observer=operations.observer,
        routes=beyond,
        lifespan=lifespan,
    )


class _Standalone(Starlette):
    """Hands requests on to where they belong: nearly all belong below the prefix, which nothing else needs to see."""

    def __init__(
        self, app: AuthApp, *, prefix: str, root: Mapping[str, ASGIApp], observer: Observer, **more: Any
    ) -> None:
        super().__init__(**more)
        self._below, self._begin = app, f"{prefix}/"
        self._well_known = root
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = super().__call__
        if scope["type"] == "http":
            path: str = scope["path"]
            if (document := self._well_known.get(path)) is not None:
                app = document
            elif self._begin != "/" and path.startswith(self._begin):
                app = self._below
            await self._observer(app, scope, receive=receive, send=send)
            return
        await app(scope, receive, send)


async def _to_account(exchange: Exchange) -> Response:
    site: Site = exchange.site
    return exchange.go_to(site.path("/account"))
