"""What is wrong with a ledger that was read from elsewhere.

::

    CoatcheckError
    └─ RevocationError
       ├─ MalformedEntryError   a text is no entry, position or event of a ledger
       └─ BrokenOrderError      an event does not follow the one before: something was lost, repeated or swapped
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = ["BrokenOrderError", "MalformedEntryError", "RevocationError"]


class RevocationError(CoatcheckError):
    """Base of what is refused here."""

    code = "revocation_error"


class MalformedEntryError(RevocationError):
    """Something is not in the form of the ledger."""

    code = "malformed_entry"


class BrokenOrderError(RevocationError):
    """Something between two events is missing, or one came twice. A snapshot mends it."""

    code = "broken_order"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The events of the ledger do not follow each other.", detail=detail)
