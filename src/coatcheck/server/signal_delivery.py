"""Pushing security events to their receivers (RFC 8935).

Each stream has a task of its own while there is something to push in it, so that a slow receiver delays nobody else; in
one stream events go one after the other. An event is sent until its receiver says that it has it: after a crash, twice
rather than never.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import httpx
import msgspec

from .._core.secrets import SealError
from ..errors import CoatcheckError
from ..flows.model import Stream
from ..flows.ports import Storage
from ..flows.signal_bell import Bell
from ..flows.signal_endpoints import Address, Endpoint, parse_endpoint
from ..flows.signal_pushing import Outgoing, SignalPushing
from ..flows.signal_sending import Refusal
from .outbound import Resolver, checked_addresses, make_client, pin, resolve

__all__ = ["SignalDelivery", "Verdict", "judge"]

_log = logging.getLogger("coatcheck.signals")

_DEADLINE: Final = 5.0  # to find the host, and again for each event; both together are shorter than the lease
_MOST_READ: Final = 16_384  # octets of an answer
_LOOK: Final = 0.25
_LOOK_FOR_STREAMS: Final = 1.0
_EXPIRE_EVERY: Final = 60.0
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)

_DELIVERED: Final = 202
_REFUSED: Final = 400
# What a receiver says of itself rather than of the event: it may know the key, or let us in, a moment later.
_MENDABLE: Final = frozenset({"invalid_key", "authentication_failed", "access_denied"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer to a push means.

    Attributes:
        delivered: Whether the receiver has the event.
        refusal: Why it will never take it; ``None`` if it may, later.
        retry_after: For how many seconds it asked to be left alone.
        words: The same for the log.
    """

    delivered: bool = False
    refusal: Refusal | None = None
    retry_after: float = 0.0
    words: str = ""


def judge(status: int, headers: httpx.Headers, body: bytes) -> Verdict:
    """Return what an answer means (RFC 8935 sections 2.2 to 2.4).

    Only 202 says that the receiver has the event. Only 400 with an error code says that it does not want it; and what
    that code blames on the receiver's own keys or permissions may pass. Everything else is tried again.
    """
    if status == _DELIVERED:
        return Verdict(delivered=True)
    after = headers.get("retry-after", "")
    retry_after = float(after) if _SECONDS.fullmatch(after) else 0.0
    words = f"it answered {status}"
    if status == _REFUSED:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            refusal = msgspec.json.decode(body, type=Refusal)
            if refusal.err not in _MENDABLE:
                return Verdict(refusal=refusal)
            words += f" {refusal.err}"
    return Verdict(retry_after=retry_after, words=words)


class SignalDelivery:
    """Pushes what is queued. One in each process; ``run`` is its task."""

    def __init__(
        self,
        pushing: SignalPushing,
        storage: Storage,
        bell: Bell,
        *,
        development: bool,
        resolver: Resolver = resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Take what hands events out.

        Args:
            pushing: It.
            storage: Where they are.
            bell: Rings when there are new ones.
            development: Whether events may go to this machine, and without https.
            resolver: Finds a host's addresses.
            trust: The certificates that are trusted; by default those of ``httpx``, or of ``SSL_CERT_FILE``.
        """
        self._pushing = pushing
        self._storage = storage
        self._bell = bell
        self._development = development
        self._resolve = resolver
        self._trust = trust
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Push until cancelled. Whatever goes wrong with a stream, or the storage, this goes on."""
        loop = asyncio.get_running_loop()
        expire_at = loop.time()
        try:
            while True:
                version = None
                try:
                    if loop.time() >= expire_at:
                        await self._pushing.expire()
                        expire_at = loop.time() + _EXPIRE_EVERY
                    version = self._storage.version()
                    await self._start_due()
                    anybody = self._tasks or await self._has_receivers()
                except (
                    CoatcheckError
                ) as error:  # a busy storage, most likely: they will be pushed a moment later
                    _log.warning("pushing was put off: %s [%s]", error.message, error.code)
                    anybody = False
                if anybody and version is not None and not self._bell.is_closed:
                    await self._bell.wait(version, timeout=_LOOK)
                else:
                    await asyncio.sleep(_LOOK_FOR_STREAMS)
        finally:
            await self._stop()

    async def _has_receivers(self) -> bool:
        streams = await self._storage.records.list_open_streams()
        return any(stream.method == "push" for stream in streams)

    async def _start_due(self) -> None:
        while (stream := await self._pushing.claim()) is not None:
            task = asyncio.create_task(self._deliver(stream), name="coatcheck signals push")
            # Its lease has run out if it is here again: what still hangs there has lost the stream.
            if (before := self._tasks.pop(stream.id, None)) is not None:
                before.cancel()
            self._tasks[stream.id] = task
            task.add_done_callback(lambda done, name=stream.id: self._forget(name, done))  # type: ignore[misc] # PEP 484 knows no default of a lambda

    def _forget(self, stream_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(stream_id) is task:
            del self._tasks[stream_id]

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, stream: Stream) -> None:
        """Push what waits in a stream, until nothing does or its receiver cannot take it."""
        held: Stream | None = stream
        try:
            # A client for each stream: connections are made to addresses, which several hosts may share.
            async with self._client() as client:
                addresses: Sequence[Address] = ()
                while held is not None and (outgoing := await self._pushing.next(held)) is not None:
                    held = outgoing.stream
                    endpoint = parse_endpoint(outgoing.endpoint, development=self._development)
                    addresses = addresses or await self._addresses(endpoint)
                    verdict = await _push(client, outgoing, endpoint, addresses=addresses)
                    if not verdict.delivered and verdict.refusal is None:
                        await self._put_off(held, verdict.words, at_least=verdict.retry_after)
                        return
                    held = await self._pushing.settle(outgoing, refusal=verdict.refusal)
        except asyncio.CancelledError:
            if held is not None:
                await self._pushing.release(held)
            raise
        except Exception as error:  # noqa: BLE001 - the other streams, and the next attempt, must not depend on it
            if held is not None:
                await self._put_off(held, _in_words(error))

    async def _put_off(self, stream: Stream, words: str, *, at_least: float = 0.0) -> None:
        try:
            pause = await self._pushing.postpone(stream, at_least=at_least)
        except CoatcheckError as error:  # it will be claimed again when this process's claim has run out
            words, pause = error.message, 0.0
        _log.warning("stream %s: an event was not delivered: %s; again in %.1f s", stream.id, words, pause)

    def _client(self) -> httpx.AsyncClient:
        if self._trust is None:
            self._trust = httpx.create_ssl_context()
        return make_client(self._trust, deadline=_DEADLINE)

    async def _addresses(self, endpoint: Endpoint) -> Sequence[Address]:
        async with asyncio.timeout(_DEADLINE):
            return await checked_addresses(endpoint, resolver=self._resolve, development=self._development)


async def _push(
    client: httpx.AsyncClient, outgoing: Outgoing, endpoint: Endpoint, *, addresses: Sequence[Address]
) -> Verdict:
    """Send one event to the first of these addresses that can be connected to."""
    *others, last = addresses
    async with asyncio.timeout(_DEADLINE):
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await _push_to(client, outgoing, endpoint, address=address)
        return await _push_to(client, outgoing, endpoint, address=last)


async def _push_to(
    client: httpx.AsyncClient, outgoing: Outgoing, endpoint: Endpoint, *, address: Address
) -> Verdict:
    """Send one event to one address (RFC 8935 section 2.1).

    The connection is made to the address that was looked at; the certificate is that of the name.
    """
    headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
    if outgoing.authorization is not None:
        headers["Authorization"] = outgoing.authorization
    pinned = pin(endpoint, address, headers)
    async with client.stream(
        "POST",
        pinned.url,
        content=outgoing.token.encode("ascii"),
        headers=pinned.headers,
        extensions=pinned.extensions,
    ) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _MOST_READ:
                break
        return judge(response.status_code, response.headers, bytes(body[:_MOST_READ]))


def _in_words(error: Exception) -> str:
    """Return what went wrong. Words that are not ours may quote what nobody should read in a log."""
    if isinstance(error, SealError):
        return "its Authorization was sealed under another secret"
    return error.message if isinstance(error, CoatcheckError) else type(error).__name__
