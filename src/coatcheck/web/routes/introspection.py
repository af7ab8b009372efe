"""The introspection endpoint (RFC 7662), for services that have to ask; its answers as JWTs too (RFC 9701)."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..content_type import media_type
from ..errors import MalformedRequestError
from ..exchange import Exchange
from ..requests import Fields
from ..resource import Post, Resource, route
from ..service_access import require_service
from ..site import Site

__all__ = ["routes"]

_SIGNED = "application/token-introspection+jwt"


class _Question(Fields, frozen=True, kw_only=True):
    """An introspection request (RFC 7662 section 2.1). The hint is not needed."""

    token: str = ""
    token_type_hint: str = ""


async def _introspect(exchange: Exchange, form: _Question) -> Response:
    # In development too: who may ask whether a token is good may try tokens (RFC 7662 section 4).
    service = await require_service(exchange)
    if not form.token:
        raise MalformedRequestError("The parameter token is missing.", field="token")
    introspection = exchange.flows.introspection
    state = await introspection.introspect(form.token, service=service)
    if _SIGNED not in (media_type(each) for each in exchange.request.headers.get("accept", "").split(",")):
        return exchange.json(state)
    return Response(await introspection.sign(state, service=service), media_type=_SIGNED)


def routes(site: Site) -> list[Route]:
    """Return the route. The service's key gives the request its power, and no cookie."""
    question = Post(_Question, _introspect, by_cookie=False)
    return [route("/introspect", Resource(site, post=question, always_json=True, oauth=True))]
