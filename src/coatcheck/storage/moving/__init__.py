"""Moving all records from one storage to another: from a file to PostgreSQL, back, or to another of the same kind.

The tables are read off the schema, so that none can be forgotten. Rows go over as they are, with their numbers and
marks: sessions go on, and so do services that follow the ledger.
"""

from __future__ import annotations

from .errors import (
    DriverMissingError,
    InconsistentSourceError,
    MoveError,
    MoveNotVerifiedError,
    OtherMoveError,
    SameStorageError,
    SchemaMismatchError,
    SchemaTooOldError,
    TargetNotEmptyError,
    UnfitRecordError,
)
from .model import Digest, Problem, Progress, Report, Survey, TableReport
from .moves import address_shown, compare, is_url, move, read_keys, survey

__all__ = [
    "Digest",
    "DriverMissingError",
    "InconsistentSourceError",
    "MoveError",
    "MoveNotVerifiedError",
    "OtherMoveError",
    "Problem",
    "Progress",
    "Report",
    "SameStorageError",
    "SchemaMismatchError",
    "SchemaTooOldError",
    "Survey",
    "TableReport",
    "TargetNotEmptyError",
    "UnfitRecordError",
    "address_shown",
    "compare",
    "is_url",
    "move",
    "read_keys",
    "survey",
]
