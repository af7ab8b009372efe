"""What a request shows of the program and the place that it comes from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from starlette.types import Scope

from ..identity import Client

__all__ = ["Network", "address_of", "client_of", "is_from"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST_USER_AGENT = 256
_MOST_FORWARDED = 64  # proxies in a row: what stands further left is nobody's business
# Some proxies add the port that their client came from: 192.0.2.7:50000, or [2001:db8::7]:50000.
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


def client_of(scope: Scope, trusted_proxies: Sequence[Network]) -> Client:
    """Return what a request shows of its client. Proxies are believed as far as they are trusted.

    Args:
        scope: The request.
        trusted_proxies: Networks whose ``X-Forwarded-For`` is believed.
    """
    agent, forwarded = "", list[str]()
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value.decode("latin-1")
        elif name == b"x-forwarded-for":
            forwarded += value.decode("latin-1").split(",")
    peer = scope.get("client")
    address = _canonical(peer[0]) if peer else ""
    agent = agent[:_MOST_USER_AGENT]
    printable = agent if agent.isprintable() else "".join(filter(str.isprintable, agent))
    return Client(address=_behind_proxies(address, forwarded, trusted_proxies), user_agent=printable)


def address_of(scope: Scope, trusted_proxies: Sequence[Network]) -> str:
    """Return the address that ``client_of`` does, and nothing else."""
    peer = scope.get("client")
    if trusted_proxies:
        return client_of(scope, trusted_proxies).address
    return _canonical(peer[0]) if peer else ""


def is_from(scope: Scope, networks: tuple[Network, ...]) -> bool:
    """Tell whether the other end of a request's connection, whatever it says of others, is in one of the networks."""
    peer = scope.get("client")
    return peer is not None and _is_peer_within(peer[0], networks)


@lru_cache(maxsize=4096)
def _is_peer_within(address: str, networks: tuple[Network, ...]) -> bool:
    return _is_within(_canonical(address), networks)


@lru_cache(maxsize=4096)  # a busy client asks again and again
def _canonical(address: str) -> str:
    """Return an address in its one form; ``""`` for what is none."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _behind_proxies(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the first address from the right that is no trusted proxy. What stands left of it anybody can write."""
    address = peer
    for claimed in reversed(forwarded[-_MOST_FORWARDED:] if trusted else ()):
        if not _is_within(address, trusted):
            break
        client = _canonical(_without_port(claimed.strip()))
        # A proxy that does not know its client writes "unknown": then it is itself the last that is known. What stands
        # further left came with the request, and would be believed in the name of that proxy.
        if not client:
            break
        address = client
    return address


def _without_port(claimed: str) -> str:
    match = _WITH_PORT.fullmatch(claimed)
    return claimed if match is None else match[1] or match[2]


def _is_within(address: str, networks: Iterable[Network]) -> bool:
    return bool(address) and any(ipaddress.ip_address(address) in network for network in networks)
