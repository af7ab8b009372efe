"""Development mode answers to this machine only.

It has no https, prints mail to the terminal and shows it to everybody, links for new passwords included. A page on
another site cannot reach it through a name that resolves to 127.0.0.1 (DNS rebinding), because of the name; another
machine cannot, because of its address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.types import Scope

from .errors import MisdirectedRequestError, RemoteDevelopmentError

__all__ = ["check_local", "host_name"]

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
_TEST_CLIENT = "testclient"  # what Starlette's TestClient calls itself; on a network it is no address


def check_local(scope: Scope, further_hosts: Collection[str] = ()) -> None:
    """Check that a request comes from this machine, by a name of this machine.

    Args:
        scope: The request.
        further_hosts: More names to answer to, in lower case, without port.

    Raises:
        MisdirectedRequestError: If the name in ``Host`` is another, or there are several, or none.
        RemoteDevelopmentError: If the client's address is not a loopback address.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    name = host_name(hosts[0].decode("latin-1")) if len(hosts) == 1 else ""
    if name not in _LOCAL_NAMES and name not in further_hosts and not name.endswith(".localhost"):
        raise MisdirectedRequestError
    client = scope.get("client")  # None on a Unix socket, which is on this machine
    if client is not None and not _is_loopback(client[0]):
        raise RemoteDevelopmentError


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header in lower case, without port; an IPv6 address with its brackets."""
    name, bracket, _ = host.lower().partition("]")
    return name + bracket if bracket else name.partition(":")[0].removesuffix(".")


def _is_loopback(address: str) -> bool:
    if address in {"", _TEST_CLIENT}:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
