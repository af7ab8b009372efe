"""The demonstration application: a home page, a page for those who have signed in, and the same as an API."""

from __future__ import annotations

from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from ..web.exchange import Exchange
from ..web.pages.views import DemoHomeView, DemoProtectedView
from ..web.resource import Resource, route
from ..web.site import Site

__all__ = ["demo_routes"]


def demo_routes(site: Site) -> list[Route]:
    """Return the routes of the demonstration."""
    return [
        route("/", Resource(site, get=_home)),
        route("/protected", Resource(site, get=_protected)),
        route("/api/me", Resource(site, get=_me, always_json=True)),
    ]


async def _home(exchange: Exchange) -> Response:
    site = exchange.site
    view = DemoHomeView(base_url=site.options.base_url)
    if site.options.development:
        view = replace(
            view,
            development_mail_url=site.path("/dev/mail"),
            inspector_url=site.path("/dev/token"),
            advice_url=site.path("/dev/advise"),
        )
    return await exchange.page(view)


async def _protected(exchange: Exchange) -> Response:
    identity = await exchange.identity()
    return await exchange.page(
        DemoProtectedView(
            user_id=identity.id,
            session_id=identity.session_id,
            authenticated_at=identity.authenticated_at.timestamp(),
            methods=identity.methods,
            scopes=tuple(sorted(identity.scopes)),
        )
    )


async def _me(exchange: Exchange) -> Response:
    identity = await exchange.identity()
    return exchange.json(exchange.user_json(identity.id, email=identity.email, scopes=identity.scopes))
