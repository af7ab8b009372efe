"""The feed of the ledger, for services: ``text/event-stream`` (HTML, "Server-sent events"), resumable, signed.

``revocation.wire`` says what is in it. Which service asks, it says by its key.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ...errors import CoatcheckError
from ...flows.feed_reader import Reader
from ...revocation.model import Position
from ..errors import MalformedRequestError
from ..exchange import Exchange
from ..negotiation import VARY
from ..requests import Fields
from ..resource import Resource, route
from ..service_access import service_or_development
from ..site import Site

__all__ = ["routes"]

_log = logging.getLogger("coatcheck.feed")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_GZIP = re.compile(r"(?:x-)?gzip|\*", re.IGNORECASE)
_REFUSED = re.compile(r"q=0(?:\.0{0,3})?", re.IGNORECASE)
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back until it has enough of them
    "Vary": f"{VARY}, Accept-Encoding",
}


class _LedgerQuery(Fields, frozen=True, kw_only=True):
    nonce: str = ""


class _Stream(StreamingResponse):
    """A reader's stream as a response. The reader ends with it, however it ends."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(
            reader.chunks(), headers=_HEADERS | ({"Content-Encoding": "gzip"} if reader.packs else {})
        )
        self._reader = reader

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, the reader is cut off, or the stream ends."""
        gone = asyncio.create_task(_disconnect(receive))
        pump = asyncio.create_task(self._pump(send))
        self._reader.on_cut(pump.cancel)
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._reader.close()
            gone.cancel()
            pump.cancel()
            await asyncio.gather(gone, pump, return_exceptions=True)
        if not pump.cancelled():
            pump.result()

    async def _pump(self, send: Send) -> None:
        try:
            await self.stream_response(send)
        except CoatcheckError as error:
            # It cannot be told any more. An end without an end is what the client takes as broken, and comes back.
            _log.warning("a stream of the feed broke off: %s [%s]", error.message, error.code)


async def _disconnect(receive: Receive) -> None:
    message: MutableMapping[str, Any] = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def _read(exchange: Exchange) -> Response:
    service = await service_or_development(exchange)
    nonce = exchange.query(_LedgerQuery).nonce
    if not _NONCE.fullmatch(nonce):
        raise MalformedRequestError(
            "The parameter nonce must be 16 to 64 characters of base64url.", field="nonce"
        )
    position = _position(exchange.request.headers)
    if exchange.request.method == "HEAD":
        return Response(headers=_HEADERS)
    feed = exchange.flows.feed
    reader = feed.admit(service, packs=_accepts_gzip(exchange.request.headers))
    reader.begin(feed.history(reader, nonce=nonce, position=position))
    return _Stream(reader)


def _position(headers: Headers) -> Position | None:
    """Return the position that the client says it has reached.

    Raises:
        MalformedRequestError: If what it says is none.
    """
    sent = headers.getlist("last-event-id")
    if not sent:
        return None
    position = Position.parse(sent[0]) if len(sent) == 1 else None
    if position is None:
        raise MalformedRequestError("The header Last-Event-ID must be the id of an event of this feed.")
    return position


def _accepts_gzip(headers: Headers) -> bool:
    """Tell whether the client takes gzip (RFC 9110 section 12.5.3)."""
    for coding in ",".join(headers.getlist("accept-encoding")).split(","):
        name, *parameters = (part.strip() for part in coding.split(";"))
        if _GZIP.fullmatch(name):
            return not any(_REFUSED.fullmatch(parameter) for parameter in parameters)
    return False


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/ledger", Resource(site, get=_read, always_json=True))]
