"""What a session can be bound to, beside its secret. ``SessionPolicy.binding`` tells what that is good for."""

from __future__ import annotations

import ipaddress

from .._core.secrets import digest, equal
from ..identity import Client
from .model import Session
from .policy import SessionPolicy

__all__ = ["binding_of", "is_bound_elsewhere"]

_NETWORK_BITS = {4: 24, 6: 56}


def binding_of(client: Client, policy: SessionPolicy) -> bytes | None:
    """Return what a new session of this client is bound to; ``None`` where binding is off."""
    if policy.binding == "off":
        return None
    return digest(f"{policy.binding}\n{_characteristic(client, policy)}")


def is_bound_elsewhere(session: Session, client: Client, policy: SessionPolicy) -> bool:
    """Tell whether a session was bound to another client than the one that presents it."""
    # A session that was made before binding was switched on is not bound.
    if session.binding is None or policy.binding == "off":
        return False
    return not equal(session.binding, binding_of(client, policy) or b"")


def _characteristic(client: Client, policy: SessionPolicy) -> str:
    if policy.binding == "user-agent":
        # Version numbers change with every update: what remains is the browser and the system.
        return "".join(letter for letter in client.user_agent if not letter.isdigit())
    try:
        address = ipaddress.ip_address(client.address)
    except ValueError:
        return ""  # no address: a socket of the same machine
    # An IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2) is the same place, and not that of all others.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((int(address), _NETWORK_BITS[address.version]), strict=False))
