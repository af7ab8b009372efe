"""The userinfo endpoint (OpenID Connect Core section 5.3): by GET and by POST, for scripts of any origin."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....flows.errors import NotSignedInError
from ...cors import ForEverybody
from ...errors import MalformedCredentialError
from ...exchange import Exchange
from ...gate import bearer_token
from ...requests import Fields
from ...resource import Post, Resource, route
from ...site import Site

__all__ = ["routes"]


class _Question(Fields, frozen=True, kw_only=True):
    """What may stand in the body (RFC 6750 section 2.2). In the query, where logs would keep it, a token is none."""

    access_token: str = ""


async def _by_header(exchange: Exchange) -> Response:
    return await _answer(exchange, bearer_token(exchange.request.scope["headers"]))


async def _by_body(exchange: Exchange, form: _Question) -> Response:
    in_header = bearer_token(exchange.request.scope["headers"])
    if in_header is not None and form.access_token:
        raise MalformedCredentialError("The access token is sent in more than one way.")
    return await _answer(exchange, in_header or form.access_token)


async def _answer(exchange: Exchange, token: str | None) -> Response:
    if not token:
        raise NotSignedInError
    answer = await exchange.flows.provider.userinfo.of(token)
    if answer.signed is not None:
        return Response(answer.signed, media_type="application/jwt")
    return exchange.json(answer.claims)


def routes(site: Site) -> list[Route]:
    """Return the route. The access token gives the request its power, and no cookie."""
    question = Post(_Question, _by_body, by_cookie=False)
    resource = Resource(site, get=_by_header, post=question, always_json=True)
    return [route("/userinfo", ForEverybody(resource))]
