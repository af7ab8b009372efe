"""Checks of the caller's own arguments that several modules need."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from .errors import ConfigurationError

__all__ = ["names", "password_octets"]


def names(value: object, argument: str) -> frozenset[str]:
    """Return a collection of names. Raises ``ConfigurationError``, also for a string, which is one of letters."""
    if (
        isinstance(value, str)
        or not isinstance(value, Collection)
        or not all(isinstance(name, str) for name in value)
    ):
        raise ConfigurationError(f"'{argument}' must be a collection of names.")
    return frozenset(value)


def password_octets(password: object) -> bytes:
    """Take a password as text (UTF-8) or bytes. Raises ``ConfigurationError`` for anything else."""
    if isinstance(password, str):
        with suppress(UnicodeEncodeError):
            return password.encode("utf-8")
        # Raised out here, so that the foreign error, which holds the password, is not its context.
        raise ConfigurationError("The password is not valid Unicode text.")
    if not isinstance(password, bytes):
        raise ConfigurationError("A password must be given as text or bytes.")
    return password
