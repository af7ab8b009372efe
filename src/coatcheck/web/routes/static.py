"""The style sheet and the script of the pages. Their names hold their content's hash, so they are kept for ever."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..errors import NotFoundError
from ..exchange import Exchange
from ..resource import Resource, route
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    response = exchange.site.pages.static_response(exchange.path_param("name"))
    if response is None:
        raise NotFoundError
    return response


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/static/{name}", Resource(site, get=_show))]
