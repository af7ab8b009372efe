"""What a client has to know of this server, in one document (RFC 8414)."""

from __future__ import annotations

from starlette.responses import Response

from ..._core import json
from ..exchange import Exchange
from ..resource import Resource
from ..site import Site

__all__ = ["METADATA_PATH", "metadata"]

METADATA_PATH = "/.well-known/oauth-authorization-server"
"""Where it is, from the root of the issuer (RFC 8414 section 3)."""

_CACHE = "public, max-age=300"


async def _show(exchange: Exchange) -> Response:
    return Response(
        json.encode(_document(exchange)), media_type="application/json", headers={"Cache-Control": _CACHE}
    )


def _document(exchange: Exchange) -> dict[str, object]:
    site = exchange.site
    origin = site.options.base_url
    if site.options.development:
        # This machine by whichever of its names and ports it was reached; what it is called in tokens stays the same.
        url = exchange.request.url
        origin = f"{url.scheme}://{url.netloc}"
    base = origin + site.options.prefix
    document: dict[str, object] = {
        "issuer": exchange.flows.context.access_tokens.issuer,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "token_endpoint": f"{base}/token",
        "token_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint": f"{base}/introspect",
        "introspection_endpoint_auth_methods_supported": ["Bearer"],
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "coatcheck_ledger_endpoint": f"{base}/ledger",
    }
    lists = exchange.flows.status_lists
    if lists is not None:
        # draft-ietf-oauth-status-list-21 section 9.1
        document["status_list_aggregation_endpoint"] = lists.aggregation_uri
    return document


def metadata(site: Site) -> Resource:
    """Return what answers at ``METADATA_PATH``."""
    return Resource(site, get=_show, always_json=True)
