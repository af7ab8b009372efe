"""The values of the flows: what they return, and the records that belong to no single domain."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..accounts.errors import ImportRefusedError
from ..accounts.model import User
from ..identity import Client
from ..sessions.model import Session

__all__ = [
    "Device",
    "ImportReport",
    "PendingSignUp",
    "QueuedMail",
    "SignedIn",
    "StoredKey",
    "TokenResponse",
]


class QueuedMail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that waits to be sent.

    Attributes:
        id: Its identifier, in the order of time.
        sealed: The message, encrypted: it holds links that work.
        created_at: When it was queued.
        due_at: When to try (again).
        attempts: How often it was tried in vain.
    """

    id: str
    sealed: bytes
    created_at: float
    due_at: float
    attempts: int = 0


class StoredKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A key of the server.

    Attributes:
        kid: Its identifier, public.
        use: What it is for: ``access-token``.
        sealed: The private key, encrypted.
        created_at: When it was made.
    """

    kid: str
    use: str
    sealed: bytes
    created_at: float


class TokenResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What a client that carries tokens gets (RFC 6749 section 5.1).

    Attributes:
        access_token: A JWT (RFC 9068).
        token_type: How it is sent (RFC 6750).
        expires_in: For how many seconds it is good.
        refresh_token: What the next ones are got with, once.
        scope: What it may do, space-delimited.
    """

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, no secret
    expires_in: int
    refresh_token: str
    scope: str

    def __repr__(self) -> str:
        return f"<TokenResponse expires_in={self.expires_in}>"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in or a re-authentication comes to.

    Attributes:
        user: Who.
        session: The session.
        secret: What the session cookie carries; ``None`` where tokens do.
        tokens: The tokens; ``None`` where a cookie does.
        device: What the cookie carries by which this device is known again.
    """

    user: User
    session: Session
    secret: str | None
    tokens: TokenResponse | None
    device: str

    def __repr__(self) -> str:
        return f"<SignedIn {self.session.kind} session {self.session.id}>"


class PendingSignUp(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-up whose link was opened.

    Attributes:
        email: The address that it will be for.
        needs_password: Whether the password must be typed, because another browser asked for the link.
    """

    email: str
    needs_password: bool


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A session, as its owner is shown it. Times are seconds since 1970.

    Attributes:
        session_id: Its identifier.
        kind: Whether a browser's cookie carries it, or tokens.
        client: What the sign-in showed of itself.
        created_at: When it began.
        authenticated_at: When the user last proved who they are.
        last_seen_at: When it was last used, roughly.
        ends_at: When it ends if it is not used again.
        methods: How the user signed in (``amr``).
        is_current: Whether it is the one that is asking.
    """

    session_id: str
    kind: Literal["browser", "tokens"]
    client: Client
    created_at: float
    authenticated_at: float
    last_seen_at: float
    ends_at: float
    methods: tuple[str, ...]
    is_current: bool


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an import.

    Attributes:
        added: How many users are new.
        present: How many were there already, and are as they were.
        refused: The rows that are not users, and why.
    """

    added: int
    present: int
    refused: tuple[ImportRefusedError, ...]
