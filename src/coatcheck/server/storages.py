"""Which storage the settings mean, and opening it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..storage.errors import StorageOpenError
from ..storage.sqlite import SQLiteStorage

if TYPE_CHECKING:
    from ..flows.ports import Storage
    from .settings_model import Settings

__all__ = ["is_server", "open_storage", "shown_database"]

_SCHEMES: Final = ("postgresql://", "postgres://")


def is_server(database: str) -> bool:
    """Tell whether a database is one of PostgreSQL, and not the file of SQLite."""
    return database.startswith(_SCHEMES)


def shown_database(database: str) -> str:
    """Return the name of a database for people: the path, or the address without its password."""
    if not is_server(database):
        return database
    with _needing("postgres"):
        from ..storage.postgres.addresses import shown
    return shown(database)


def open_storage(settings: Settings) -> Storage:
    """Open the storage that the settings name.

    Raises:
        StorageError: If it cannot be opened, or what it needs is not installed.
    """
    if settings.redis is None:
        return _open_database(settings)
    with _needing("redis"):
        from ..storage.redis import RedisStorage, check_address
    url = settings.redis.reveal()
    check_address(url)  # before there is a database that somebody would have to close
    return RedisStorage(_open_database(settings), url)


def _open_database(settings: Settings) -> Storage:
    if not is_server(settings.database):
        return SQLiteStorage(settings.database)
    with _needing("postgres"):
        from ..storage.postgres import PostgresStorage
    return PostgresStorage(settings.database, pool=settings.database_connections)


@contextmanager
def _needing(extra: str) -> Iterator[None]:
    """Say which extra is missing, if it is one of its modules that is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        # A module of our own that is missing is a fault and must be seen.
        if error.name is None or error.name.startswith("coatcheck"):
            raise
        raise StorageOpenError(
            f'This storage needs the extra "{extra}": pip install "coatcheck[{extra}]"', path=extra
        ) from None
