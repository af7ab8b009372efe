"""Every error that ``coatcheck.storage`` raises. No error of a driver escapes it.

::

    CoatcheckError
    └─ StorageError
       ├─ StorageOpenError            the storage cannot be opened; ``path`` says which
       │  ├─ StorageAccessError       the file or its directory is not there, or may not be written
       │  ├─ NotADatabaseError        the file is something else than an SQLite database
       │  ├─ ForeignDatabaseError     the database belongs to another application
       │  ├─ HalfMovedError           records are being moved into the database, and not all are there
       │  └─ SchemaTooNewError        the database was written by a newer release
       ├─ DamagedDatabaseError        the file is corrupt
       ├─ StorageBusyError            another process writes, for too long; ``retry_after`` seconds
       │  └─ StorageUnreachableError  the database server is down, or cannot be reached
       ├─ StorageFailedError          the operating system refuses: disk full, input or output error
       ├─ RecordConflictError         a record that has to be new is not, or one that it belongs to is gone
       ├─ UnstorableTextError         a text holds a character that this kind of database cannot keep
       └─ StorageMisuseError          a mistake in the program that uses the storage
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = [
    "DamagedDatabaseError",
    "ForeignDatabaseError",
    "HalfMovedError",
    "NotADatabaseError",
    "RecordConflictError",
    "SchemaTooNewError",
    "StorageAccessError",
    "StorageBusyError",
    "StorageError",
    "StorageFailedError",
    "StorageMisuseError",
    "StorageOpenError",
    "StorageUnreachableError",
    "UnstorableTextError",
]


class StorageError(CoatcheckError):
    """Base of what storages refuse or cannot do."""

    code = "storage_error"


class StorageOpenError(StorageError):
    """The storage cannot be opened. Nothing of the file was changed.

    Attributes:
        path: Of the file, as it was given.
    """

    code = "storage_open"

    def __init__(self, message: str, *, path: str, detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.path = path


class StorageAccessError(StorageOpenError):
    """The file or its directory does not exist, or this process may not write there."""

    code = "storage_access"


class NotADatabaseError(StorageOpenError):
    """The file is something else than an SQLite database."""

    code = "not_a_database"


class ForeignDatabaseError(StorageOpenError):
    """The database belongs to another application."""

    code = "foreign_database"


class HalfMovedError(StorageOpenError):
    """Records are being moved into the database, and not all of them are there yet."""

    code = "half_moved"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            f"Records are being moved into {path}, and that is not finished. Run the same 'coatcheck migrate' again: "
            "it goes on where it was.",
            path=path,
        )


class SchemaTooNewError(StorageOpenError):
    """The database was written by a newer release than this one.

    Attributes:
        found: The number of the database's schema.
        supported: The newest that this release knows.
    """

    code = "schema_too_new"

    def __init__(self, *, path: str, found: int, supported: int) -> None:
        super().__init__(
            f"The database {path} has schema {found}, and this release knows only up to {supported}. "
            "Install the newer release again, or use another file.",
            path=path,
        )
        self.found = found
        self.supported = supported


class DamagedDatabaseError(StorageError):
    """The database file is corrupt. Restore it from a backup."""

    code = "damaged_database"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The database is damaged.", detail=detail)


class StorageBusyError(StorageError):
    """Another process holds the right to write for longer than was waited.

    Attributes:
        retry_after: After how many seconds it makes sense to try again.
    """

    code = "storage_busy"

    def __init__(self, *, retry_after: float, detail: str | None = None) -> None:
        super().__init__("The server is busy. Please try again in a moment.", detail=detail)
        self.retry_after = retry_after


class StorageUnreachableError(StorageBusyError):
    """The database server is down, or cannot be reached. What was being committed at that moment may be committed.

    Attributes:
        retry_after: After how many seconds to try again.
    """

    code = "storage_unreachable"


class StorageFailedError(StorageError):
    """The operating system refuses to read or write: the disk is full or broken.

    Attributes:
        retry_after: After how many seconds to try again.
    """

    code = "storage_failed"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The storage does not work at the moment.", detail=detail)
        self.retry_after: float = 5.0


class RecordConflictError(StorageError):
    """A record that has to be new is there already, or one that it belongs to is not. Nothing was written."""

    code = "record_conflict"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The record contradicts what is stored.", detail=detail)


class UnstorableTextError(StorageError):
    """A text holds a NUL, which PostgreSQL cannot keep. Nothing was written."""

    code = "unstorable_text"

    def __init__(self) -> None:
        super().__init__("A text holds a character that cannot be kept.")


class StorageMisuseError(StorageError):
    """A mistake in the program: a transaction within a transaction, or the use of what has ended."""

    code = "storage_misuse"
