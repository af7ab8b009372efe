"""Connecting to where somebody else said: only to addresses that were looked at (ASVS 5.0, 1.3.6).

A name is resolved once. All that it resolves to is checked, and the connection is made to one of those addresses, with
the certificate of the name: a second answer of its name server (DNS rebinding) is never asked for. No proxy of the
environment is used, which would connect to what was not looked at, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import httpx
import msgspec

from ..errors import CoatcheckError
from ..flows.signal_endpoints import Address, Endpoint, may_connect

__all__ = ["BlockedAddressError", "Pinned", "Resolver", "checked_addresses", "make_client", "pin", "resolve"]

# Threads of its own: a stranger's name server may take its time, and the event loop's are for mail and the database.
_NAMES: Final = ThreadPoolExecutor(16, thread_name_prefix="coatcheck names")

Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a host. Raises ``OSError`` if it has none."""


class BlockedAddressError(CoatcheckError):
    """The host of an endpoint has an address that is not to be connected to."""

    code = "blocked_address"

    def __init__(self) -> None:
        super().__init__("The host of the endpoint has an address inside of a network.")


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """A request that goes to one address.

    Attributes:
        url: The URL with the address in place of the name.
        headers: ``Host``, and what is the same in all requests.
        extensions: What has the certificate be that of the name.
    """

    url: str
    headers: dict[str, str]
    extensions: dict[str, Any]


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a host, as the system knows them."""
    loop = asyncio.get_running_loop()
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_NAMES, ask)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


async def checked_addresses(
    endpoint: Endpoint, *, resolver: Resolver, development: bool
) -> Sequence[Address]:
    """Return the addresses of an endpoint's host, each once, if all of them may be connected to.

    Raises:
        BlockedAddressError: If one may not: who can answer with one address of many is told nothing by the others.
        OSError: If there is none.
    """
    found = list(dict.fromkeys(await resolver(endpoint.host, endpoint.port)))
    if not found or not all(may_connect(endpoint, each, development=development) for each in found):
        raise BlockedAddressError
    return found


def make_client(trust: ssl.SSLContext, *, deadline: float) -> httpx.AsyncClient:
    """Return a client for one host: connections are made to addresses, which several hosts may share."""
    return httpx.AsyncClient(
        verify=trust, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(deadline)
    )


def pin(endpoint: Endpoint, address: Address, headers: Mapping[str, str]) -> Pinned:
    """Return a request to an endpoint that goes to one of its addresses."""
    shown = f"[{address}]" if address.version == 6 else str(address)
    return Pinned(
        url=f"{endpoint.scheme}://{shown}:{endpoint.port}{endpoint.target}",
        headers={
            "Host": endpoint.netloc,
            "Accept-Encoding": "identity",
            "User-Agent": "coatcheck",
            **headers,
        },
        extensions={"sni_hostname": endpoint.host},
    )
