"""Which service asks: ``Authorization: Bearer cck_…`` (RFC 6750 section 2.1), at the routes that are for services.

A service's key says who asks, and nothing else does: no cookie, and no key in the query, where logs would keep it.
Refusals are those of RFC 6750 section 3.1: 401 with a bare challenge where no key came, 401 with ``invalid_token``
where it belongs to nobody, 400 where the header is not in its form.
"""

from __future__ import annotations

from ..flows.model import Service
from .errors import ServiceKeyNeededError
from .exchange import Exchange
from .gate import bearer_token

__all__ = ["require_service", "service_or_development"]


async def require_service(exchange: Exchange) -> Service:
    """Return the service that asks.

    Raises:
        ServiceKeyNeededError: If no key came with the request.
        UnknownServiceKeyError: If it belongs to no service, or to none any more.
        MalformedCredentialError: If the ``Authorization`` header is not in its form.
    """
    key = bearer_token(exchange.request.scope["headers"])
    if key is None:
        raise ServiceKeyNeededError
    return await exchange.flows.services.authenticate(key)


async def service_or_development(exchange: Exchange) -> Service | None:
    """Return the service that asks; ``None`` in development for one that shows no key.

    Development answers to this machine only. Whoever sends a key there means it, and it must be good.

    Raises:
        CoatcheckError: What ``require_service`` raises.
    """
    if exchange.site.options.development and bearer_token(exchange.request.scope["headers"]) is None:
        return None
    return await require_service(exchange)
