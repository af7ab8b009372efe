"""The status lists (draft-ietf-oauth-status-list-21 sections 8 and 9): for everybody, with nothing in them but bits."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..._core import json
from ...flows.status_lists import StatusLists, StatusListToken
from ..errors import NotFoundError
from ..exchange import Exchange
from ..requests import Fields
from ..resource import Get, Resource, route
from ..site import Site

__all__ = ["routes"]

_MEDIA_TYPE = "application/statuslist+jwt"
_FOR_ALL = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_LISTED = {**_FOR_ALL, "Cache-Control": "public, max-age=60", "Vary": "Accept-Encoding"}


class _Query(Fields, frozen=True, kw_only=True):
    """What may be asked of a list."""

    time: str | None = None


def _show(lists: StatusLists) -> Get:
    async def show(exchange: Exchange) -> Response:
        if exchange.query(_Query).time is not None:
            # How it was at some time: section 8.4 has an error for whoever does not keep that, and tells why not to.
            return Response(status_code=501, headers=_FOR_ALL)
        token = await lists.token(exchange.path_param("list_id"))
        if token is None:
            raise NotFoundError
        return _answer(exchange, token)

    return show


def _answer(exchange: Exchange, token: StatusListToken) -> Response:
    headers = exchange.request.headers
    # A cache may keep it for as long as the list itself says, counted from when it was signed.
    seconds = max(0, int(token.fresh_until - exchange.clock()))
    compressed = _takes_gzip(headers.get("accept-encoding", ""))
    answer = {
        **_FOR_ALL,
        "Cache-Control": f"public, max-age={seconds}",
        "Vary": "Accept-Encoding",
        "ETag": token.etag if not compressed else f'{token.etag[:-1]}-gzip"',
    }
    if answer["ETag"] in (each.strip() for each in headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=answer)
    if compressed:
        answer["Content-Encoding"] = "gzip"
    return Response(token.compressed if compressed else token.octets, media_type=_MEDIA_TYPE, headers=answer)


def _takes_gzip(accept_encoding: str) -> bool:
    """Tell whether an answer may be compressed (RFC 9110 section 12.5.3)."""
    for part in accept_encoding.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _list(lists: StatusLists) -> Get:
    async def list_all(exchange: Exchange) -> Response:
        return Response(
            json.encode({"status_lists": await lists.list_uris()}),
            media_type="application/json",
            headers=_LISTED,
        )

    return list_all


def routes(site: Site) -> list[Route]:
    """Return the routes; none where there are no lists."""
    lists = site.flows.status_lists
    if lists is None:
        return []
    return [
        route("/statuses", Resource(site, get=_list(lists), always_json=True)),
        route("/statuses/{list_id}", Resource(site, get=_show(lists), always_json=True)),
    ]
