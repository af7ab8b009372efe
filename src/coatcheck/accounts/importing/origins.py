"""What rows look like in the systems that people come from, brought to the same few fields.

The shape of a row says where it comes from, so nobody has to. Names are compared without case, ``_`` and ``-``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["FIREBASE_COLUMNS", "NotAUserError", "column_name", "common_fields", "known_columns"]

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]")

# The field and the names that it goes by; the first that has a value counts.
_NAMES: dict[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress"),
    "password_hash": ("passwordhash", "password", "hashedpassword", "encryptedpassword"),
    "salt": ("salt", "passwordsalt"),  # Firebase's, which stands beside the hash
    "scopes": ("scopes", "scope"),
    "email_verified": ("emailverified", "isverified"),
    "disabled": ("disabled", "blocked", "banned"),
    "active": ("active", "isactive", "enabled"),
    "created_at": ("createdat", "datejoined", "created"),
}
_KNOWN = {name for names in _NAMES.values() for name in names}

FIREBASE_COLUMNS = {
    0: "uid",
    1: "email",
    2: "emailverified",
    3: "passwordhash",
    4: "passwordsalt",
    23: "createdat",
    26: "disabled",
}
"""The columns of Firebase's CSV export (``auth:export`` of its command line), which has no header."""


class NotAUserError(ValueError):
    """The row is something else."""


def column_name(text: str) -> str:
    """Return a name as it is compared."""
    return _NOT_IN_NAMES.sub("", text.lower())


def known_columns(names: list[str]) -> bool:
    """Tell whether these are the names of columns, an e-mail address among them."""
    return any(name in _NAMES["email"] for name in names)


def common_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row under one name each. What is not there is missing.

    Raises:
        NotAUserError: If the row is about something else: Django's dumps hold all tables.
    """
    named = {column_name(name): value for name, value in _inner(row).items()}
    fields: dict[str, Any] = {}
    for field, names in _NAMES.items():
        present = [named[name] for name in names if name in named]
        if present:
            fields[field] = next((value for value in present if value is not None and value != ""), None)
    return fields


def _inner(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if "model" in row and isinstance(row.get("fields"), dict):
        return _django(row["fields"])
    if isinstance(row.get("accounts"), list):
        return _better_auth(row, row["accounts"])
    if isinstance(row.get("identifiers"), list) and not row.get("email"):
        return _auth0(row, row["identifiers"])
    return row


def _django(fields: dict[str, Any]) -> Mapping[str, Any]:
    """Take a record of ``dumpdata``, whichever model the project has for its users."""
    if "password" not in fields or "email" not in fields:
        raise NotAUserError
    return fields


def _better_auth(row: Mapping[str, Any], accounts: list[Any]) -> Mapping[str, Any]:
    """Take a user with its accounts: the one with the password is the provider ``credential``."""
    passwords = (
        account.get("password")
        for account in accounts
        if isinstance(account, dict) and account.get("providerId") == "credential"
    )
    return {**row, "password": next(passwords, None)}


def _auth0(row: Mapping[str, Any], identifiers: list[Any]) -> Mapping[str, Any]:
    """Take a user of Auth0 whose address stands among the identifiers only."""
    for identifier in identifiers:
        if isinstance(identifier, dict) and identifier.get("type") == "email":
            return {
                **row,
                "email": identifier.get("value"),
                "email_verified": identifier.get("verified"),
            }
    return row
