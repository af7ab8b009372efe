"""What the driver raises, as errors of ours. No text that a server sends is shown to users; values are in none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from ..errors import (
    DamagedDatabaseError,
    RecordConflictError,
    StorageBusyError,
    StorageError,
    StorageFailedError,
    StorageMisuseError,
    StorageUnreachableError,
)

__all__ = ["failure_of", "is_lost", "is_refused", "loses_all", "our_failures"]

_RETRY_AFTER: Final = 1.0
_PASSING: Final = (
    *("starting up", "shutting down", "recovery", "not yet accepting", "terminating connection"),
    *("too many clients", "too many connections", "remaining connection slots"),
)
_ONE: Final = ("25P03", "25P04")  # a transaction stood still for too long
# 25006: it has become a standby, or the address leads to another server now.
_LOST: Final = ("08", "57P", "25006", *_ONE)
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
    """Tell whether the connection is of no use any more: the server was stopped, say, or takes no changes."""
    if error.sqlstate is not None:
        return error.sqlstate.startswith(_LOST)
    return isinstance(error, psycopg.OperationalError) and not is_refused(error)


def loses_all(error: BaseException | None) -> bool:
    """Tell whether other connections are of no use either. One that the server ended for its idleness is alone."""
    if not isinstance(error, psycopg.Error) or not is_lost(error):
        return False
    return error.sqlstate is None or not error.sqlstate.startswith(_ONE)


def is_refused(error: psycopg.Error) -> bool:
    """Tell whether the server refused a connection for good: an unknown user, say, or no such database.

    The driver has no code for it. A server that answers says ``FATAL``. One that speaks another language than English
    may say something else, and is taken for one that is away: tried again, until patience ends.
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
