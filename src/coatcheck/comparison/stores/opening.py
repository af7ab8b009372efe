"""From what the user names to a store that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...storage.server_addresses import check_postgres_url, check_redis_url
from ..errors import StoreError
from .base import Kind, Store
from .memory import MemoryStore
from .sqlite import SQLiteStore

__all__ = ["kind_of", "open_store", "shown_store"]

_POSTGRESQL = ("postgresql://", "postgres://")
_REDIS = ("redis://", "rediss://")
_POSTGRES_REMEDY = 'pip install "coatcheck[postgres]"'
_REDIS_REMEDY = 'pip install "coatcheck[redis]"'


def kind_of(named: str) -> Kind:
    """Return what kind of store is named.

    Args:
        named: ``memory``, ``sqlite``, or the address of a PostgreSQL or a Redis.

    Raises:
        StoreError: If it is none of these. The text is not repeated: it may hold a password.
    """
    if named in {"memory", "sqlite"}:
        return "memory" if named == "memory" else "sqlite"
    try:
        if named.startswith(_POSTGRESQL):
            check_postgres_url(named)
            return "postgresql"
        if named.startswith(_REDIS):
            check_redis_url(named)
            return "redis"
    except ValueError as error:
        raise StoreError(f"The address of the store cannot be used: {error}") from None
    raise StoreError(
        "A store is 'memory', 'sqlite', or an address that begins with postgresql:// or redis:// (rediss:// for TLS)."
    )


def shown_store(named: str) -> str:
    """Return what was named, without a password or anything else that an address may hide.

    Raises:
        StoreError: If it is no store.
    """
    kind = kind_of(named)
    if kind in {"memory", "sqlite"}:
        return named
    if kind == "postgresql":
        with _needing("psycopg", _POSTGRES_REMEDY):
            from ...storage.postgres.addresses import shown  # noqa: PLC0415 - needs psycopg
    else:
        with _needing("redis", _REDIS_REMEDY):
            from ...storage.redis.addresses import shown  # noqa: PLC0415 - needs redis
    return shown(named)


def open_store(named: str) -> Store:
    """Return a store, having looked whether it answers.

    Raises:
        StoreError: If it does not, or if its driver is not installed.
    """
    kind = kind_of(named)
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        return SQLiteStore()
    if kind == "postgresql":
        with _needing("psycopg", _POSTGRES_REMEDY):
            from .postgresql import PostgreSQLStore  # noqa: PLC0415 - needs psycopg
        return PostgreSQLStore(named)
    with _needing("redis", _REDIS_REMEDY):
        from .redis import RedisStore  # noqa: PLC0415 - needs redis
    return RedisStore(named)


@contextmanager
def _needing(package: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        # A module of our own that is missing is a fault and must be seen.
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise StoreError(f"To measure this store the package {package!r} is needed: {remedy}") from None
    except ImportError as error:
        # psycopg is there, and the library that it needs is not.
        raise StoreError(f"The package {package!r} cannot be loaded: {remedy}", detail=str(error)) from None
