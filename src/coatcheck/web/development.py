"""Development mode answers to this machine only.

It has no https, prints mail to the terminal and shows it to everybody, links for new passwords included. A page on
another site cannot reach it through a name that resolves to 127.0.0.1 (DNS rebinding), because of the name; another
machine cannot, because of its address. A proxy on this machine that hands the world's requests on hides both; what it
or the browser tells of them gives it away.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from starlette.types import Scope

from .errors import MisdirectedRequestError, RemoteDevelopmentError

__all__ = ["check_local", "host_name"]

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
# What stands in a link: anything else, "localhost:80@evil.example" above all, leads elsewhere than its beginning says.
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_CLIENTS = frozenset({b"x-forwarded-for", b"x-real-ip", b"cf-connecting-ip"})
_TEST_CLIENT = "testclient"  # what Starlette's TestClient calls itself; on a network it is no address


def check_local(scope: Scope, further_hosts: Collection[str] = ()) -> None:
    """Check that a request comes from this machine, by a name of this machine.

    Args:
        scope: The request.
        further_hosts: More names to answer to, in lower case, without port.

    Raises:
        MisdirectedRequestError: If the name in ``Host`` is another, or there are several, or none.
        RemoteDevelopmentError: If the client's address is not a loopback address, or a proxy hands the request on for
            another machine under a name of this one.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    name = host_name(hosts[0].decode("latin-1")) if len(hosts) == 1 else ""
    if not _is_local(name, further_hosts):
        raise MisdirectedRequestError
    client = scope.get("client")  # None on a Unix socket, which is on this machine
    if client is not None and not _is_loopback(client[0]):
        raise RemoteDevelopmentError
    # A further host may be one that a proxy was put in front of on purpose.
    if name not in further_hosts and _is_handed_on(dict(scope["headers"]), further_hosts):
        raise RemoteDevelopmentError


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header in lower case, without port; an IPv6 address with its brackets.

    A text that is more than a host and a port (RFC 9110 section 7.2) has no name, and gives ``""``.
    """
    match = _HOST.fullmatch(host.lower())
    return "" if match is None else match[1].removesuffix(".")


def _is_local(name: str, further_hosts: Collection[str]) -> bool:
    return name in _LOCAL_NAMES or name in further_hosts or name.endswith(".localhost")


def _is_handed_on(headers: dict[bytes, bytes], further_hosts: Collection[str]) -> bool:
    """Tell whether the headers speak of another machine.

    Whoever attacks need not say so. It is for the one who deploys development by mistake, and is told at the first try.
    """
    clients = [each for name in _CLIENTS for each in headers.get(name, b"").decode("latin-1").split(",")]
    names = [headers[b"x-forwarded-host"]] if b"x-forwarded-host" in headers else []
    if headers.get(b"sec-fetch-site") == b"same-origin" and b"origin" in headers:
        names.append(headers[b"origin"].rpartition(b"/")[2])  # how the browser knows the site
    hosts = [host_name(name.decode("latin-1")) for name in names]
    return not all(_is_loopback(each.strip()) for each in clients) or not all(
        _is_local(host, further_hosts) for host in hosts
    )


def _is_loopback(address: str) -> bool:
    if address in {"", _TEST_CLIENT}:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
