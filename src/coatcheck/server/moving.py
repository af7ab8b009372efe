"""Moving all records to another storage, and whether the secret at hand fits the keys among them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..errors import CoatcheckError
from ..flows.errors import ServerKeyError
from ..flows.model import StoredKey
from ..storage.memory import MemoryStorage
from ..storage.moving import Progress, Report, Survey, TableReport, compare, is_url, move, read_keys, survey
from .errors import SettingsError
from .server import Server
from .settings import load_settings

__all__ = [
    "KeyState",
    "Progress",
    "Report",
    "Survey",
    "TableReport",
    "compare",
    "is_url",
    "move",
    "survey",
    "try_keys",
]

KeyState = Literal["none", "open", "closed", "unknown"]
"""Whether the signing keys in a storage open under the secret at hand; ``unknown`` if there is no secret at hand."""


async def try_keys(
    source: str, *, config: str | os.PathLike[str] | None = None, **arguments: Any
) -> KeyState:
    """Tell whether the secret that the settings name, or the one beside a development's file, opens the keys.

    Args:
        source: The path of an SQLite file, or the URL of a PostgreSQL database.
        config: As for ``load_settings``.
        arguments: As for ``load_settings``.

    Raises:
        StorageError: If the storage cannot be opened, or fails.
    """
    keys = [StoredKey(**fields) for fields in read_keys(source)]
    if not keys:
        return "none"
    try:
        settings = load_settings(config=config, **arguments)
    except SettingsError:
        return "unknown"
    if settings.secret is None:
        if not _has_secret(source):
            return "unknown"
        settings = msgspec.structs.replace(settings, database=source)
    storage = MemoryStorage()
    for key in keys:
        await storage.records.add_key(key)
    try:
        # A server that nobody asks, and that has nothing but these keys: it opens them as the one will that is to come.
        server = Server(settings, storage=storage)
    except CoatcheckError:
        return "unknown"
    try:
        await server.flows.context.access_tokens.key_set()
    except ServerKeyError:
        return "closed"
    finally:
        await server.close()
    return "open"


def _has_secret(database: str) -> bool:
    """Tell whether development has made a secret where it looks for that of a database: it would make one."""
    return Path(f"{'coatcheck' if is_url(database) else database}.secret").exists()
