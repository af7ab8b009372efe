"""Where Redis is: as the driver is told, and as people are."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool

from ..errors import StorageOpenError
from ..server_addresses import check_redis_url

__all__ = ["check_address", "shown"]

_HIDDEN: Final = "redis://…"


def check_address(url: str) -> None:
    """Refuse an address that the driver could not use, before anything is opened or asked.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path``.

    Raises:
        StorageOpenError: If it cannot be used.
    """
    try:
        check_redis_url(url)
    except ValueError as error:
        raise StorageOpenError(f"The address of Redis cannot be used: {error}", path=_HIDDEN) from None
    try:
        BlockingConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call] # not connected yet
    except Exception:  # noqa: BLE001 - whatever the driver has against it; its text may repeat the password
        raise StorageOpenError(
            "The address of Redis cannot be used: the driver does not take its options.", path=shown(url)
        ) from None


def shown(url: str) -> str:
    """Return an address without its password and its parameters, for messages."""
    try:
        check_redis_url(url)
    except ValueError:  # then a part of the password may stand anywhere
        return _HIDDEN
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    user = f"{parts.username}@" if parts.username else ""
    inner = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{user}{inner}{f':{port}' if port else ''}{parts.path}"
