"""The records: a user, a one-use link, and a limit's state. Times are seconds since 1970."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Link", "LinkPurpose", "User"]


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person who may sign in.

    Attributes:
        id: A stable identifier: 128 random bits, base64url. Never reused.
        email: The address in the spelling that was given, normalised to NFC.
        email_key: The address as it is compared: one for all spellings that reach the same mailbox.
        password_hash: In PHC or another known form; ``None`` for one who cannot sign in by password.
        scopes: What the user may do.
        created_at: When the account was made.
        password_changed_at: When its password was last set.
        disabled_at: When it was deactivated; ``None`` while it is active.
    """

    id: str
    email: str
    email_key: str
    password_hash: str | None
    scopes: frozenset[str] = frozenset()
    created_at: float
    password_changed_at: float
    disabled_at: float | None = None

    def __repr__(self) -> str:
        return f"<User {self.id}>"


class LinkPurpose(StrEnum):
    """What a one-use link is for. A link for one thing is no use for another."""

    SIGN_UP = "sign-up"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose, no password
    CHANGE_EMAIL = "change-email"


class Link(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A link that was mailed to somebody and works once.

    Attributes:
        digest: SHA-256 of the secret in the link.
        purpose: What it is for.
        email: The address that it was sent to, in the spelling given.
        email_key: The same as it is compared.
        user_id: Whose account it concerns; ``None`` for a sign-up, where there is none yet.
        password_hash: For a sign-up, the password that was chosen.
        binding: SHA-256 of what the browser that asked for the link holds; ``None`` if it holds nothing.
        created_at: When it was made.
        expires_at: When it stops working.
    """

    digest: bytes
    purpose: LinkPurpose
    email: str
    email_key: str
    user_id: str | None = None
    password_hash: str | None = None
    binding: bytes | None = None
    created_at: float
    expires_at: float

    def __repr__(self) -> str:
        return f"<Link {self.purpose.value}>"
