"""Where a server is: as the driver is told, and as people are."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ..errors import StorageAccessError
from ..server_addresses import check_postgres_url

__all__ = ["address_of", "seconds_to_connect", "shown"]

# For each address, of which one name may have several: libpq knows no less. Whoever needs more can say so.
_SECONDS_TO_CONNECT: Final = 2
# A server that has gone, or a cable that was pulled, is noticed within seconds and not after hours.
_DEFAULTS: Final = {
    "application_name": "coatcheck",
    "connect_timeout": str(_SECONDS_TO_CONNECT),
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_HIDDEN: Final = "postgresql://…"


def address_of(url: str) -> str:
    """Return the address to connect to, with what it does not say itself.

    Args:
        url: ``postgresql://user:password@host:port/name``, or libpq's ``key=value`` form.

    Raises:
        StorageAccessError: If it is none, or if a part of a password would be taken for something else.
    """
    parts = _parts(url)
    if parts is None:
        raise StorageAccessError(
            "The address of the database is none: it must be postgresql://user:password@host:port/name, where"
            " / @ ? and % in a password are written %2F %40 %3F %25, and what stands behind ? is known to libpq.",
            path=_HIDDEN,
        )
    return make_conninfo(**(_DEFAULTS | parts))  # a None is left out


def seconds_to_connect(address: str, *, patience: float) -> float:
    """Return how many seconds to wait for a connection: of several servers, all that are silent may come first."""
    parts = conninfo_to_dict(address)
    hosts = max(len(_listed(parts, "host")), len(_listed(parts, "hostaddr")))
    return max(patience, float(parts.get("connect_timeout") or 0) * hosts + 1)


def shown(url: str) -> str:
    """Return an address without its password, for messages."""
    parts = _parts(url)
    if parts is None:
        return _HIDDEN
    hosts, ports = _listed(parts, "host"), _listed(parts, "port")
    if len(ports) == 1:
        ports *= len(hosts)
    ports += [""] * (len(hosts) - len(ports))
    where = ",".join(map(_place, hosts, ports))
    user = f"{parts['user']}@" if parts.get("user") else ""
    return f"postgresql://{user}{where}/{parts.get('dbname') or ''}"


def _place(host: str, port: str) -> str:
    return f"{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def _listed(parts: dict[str, Any], name: str) -> list[str]:
    return str(parts.get(name) or "").split(",")


def _parts(url: str) -> dict[str, Any] | None:
    """Return what libpq understands, or ``None`` if that cannot be what was meant."""
    try:
        if url.startswith(("postgresql://", "postgres://")):
            check_postgres_url(url)
        parts = conninfo_to_dict(url)
    except (ValueError, psycopg.ProgrammingError):
        return None
    if not all(port.isdecimal() or not port for port in _listed(parts, "port")):
        return None
    try:
        seconds = int(parts.get("connect_timeout") or 0)
    except ValueError:
        return None
    return parts if seconds >= 0 else None
