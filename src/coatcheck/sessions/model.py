"""The records: a session, and the refresh tokens that belong to it. Times are seconds since 1970."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..identity import FIRST_PARTY, Client

__all__ = ["RefreshToken", "Session"]


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One sign-in. It exists while it may be used: to end a session is to delete its record.

    Attributes:
        id: Its public identifier, ``sid`` in tokens: 128 random bits, base64url.
        user_id: Whose it is.
        digest: SHA-256 of the secret in the cookie; ``None`` for one that holds tokens only.
        profile: The name of the profile whose limits it was made under.
        created_at: When the user signed in.
        authenticated_at: When they last proved who they are: then, or at a re-authentication.
        methods: How (``amr``, RFC 8176).
        last_seen_at: When it was last used, coarsely: written at most once per interval.
        idle_timeout: After how many seconds without use it ends.
        expires_at: When it ends in any case.
        client: What the sign-in request showed of itself.
        scope: What it was asked for, space-delimited; ``None`` for all that the user may.
        binding: SHA-256 of what it is bound to, where binding is switched on.
        client_id: The client whose tokens come from it; ``first-party`` for whoever signed in here themselves.
        parent_id: The session in which the user granted it to that client, and with which it ends; ``None`` if it
            stands for itself.
        data: What the application attached, as JSON.
        data_revision: Counts the changes of ``data``.
    """

    id: str
    user_id: str
    digest: bytes | None
    profile: str
    created_at: float
    authenticated_at: float
    methods: tuple[str, ...]
    last_seen_at: float
    idle_timeout: float
    expires_at: float
    client: Client
    scope: str | None = None
    binding: bytes | None = None
    client_id: str = FIRST_PARTY
    parent_id: str | None = None
    data: bytes = b"{}"
    data_revision: int = 0

    def __repr__(self) -> str:
        return f"<Session {self.id}>"

    @property
    def kind(self) -> Literal["browser", "tokens"]:
        """Whether a cookie carries it, or tokens."""
        return "tokens" if self.digest is None else "browser"

    @property
    def ends_at(self) -> float:
        """When it ends if it is not used again."""
        return min(self.expires_at, self.last_seen_at + self.idle_timeout)


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One link in the chain of a session's refresh tokens.

    Attributes:
        digest: SHA-256 of the token.
        session_id: The session that it belongs to, and with which it goes.
        client: SHA-256 of what identifies the client that it was given to.
        created_at: When it was issued.
        expires_at: When it can no longer be used, if it is not used before.
        rotated_at: When it was exchanged for its successor; ``None`` while it is the newest.
        sealed_successor: The successor, encrypted under a key that only this token yields; kept so that the same
            answer can be given again for a moment.
    """

    digest: bytes
    session_id: str
    client: bytes
    created_at: float
    expires_at: float
    rotated_at: float | None = None
    sealed_successor: bytes | None = None

    def __repr__(self) -> str:
        return f"<RefreshToken of session {self.session_id}>"
