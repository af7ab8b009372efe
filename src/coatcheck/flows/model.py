"""The values of the flows: what they return, and the records that belong to no single domain."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..accounts.errors import ImportRefusedError
from ..accounts.model import User
from ..identity import Client
from ..oauth.model import Grant
from ..sessions.model import RefreshToken, Session

__all__ = [
    "Device",
    "Family",
    "ImportReport",
    "PendingSignUp",
    "QueuedMail",
    "Service",
    "SignedIn",
    "Status",
    "StatusList",
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
        signs_from: From when on it signs. It is published before.
        verifies_until: Until when what it signed is trusted; ``None`` as long as it is not replaced.
        algorithm: What it signs by.
    """

    kid: str
    use: str
    sealed: bytes
    created_at: float
    signs_from: float = 0.0
    verifies_until: float | None = None
    algorithm: str = "ES256"


class Service(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A service that verifies what this server issues: a resource server, in the words of RFC 6749.

    Attributes:
        id: Its identifier.
        name: What it is called; unique.
        audience: The API that it stands for, the ``aud`` of its tokens; ``None`` for any.
        digest: SHA-256 of the key by which it shows who it is.
        created_at: When it was added.
    """

    id: str
    name: str
    audience: str | None
    digest: bytes
    created_at: float

    def __repr__(self) -> str:
        return f"<Service {self.name}>"


class StatusList(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A status list. Times are seconds since 1970.

    Attributes:
        id: Its identifier, public.
        size: How many places it has.
        given: How many of them were given to tokens, ever.
        closes_at: Until when it takes tokens.
        ends_at: When the last of its tokens expires.
    """

    id: str
    size: int
    given: int
    closes_at: float
    ends_at: float


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A token in its place in a status list.

    Attributes:
        list_id: The list.
        place: The place.
        jti: The token.
        sid: The session that it comes from.
        sub: The user that it stands for.
        client_id: The client that it was issued to.
        kid: The key that signs it.
        iat: When it was issued.
        exp: When it expires.
        stillborn: Whether the ledger voided it already when it was added.
    """

    list_id: str
    place: int
    jti: str
    sid: str
    sub: str
    client_id: str
    kid: str
    iat: float
    exp: float
    stillborn: bool = False


class Stream(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stream of security events to one service (Shared Signals Framework 1.0, section 8.1.1).

    Attributes:
        id: Its identifier.
        service_id: The service that receives it.
        audience: The ``aud`` of what is sent.
        method: Whether events are pushed (RFC 8935) or polled for (RFC 8936).
        endpoint: Where they are pushed to; ``None`` where they are polled for.
        sealed_authorization: The ``Authorization`` that the receiver wants to see there, encrypted; ``None`` for none.
        requested: The URIs of the events that the receiver asked for; ``None`` if it did not say.
        delivered: The URIs of those that it gets.
        description: What the receiver calls it.
        status: ``paused``: events wait. ``disabled``: there are none.
        reason: Why it has that status, if somebody said.
        created_at: When it was made.
        verified_at: When a verification was last asked for.
        due_at: When to push next; ``None`` if there is nothing to push.
        attempts: How often pushing what is next was tried in vain.
    """

    id: str
    service_id: str
    audience: str
    method: Literal["push", "poll"]
    endpoint: str | None
    sealed_authorization: bytes | None
    requested: tuple[str, ...] | None
    delivered: tuple[str, ...]
    description: str | None
    status: Literal["enabled", "paused", "disabled"]
    reason: str | None
    created_at: float
    verified_at: float = 0.0
    due_at: float | None = None
    attempts: int = 0


class Signal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A security event that waits in a stream.

    Attributes:
        stream_id: The stream.
        jti: Its identifier, the same however often it is sent.
        at: When it was made.
        claims: The claims of its SET as JSON, but for ``iss`` and ``aud``. It is signed when it is sent.
        is_last_word: Whether it tells of the end of the stream, so that it is sent even then.
    """

    stream_id: str
    jti: str
    at: float
    claims: bytes
    is_last_word: bool = False


class Family(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A session with all that a refresh token of it depends on, as it is at one moment.

    Attributes:
        session: It.
        parent: The session that it ends with; ``None`` if there is none, or it has ended.
        user: Whose it is.
        token: The refresh token, if it is one of this session that is kept.
        grant: What was granted to a client in it.
    """

    session: Session
    parent: Session | None
    user: User
    token: RefreshToken | None
    grant: Grant | None


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
