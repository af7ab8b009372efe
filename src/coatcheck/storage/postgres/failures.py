"""What the driver raises, as errors of ours. No text that a server sends is shown to users; values are in none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from ..errors import (
    DamagedDatabaseError,
    RecordConflictError,
    StorageBusyError,
    StorageError,
    StorageFailedError,
    StorageMisuseError,
    StorageUnreachableError,
)

__all__ = ["failure_of", "is_lost", "is_refused", "our_failures", "shown"]

_RETRY_AFTER: Final = 1.0
_PASSING: Final = ("starting up", "shutting down", "recovery", "not yet accepting", "terminating connection")
_BUSY: Final = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
    errors.TooManyConnections,
)
_DAMAGED: Final = (errors.DataCorrupted, errors.IndexCorrupted)
_MISUSES: Final = (
    (psycopg.DataError, "The storage cannot hold a value of that type."),
    (psycopg.ProgrammingError, "The database refuses a statement."),
    (psycopg.NotSupportedError, "The database refuses a statement."),
)


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether the connection is gone: the server was stopped, say, or cannot be reached."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    if error.sqlstate is not None:
        return error.sqlstate.startswith(("08", "57P", "25P03", "25P04"))
    return not is_refused(error)


def is_refused(error: psycopg.Error) -> bool:
    """Tell whether the server refused a connection for good: an unknown user, say, or no such database.

    The driver has no code for it. A server that answers says ``FATAL``, in every language that it speaks.
    """
    text = str(error)
    return "FATAL:" in text and not any(words in text for words in _PASSING)


def failure_of(error: psycopg.Error) -> StorageError:
    """Return the error to raise instead of one of the driver's."""
    detail = _detail(error)
    if isinstance(error, errors.IntegrityError):
        return RecordConflictError(detail=detail)
    if isinstance(error, _BUSY):
        return StorageBusyError(retry_after=_RETRY_AFTER, detail=detail)
    if is_lost(error):
        return StorageUnreachableError(retry_after=_RETRY_AFTER, detail=detail)
    if isinstance(error, _DAMAGED):
        return DamagedDatabaseError(detail=detail)
    for kind, message in _MISUSES:
        if isinstance(error, kind):
            return StorageMisuseError(message, detail=detail)
    return StorageFailedError(detail=detail)


def _detail(error: psycopg.Error) -> str:
    # The first line alone: those behind it ("DETAIL: Key (email)=(…) already exists") repeat values.
    primary = error.diag.message_primary or (str(error).splitlines() or [type(error).__name__])[0]
    return f"{error.sqlstate or type(error).__name__}: {primary}"


@contextmanager
def our_failures() -> Iterator[None]:
    """Let no error of the driver out of a block."""
    try:
        yield
    except psycopg.Error as error:
        raise failure_of(error) from error


def shown(url: str) -> str:
    """Return an address without its password, for messages."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "postgresql://…"
    host, port = parts.get("host") or "", parts.get("port")
    user = f"{parts['user']}@" if parts.get("user") else ""
    return f"postgresql://{user}{host}{f':{port}' if port else ''}/{parts.get('dbname') or ''}"
