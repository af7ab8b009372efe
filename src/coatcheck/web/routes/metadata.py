"""What a client has to know of this server, in one document, at the two places where it is looked for.

The answer is written out once; in development, where the server is reached by any of its names and ports, each time.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from ..._core import json
from ...oauth.metadata import ServerFacts, server_metadata
from ...sessions.authentication_context import ACR_VALUES
from ..cors import FOR_EVERYBODY
from ..exchange import Exchange
from ..resource import Get, Resource
from ..site import Site
from ..written import Written

__all__ = ["METADATA_PATH", "OPENID_PATH", "base_of", "metadata", "openid_metadata"]

METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
"""Where OAuth looks for it, from the root of the issuer (RFC 8414 section 3)."""

OPENID_PATH: Final = "/.well-known/openid-configuration"
"""Where OpenID Connect does (Discovery 1.0 section 4)."""

_CACHE: Final = "public, max-age=300"
_HEADERS: Final = {"Cache-Control": _CACHE, **FOR_EVERYBODY}


def metadata(site: Site) -> Written:
    """Return what answers where OAuth looks for it."""
    return _written(site, _show)


def openid_metadata(site: Site) -> Written:
    """Return what answers where OpenID Connect does: the same."""
    return _written(site, _show_to_openid)


def _written(site: Site, get: Get) -> Written:
    resource = Resource(site, get=get, always_json=True)
    return Written(resource, _same, development=site.options.development)


async def _same() -> object:
    return None  # the settings do not change while the server runs


async def _show_to_openid(exchange: Exchange) -> Response:
    # The algorithm that every provider has (Core section 15.1). Some clients read the keys before they register, and
    # not again: the key is to be among them by then. Who is no client of OpenID Connect needs none.
    await exchange.flows.context.access_tokens.keys.ensure("RS256")
    return await _show(exchange)


async def _show(exchange: Exchange) -> Response:
    return Response(
        json.encode(server_metadata(_facts(exchange))), media_type="application/json", headers=_HEADERS
    )


def base_of(exchange: Exchange) -> str:
    """Return the URL below which the endpoints are, for whoever asks."""
    options = exchange.site.options
    url = exchange.request.url
    if not options.development or url.netloc == urlsplit(options.base_url).netloc:
        return options.base_url + options.prefix  # whatever a proxy in front makes of the scheme
    # This machine by whichever of its names and ports it was reached; what it is called in tokens stays the same.
    return f"{url.scheme}://{url.netloc}{options.prefix}"


def _facts(exchange: Exchange) -> ServerFacts:
    site, flows = exchange.site, exchange.flows
    base = base_of(exchange)
    more = {"coatcheck_ledger_endpoint": f"{base}/ledger"}
    if flows.status_lists is not None:
        # draft-ietf-oauth-status-list-21 section 9.1
        more["status_list_aggregation_endpoint"] = flows.status_lists.aggregation_uri
    provider = flows.context.provider
    return ServerFacts(
        issuer=flows.context.access_tokens.issuer,
        base=base,
        registration=provider.registration,
        hybrid=provider.hybrid,
        acr_values=ACR_VALUES,
        sign_up=site.options.sign_up == "open",
        more=more,
    )
