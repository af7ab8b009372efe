"""The services that may follow the ledger: for administrators, as JSON."""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from ...flows.model import Service
from ..exchange import Exchange
from ..requests import NewService, ServiceName
from ..resource import Post, Resource, route
from ..site import Site
from .admin_revocations import administrator

__all__ = ["routes"]


class ServiceJSON(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service, on the wire.

    Attributes:
        name: What it is called.
        audience: The API that it stands for; ``null`` for all.
        created_at: When it was added, in whole seconds since 1970.
        key: By which it shows who it is: in the answer that tells that it was added, and nowhere else.
    """

    name: str
    audience: str | None
    created_at: int
    key: str = ""

    def __repr__(self) -> str:
        return f"<ServiceJSON {self.name}>"


def _flat(service: Service, key: str = "") -> ServiceJSON:
    return ServiceJSON(
        name=service.name, audience=service.audience, created_at=int(service.created_at), key=key
    )


async def _list(exchange: Exchange) -> Response:
    await administrator(exchange, changes=False)
    return exchange.json({"services": [_flat(each) for each in await exchange.flows.services.list()]})


async def _add(exchange: Exchange, form: NewService) -> Response:
    await administrator(exchange, changes=True)
    service, key = await exchange.flows.services.add(form.name, audience=form.audience)
    return exchange.json(_flat(service, key), status=201)


async def _remove(exchange: Exchange, form: ServiceName) -> Response:
    await administrator(exchange, changes=True)
    await exchange.flows.services.remove(form.name)
    return exchange.nothing()


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route("/admin/services", Resource(site, get=_list, post=Post(NewService, _add), always_json=True)),
        route("/admin/services/remove", Resource(site, post=Post(ServiceName, _remove), always_json=True)),
    ]
