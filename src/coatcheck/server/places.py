"""So many at once, and fewer of them for one network: whoever answers slowly keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ..flows.signal_endpoints import Address

__all__ = ["Places"]

# What somebody is given who asks for addresses of their own.
_PREFIXES: Final = {4: 24, 6: 48}


class Places:
    """Places for connections to addresses that strangers name.

    Args:
        most: How many there are.
        each: How many of them one network may have: an IPv4 /24 or an IPv6 /48.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self._each = each
        self._all = asyncio.Semaphore(most)
        self._networks: dict[str, _Network] = {}

    @asynccontextmanager
    async def taken(self, address: Address) -> AsyncIterator[None]:
        """Hold a place for a connection to an address. Waits for its own network's first, and then for one of all."""
        name = str(ipaddress.ip_network((address, _PREFIXES[address.version]), strict=False))
        network = self._networks.setdefault(name, _Network(self._each))
        network.users += 1
        try:
            async with network.places, self._all:
                yield
        finally:
            network.users -= 1
            if not network.users:
                del self._networks[name]


class _Network:
    def __init__(self, most: int) -> None:
        self.places = asyncio.Semaphore(most)
        self.users = 0
