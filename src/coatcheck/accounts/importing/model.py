"""What comes out of an import."""

from __future__ import annotations

import msgspec

__all__ = ["ImportedUser"]


class ImportedUser(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of an import that can become a user.

    Attributes:
        row: Its number, from 1. The header of a CSV file is not counted.
        email: The address.
        key: The address as it is compared. No other row has it.
        password_hash: A hash that can be verified. ``None`` for one who had no password and, unless the reader was
            told to keep it, for one whose address was never verified: whoever signed up with the address of another
            would keep the way in. Both set a password through a reset link.
        email_verified: Whether the other system says that the address was verified. If it says nothing, it was.
        scopes: What the user may do.
        created_at: When the account was made, if that is known; in seconds since 1970.
        disabled: Whether it may not be used.
    """

    row: int
    email: str
    key: str
    password_hash: str | None
    email_verified: bool = True
    scopes: frozenset[str] = frozenset()
    created_at: float | None = None
    disabled: bool = False

    def __repr__(self) -> str:
        return f"<ImportedUser of row {self.row}>"
