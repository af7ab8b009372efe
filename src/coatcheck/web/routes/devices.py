"""Where the user is signed in, and how to end it."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from ...flows.model import Device
from ..exchange import Exchange
from ..pages.views import DevicesView
from ..requests import DoneQuery, EndDevice, Nothing
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]

_NOTICES = {
    "end": "That session has ended.",
    "end-others": "All other sessions have ended.",
}


class DeviceJSON(msgspec.Struct, frozen=True, kw_only=True):
    """A session, on the wire and on the page. Times are whole seconds since 1970."""

    session_id: str
    kind: Literal["browser", "tokens"]
    address: str
    user_agent: str
    created_at: int
    authenticated_at: int
    last_seen_at: int
    ends_at: int
    methods: tuple[str, ...]
    is_current: bool


def _flat(device: Device) -> DeviceJSON:
    return DeviceJSON(
        session_id=device.session_id,
        kind=device.kind,
        address=device.client.address,
        user_agent=device.client.user_agent,
        created_at=int(device.created_at),
        authenticated_at=int(device.authenticated_at),
        last_seen_at=int(device.last_seen_at),
        ends_at=int(device.ends_at),
        methods=device.methods,
        is_current=device.is_current,
    )


async def _show(exchange: Exchange) -> Response:
    identity = await exchange.identity()
    devices = tuple(_flat(device) for device in await exchange.flows.ending.list_devices(identity))
    if exchange.wants_json:
        return exchange.json({"devices": devices})
    notice = _NOTICES.get(exchange.query(DoneQuery).done, "")
    return await exchange.page(DevicesView(devices=devices, notice=notice))


async def _end(exchange: Exchange, form: EndDevice) -> Response:
    identity = await exchange.identity()
    await exchange.flows.ending.end(identity, form.session_id)
    if form.session_id == identity.session_id:
        return _ended_here(exchange)
    return _done(exchange, "end")


async def _end_others(exchange: Exchange, _: Nothing) -> Response:
    await exchange.flows.ending.end_others(await exchange.identity())
    return _done(exchange, "end-others")


async def _end_all(exchange: Exchange, _: Nothing) -> Response:
    await exchange.flows.ending.end_everywhere(await exchange.identity())
    return _ended_here(exchange)


def _done(exchange: Exchange, what: str) -> Response:
    if exchange.wants_json:
        return exchange.nothing()
    return exchange.go_to(exchange.site.path("/devices", done=what))


def _ended_here(exchange: Exchange) -> Response:
    exchange.signed_out()
    if exchange.wants_json:
        return exchange.nothing()
    return exchange.go_to(exchange.site.path("/sign-in", done="signed-out"))


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route("/devices", Resource(site, get=_show)),
        route("/devices/end", Resource(site, post=Post(EndDevice, _end), back="/devices")),
        route("/devices/end-others", Resource(site, post=Post(Nothing, _end_others), back="/devices")),
        route("/devices/end-all", Resource(site, post=Post(Nothing, _end_all), back="/devices")),
    ]
