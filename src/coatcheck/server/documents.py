"""Fetching documents that clients name: the one way by which a stranger has this server connect to somewhere.

What is asked for is a small JSON document, by GET, from a public address, in a few seconds, and nothing else is taken
for one. Whoever named it is told nothing but that it cannot be had, so that no network can be mapped by it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Collection, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from ..flows.signal_endpoints import Address, Endpoint, parse_endpoint
from ..flows.signal_errors import InvalidStreamError
from ..oauth.documents import Document, DocumentError
from .outbound import BlockedAddressError, Resolver, checked_addresses, make_client, pin, resolve
from .places import Places

__all__ = ["Documents", "fresh_for"]

_DEADLINE: Final = 5.0  # seconds, over all: name, connection and answer
_LARGEST: Final = 65_536
_AT_ONCE: Final = 64
_OF_ONE_NETWORK: Final = 4
_OK: Final = 200
_ANY_JSON: Final = "application/*+json"
_MAX_AGE: Final = re.compile(r"max-age=\"?([0-9]{1,9})\"?", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class Documents:
    """Fetches documents. Satisfies ``oauth.ports.DocumentFetcher``."""

    def __init__(
        self, *, development: bool, resolver: Resolver = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        """Take how.

        Args:
            development: Whether documents may be on this machine, and without https.
            resolver: Finds a host's addresses.
            trust: The certificates that are trusted; by default those of ``httpx``, or of ``SSL_CERT_FILE``.
        """
        self._development = development
        self._resolve = resolver
        self._trust = trust
        self._places = Places(most=_AT_ONCE, each=_OF_ONE_NETWORK)

    async def fetch(self, url: str, *, accept: Collection[str] = ("application/json",)) -> bytes:
        """Return a document.

        Args:
            url: Where it is.
            accept: The media types that it may have; ``application/*+json`` stands for all of those.

        Raises:
            DocumentError: If it cannot be had.
        """
        return (await self.get(url, accept=accept)).body

    async def get(self, url: str, *, accept: Collection[str] = ("application/json",)) -> Document:
        """Return a document with how long it may be kept. As ``fetch`` in all else."""
        try:
            async with asyncio.timeout(_DEADLINE):
                endpoint = parse_endpoint(url, development=self._development)
                addresses = await checked_addresses(
                    endpoint, resolver=self._resolve, development=self._development
                )
                async with self._places.taken(addresses[0]):
                    return await self._from_any(endpoint, addresses, accept=accept)
        except DocumentError:
            raise
        except InvalidStreamError:
            raise DocumentError(detail="it is no URL that is asked for") from None
        except BlockedAddressError as error:
            raise DocumentError(detail=error.code) from None
        except (OSError, TimeoutError, UnicodeError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise DocumentError(detail=type(error).__name__) from None

    async def _from_any(
        self, endpoint: Endpoint, addresses: Sequence[Address], *, accept: Collection[str]
    ) -> Document:
        if self._trust is None:
            self._trust = httpx.create_ssl_context()
        async with make_client(self._trust, deadline=_DEADLINE) as client:
            *others, last = addresses
            for address in others:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _get(client, endpoint, address=address, accept=accept)
            return await _get(client, endpoint, address=last, accept=accept)


async def _get(
    client: httpx.AsyncClient, endpoint: Endpoint, *, address: Address, accept: Collection[str]
) -> Document:
    pinned = pin(endpoint, address, {"Accept": ", ".join(accept)})
    async with client.stream(
        "GET", pinned.url, headers=pinned.headers, extensions=pinned.extensions
    ) as response:
        _check_head(response, accept)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _LARGEST:
                raise DocumentError(detail=f"it has more than {_LARGEST} octets")
        return Document(body=bytes(body), fresh_for=fresh_for(response.headers))


def _check_head(response: httpx.Response, accept: Collection[str]) -> None:
    if response.status_code != _OK:  # a redirect could lead to where nothing was looked at
        raise DocumentError(detail=f"the answer is {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise DocumentError(detail="it is compressed")  # and nobody knows how large
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    structured = kind.startswith("application/") and kind.endswith("+json") and _ANY_JSON in accept
    if kind not in accept and not structured:
        raise DocumentError(detail="it is of another media type")
    length = response.headers.get("content-length", "0")
    if not _SECONDS.fullmatch(length) or int(length) > _LARGEST:
        raise DocumentError(detail=f"it has more than {_LARGEST} octets")


def fresh_for(headers: httpx.Headers) -> int | None:
    """Return for how many seconds an answer may be kept (RFC 9111 section 4.2); ``None`` if it does not say."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0
    if (found := _MAX_AGE.search(control)) is not None:
        age = headers.get("age", "0")
        return max(0, int(found[1]) - (int(age) if _SECONDS.fullmatch(age) else 0))
    if "expires" not in headers:
        return None
    try:
        until, since = (parsedate_to_datetime(headers.get(name, "")) for name in ("expires", "date"))
        return max(0, int((until - since).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return 0  # an invalid date is in the past (RFC 9111 section 5.3)
