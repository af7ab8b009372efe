"""Shared Signals: streams of security events, for the services that receive them (SSF 1.0, RFC 8936).

A service shows its key as a bearer token (RFC 6750) at every endpoint, that of polling included. The transmitter's
configuration is for everybody.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from ..._core import json
from ...flows.model import Service, Stream
from ...flows.signal_errors import InvalidStreamError
from ...flows.signal_polling import PollAnswer
from ...flows.signal_sending import Refusal
from ...flows.signal_streams import DeliveryWish, Status, StreamWish
from ...revocation.security_events import SUPPORTED
from ..bodies import read_document, typed
from ..exchange import AnyFields, Exchange
from ..requests import Fields
from ..resource import Resource, route
from ..service_access import require_service
from ..site import Site

__all__ = ["SSF_PATH", "routes", "ssf_configuration"]

SSF_PATH = "/.well-known/ssf-configuration"
"""Where the configuration is, from the root of the issuer (SSF section 7.2)."""

_PUSH: Final = "urn:ietf:rfc:8935"
_POLL: Final = "urn:ietf:rfc:8936"
_METHODS: Final = {_PUSH: "push", _POLL: "poll"}
_CACHE: Final = "public, max-age=300"
_MAX_DEPTH: Final = 4  # a complex subject in its request; no refusal or delivery nests deeper


class StreamQuery(Fields, frozen=True, kw_only=True):
    """Which stream is meant, in the query."""

    stream_id: str | None = None


class DeliveryFields(Fields, frozen=True, kw_only=True):
    """How events are delivered (SSF section 6.1)."""

    method: str
    endpoint_url: str | None = None
    authorization_header: str | msgspec.UnsetType | None = msgspec.UNSET


class NewStream(Fields, frozen=True, kw_only=True):
    """What a receiver may say of a stream (SSF section 8.1.1.1)."""

    delivery: DeliveryFields | msgspec.UnsetType | None = msgspec.UNSET
    events_requested: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET


class ChangedStream(NewStream, frozen=True, kw_only=True):
    """The same of one that exists (SSF sections 8.1.1.3 and 8.1.1.4)."""

    stream_id: str


class StatusFields(Fields, frozen=True, kw_only=True):
    """Another status (SSF section 8.1.2.2)."""

    stream_id: str
    status: Status
    reason: str | None = None


class SubjectFields(Fields, frozen=True, kw_only=True):
    """A subject to add or remove (SSF section 8.1.3). Whether it was verified makes no difference here."""

    stream_id: str
    subject: dict[str, Any]


class VerificationFields(Fields, frozen=True, kw_only=True):
    """A wish for a verification event (SSF section 8.1.4.2)."""

    stream_id: str
    state: str | None = None


class PollFields(Fields, frozen=True, kw_only=True, rename="camel"):
    """A poll (RFC 8936 section 2.2)."""

    max_events: int | None = None
    return_immediately: bool = False
    ack: tuple[str, ...] = ()
    set_errs: dict[str, Refusal] = msgspec.field(default_factory=dict)


def _base(exchange: Exchange) -> str:
    options = exchange.site.options
    if not options.development:
        return options.base_url + options.prefix
    # This machine by whichever of its names and ports it was reached.
    url = exchange.request.url
    return f"{url.scheme}://{url.netloc}{options.prefix}"


async def _configuration(exchange: Exchange) -> Response:
    base = _base(exchange)
    document = {
        "spec_version": "1_0",
        "issuer": exchange.flows.context.signals.issuer,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "delivery_methods_supported": [_PUSH, _POLL],
        "configuration_endpoint": f"{base}/signals/stream",
        "status_endpoint": f"{base}/signals/status",
        "add_subject_endpoint": f"{base}/signals/subjects/add",
        "remove_subject_endpoint": f"{base}/signals/subjects/remove",
        "verification_endpoint": f"{base}/signals/verification",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": "ALL",
    }
    return Response(json.encode(document), media_type="application/json", headers={"Cache-Control": _CACHE})


def _shown(exchange: Exchange, stream: Stream) -> dict[str, Any]:
    """Return a stream's configuration (SSF section 8.1.1). The receiver's ``Authorization`` is never shown."""
    poll_url = f"{_base(exchange)}/signals/poll/{stream.id}"
    delivery = (
        {"method": _PUSH, "endpoint_url": stream.endpoint}
        if stream.method == "push"
        else {"method": _POLL, "endpoint_url": poll_url}
    )
    signals = exchange.flows.context.signals
    shown: dict[str, Any] = {
        "stream_id": stream.id,
        "iss": signals.issuer,
        "aud": stream.audience,
        "delivery": delivery,
        "events_supported": list(SUPPORTED),
        "events_delivered": list(stream.delivered),
        "min_verification_interval": int(signals.policy.verification_interval.total_seconds()),
    }
    if stream.requested is not None:
        shown["events_requested"] = list(stream.requested)
    if stream.description is not None:
        shown["description"] = stream.description
    return shown


_RECEIVERS: Final = {"delivery", "description", "events_requested", "stream_id"}


def _check_supplied(shown: dict[str, Any], said: dict[str, Any]) -> None:
    """Check that what is ours to say is as we say it, where a receiver repeats it (SSF sections 8.1.1.3, 8.1.1.4)."""
    for name in shown.keys() - _RECEIVERS:
        if name in said and said[name] != shown[name]:
            raise InvalidStreamError(f"The value of {name} is not the receiver's to change.", field=name)


def _wish(fields: NewStream) -> StreamWish:
    delivery: DeliveryWish | msgspec.UnsetType | None
    if isinstance(fields.delivery, DeliveryFields):
        method = _METHODS.get(fields.delivery.method)
        if method is None:
            raise InvalidStreamError("There is no such method of delivery here.", field="delivery")
        delivery = DeliveryWish(
            method="push" if method == "push" else "poll",
            endpoint=fields.delivery.endpoint_url,
            authorization=fields.delivery.authorization_header,
        )
    else:
        delivery = fields.delivery
    return StreamWish(delivery=delivery, requested=fields.events_requested, description=fields.description)


def _replaced(wish: StreamWish) -> StreamWish:
    """Return a wish in which what is missing is to be deleted (SSF section 8.1.1.4)."""
    return StreamWish(
        delivery=None if wish.delivery is msgspec.UNSET else wish.delivery,
        requested=None if wish.requested is msgspec.UNSET else wish.requested,
        description=None if wish.description is msgspec.UNSET else wish.description,
    )


async def _asked(exchange: Exchange, kind: type[AnyFields]) -> tuple[Service, dict[str, Any], AnyFields]:
    """Return who asks and what. Who comes first: nothing is read of what nobody sends."""
    service = await require_service(exchange)
    said = await read_document(exchange.request, max_depth=_MAX_DEPTH)
    return service, said, typed(said, kind)


async def _create(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, NewStream)
    development = exchange.site.options.development
    stream = await exchange.flows.signal_streams.create(service, _wish(fields), development=development)
    return exchange.json(_shown(exchange, stream), status=201)


async def _read(exchange: Exchange) -> Response:
    service = await require_service(exchange)
    stream_id = exchange.query(StreamQuery).stream_id
    streams = exchange.flows.signal_streams
    if stream_id is None:
        return exchange.json([_shown(exchange, each) for each in await streams.list(service)])
    return exchange.json(_shown(exchange, await streams.get(service, stream_id)))


async def _change(exchange: Exchange, *, replacing: bool) -> Response:
    service, said, fields = await _asked(exchange, ChangedStream)
    streams = exchange.flows.signal_streams
    _check_supplied(_shown(exchange, await streams.get(service, fields.stream_id)), said)
    wish = _replaced(_wish(fields)) if replacing else _wish(fields)
    development = exchange.site.options.development
    stream = await streams.update(service, fields.stream_id, wish, development=development)
    return exchange.json(_shown(exchange, stream))


async def _update(exchange: Exchange) -> Response:
    return await _change(exchange, replacing=False)


async def _replace(exchange: Exchange) -> Response:
    return await _change(exchange, replacing=True)


def _named(exchange: Exchange) -> str:
    stream_id = exchange.query(StreamQuery).stream_id
    if stream_id is None:
        raise InvalidStreamError("Say which stream: stream_id in the query.", field="stream_id")
    return stream_id


async def _delete(exchange: Exchange) -> Response:
    service = await require_service(exchange)
    await exchange.flows.signal_streams.delete(service, _named(exchange))
    return exchange.nothing()


def _status(exchange: Exchange, stream: Stream) -> Response:
    shown = {"stream_id": stream.id, "status": stream.status}
    if stream.reason is not None:
        shown["reason"] = stream.reason
    return exchange.json(shown)


async def _read_status(exchange: Exchange) -> Response:
    service = await require_service(exchange)
    return _status(exchange, await exchange.flows.signal_streams.get(service, _named(exchange)))


async def _set_status(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, StatusFields)
    stream = await exchange.flows.signal_streams.set_status(
        service, fields.stream_id, fields.status, reason=fields.reason
    )
    return _status(exchange, stream)


async def _add_subject(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, SubjectFields)
    await exchange.flows.signal_streams.take_in(service, fields.stream_id, fields.subject)
    return Response(status_code=200)


async def _remove_subject(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, SubjectFields)
    await exchange.flows.signal_streams.leave_out(service, fields.stream_id, fields.subject)
    return exchange.nothing()


async def _verify(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, VerificationFields)
    await exchange.flows.signal_streams.verify(service, fields.stream_id, state=fields.state)
    return exchange.nothing()


async def _poll(exchange: Exchange) -> Response:
    service, _, fields = await _asked(exchange, PollFields)
    polling = asyncio.create_task(
        exchange.flows.signal_polling.poll(
            service,
            exchange.path_param("stream_id"),
            most=fields.max_events,
            at_once=fields.return_immediately,
            acknowledged=fields.ack,
            refused=fields.set_errs,
        )
    )
    return exchange.json(await _unless_gone(exchange, polling))


async def _unless_gone(exchange: Exchange, polling: asyncio.Task[PollAnswer]) -> PollAnswer:
    """Return the answer to a poll, or stop waiting for it when nobody does any more."""

    async def gone() -> None:
        while (await exchange.request.receive())["type"] != "http.disconnect":
            pass

    leaving = asyncio.create_task(gone())
    both: set[asyncio.Future[Any]] = {polling, leaving}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not polling.done():
            raise ClientDisconnect
        return polling.result()
    finally:
        for each in both:
            each.cancel()


def ssf_configuration(site: Site) -> Resource:
    """Return what answers at ``SSF_PATH``."""
    return Resource(site, get=_configuration, always_json=True)


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    changes = {"POST": _create, "PATCH": _update, "PUT": _replace, "DELETE": _delete}
    posts = {
        "/signals/subjects/add": _add_subject,
        "/signals/subjects/remove": _remove_subject,
        "/signals/verification": _verify,
        "/signals/poll/{stream_id}": _poll,
    }
    return [
        route("/signals/stream", Resource(site, get=_read, others=changes, always_json=True)),
        route(
            "/signals/status",
            Resource(site, get=_read_status, others={"POST": _set_status}, always_json=True),
        ),
        *(
            route(path, Resource(site, others={"POST": post}, always_json=True))
            for path, post in posts.items()
        ),
    ]
