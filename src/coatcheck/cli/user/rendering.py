"""Users as they are shown, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...accounts.model import User

__all__ = ["as_record", "kind_of_hash", "state_of"]


def state_of(user: User) -> str:
    """Return whether the user can sign in, in one word."""
    if user.disabled_at is not None:
        return "disabled"
    return "active" if user.password_hash is not None else "no password"


def kind_of_hash(user: User) -> str | None:
    """Return the name of the function that the password was hashed with. The hash itself is never shown."""
    if user.password_hash is None:
        return None
    return user.password_hash.lstrip("$").partition("$")[0][:32]


def as_record(user: User) -> dict[str, Any]:
    """Return what programs are told of a user. Times are seconds since 1970."""
    return {
        "id": user.id,
        "email": user.email,
        "state": state_of(user),
        "scopes": sorted(user.scopes),
        "password_hash": kind_of_hash(user),
        "created_at": user.created_at,
        "password_changed_at": user.password_changed_at,
        "disabled_at": user.disabled_at,
    }
