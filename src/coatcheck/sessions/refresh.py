"""The rotation of refresh tokens (RFC 9700 section 4.14.2), decided over values.

A token is exchanged once. The same token again, at once and from the same client, is a lost answer or two tabs that
woke together: it gets the same successor. Later, or from another client, one of two holders is a thief: the session
ends, and with it every token.

A token names its session and carries a tag that only this server can make. So one that was exchanged long ago is known
for what it is although nothing of it is stored any more, and a guess does not get as far as the storage.
"""

from __future__ import annotations

from enum import Enum, auto

from .._core import base64url, secrets
from .._core.secrets import Sealer, digest, equal
from ..identity import Client
from .errors import InvalidRefreshTokenError
from .lifecycle import is_alive
from .model import RefreshToken, Session
from .policy import RefreshPolicy

__all__ = [
    "Plan",
    "client_digest",
    "make_token",
    "next_token",
    "open_successor",
    "plan_refresh",
    "seal_successor",
    "session_of",
]

_CONTEXT = "refresh-successor"


class Plan(Enum):
    """What to do with a refresh token that was presented."""

    ROTATE = auto()
    """Exchange it."""

    REPLAY = auto()
    """Give the same successor again."""

    REUSE = auto()
    """End the session: somebody presents what somebody else has used."""


def client_digest(client: Client, client_id: str) -> bytes:
    """Return what a refresh token is bound to: the client's identifier and the kind of program that it is.

    The network address is left out: a phone changes it between two requests.
    """
    return digest(f"{client_id}\n{client.user_agent}")


def make_token(sealer: Sealer, session_id: str) -> str:
    """Return a new refresh token for a session: 256 random bits between the session's identifier and the tag."""
    body = f"{session_id}.{secrets.new_token()}"
    return f"{body}.{_tag(sealer, body)}"


def session_of(sealer: Sealer, token: str) -> str:
    """Return the identifier of the session that a token was made for.

    Raises:
        InvalidRefreshTokenError: If this server never made it.
    """
    body, _, tag = token.rpartition(".")
    if not equal(tag, _tag(sealer, body)):
        raise InvalidRefreshTokenError(detail="not made here")
    return body.partition(".")[0]


def _tag(sealer: Sealer, body: str) -> str:
    mac = sealer.mac(body.encode("utf-8", "surrogatepass"), context="refresh-token")
    return base64url.encode(mac[:16])


def plan_refresh(
    token: RefreshToken | None, session: Session, *, client: bytes, policy: RefreshPolicy, now: float
) -> Plan:
    """Decide what happens with a token that was presented and is genuine.

    Args:
        token: Its record; ``None`` if it was exchanged so long ago that it was forgotten.
        session: The session that it was made for.
        client: Who presents it.
        policy: The limits.
        now: The time.

    Raises:
        InvalidRefreshTokenError: If it, its chain or its session has expired.
    """
    if not is_alive(session, now) or now >= session.created_at + policy.lifetime.total_seconds():
        raise InvalidRefreshTokenError(detail="its session or chain has expired")
    if token is None:
        return Plan.REUSE
    if token.rotated_at is None:
        if now >= token.expires_at:
            raise InvalidRefreshTokenError(detail="it was not used for too long")
        return Plan.ROTATE
    in_time = now < token.rotated_at + policy.replay_window.total_seconds()
    return Plan.REPLAY if in_time and equal(token.client, client) else Plan.REUSE


def next_token(
    secret: str, session: Session, *, client: bytes, policy: RefreshPolicy, now: float
) -> RefreshToken:
    """Return the record of a session's next refresh token. It outlives neither the chain nor the session."""
    limits = (
        now + policy.idle_timeout.total_seconds(),
        session.created_at + policy.lifetime.total_seconds(),
        session.expires_at,
    )
    return RefreshToken(
        digest=digest(secret), session_id=session.id, client=client, created_at=now, expires_at=min(limits)
    )


def seal_successor(presented: str, following: str) -> bytes:
    """Encrypt a successor under a key that only the token it succeeds yields: the storage cannot read it."""
    return Sealer(_key(presented)).seal(following.encode("ascii"), context=_CONTEXT)


def open_successor(presented: str, sealed: bytes) -> str:
    """Return the successor that was sealed under a token.

    Raises:
        InvalidRefreshTokenError: If it does not open, which no honest storage can cause.
    """
    try:
        return Sealer(_key(presented)).open(sealed, context=_CONTEXT).decode("ascii")
    except secrets.SealError as error:
        raise InvalidRefreshTokenError(detail=str(error)) from None


def _key(presented: str) -> bytes:
    # Another digest than the stored one, which the storage knows.
    return digest(f"successor of {presented}")
