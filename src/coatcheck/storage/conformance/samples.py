"""Records to store."""

from __future__ import annotations

import hashlib
from typing import Any

from ...accounts.model import Link, LinkPurpose, User
from ...flows.model import QueuedMail, Service, Signal, StoredKey, Stream
from ...identity import Client
from ...oauth.model import API, APIScope, HolderKind, InitialAccessToken, OAuthClient, Permission, Role
from ...revocation.model import Draft
from ...sessions.model import RefreshToken, Session

__all__ = [
    "NOW",
    "a_client",
    "a_draft",
    "a_key",
    "a_link",
    "a_mail",
    "a_permission",
    "a_role",
    "a_service",
    "a_session",
    "a_signal",
    "a_stream",
    "a_token",
    "a_user",
    "an_api",
    "an_initial_access_token",
    "digest_of",
]

NOW = 1_800_000_000.0


def digest_of(name: str) -> bytes:
    """Return 32 bytes that belong to a name."""
    return hashlib.sha256(name.encode()).digest()


def a_user(name: str = "ada", /, **changes: Any) -> User:
    """Return a user of that name."""
    defaults: dict[str, Any] = {
        "id": f"user-{name}",
        "email": f"{name.title()}@example.com",
        "email_key": f"{name}@example.com",
        "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "scopes": frozenset({"read", "write"}),
        "created_at": NOW,
        "password_changed_at": NOW,
    }
    return User(**(defaults | changes))


def a_session(name: str = "one", /, **changes: Any) -> Session:
    """Return a session of that name, of the user ``ada``."""
    defaults: dict[str, Any] = {
        "id": f"session-{name}",
        "user_id": "user-ada",
        "digest": digest_of(f"session {name}"),
        "profile": "relaxed",
        "created_at": NOW,
        "authenticated_at": NOW + 1,
        "methods": ("pwd", "otp"),
        "last_seen_at": NOW + 2,
        "idle_timeout": 3600.0,
        "expires_at": NOW + 86400,
        "client": Client(address="192.0.2.1", user_agent="Browser/1.0"),
    }
    return Session(**(defaults | changes))


def a_token(name: str = "one", /, **changes: Any) -> RefreshToken:
    """Return a refresh token of that name, of the session ``one``."""
    defaults: dict[str, Any] = {
        "digest": digest_of(f"token {name}"),
        "session_id": "session-one",
        "client": digest_of("client"),
        "created_at": NOW,
        "expires_at": NOW + 3600,
    }
    return RefreshToken(**(defaults | changes))


def a_link(name: str = "one", /, **changes: Any) -> Link:
    """Return a link of that name, for somebody who signs up."""
    defaults: dict[str, Any] = {
        "digest": digest_of(f"link {name}"),
        "purpose": LinkPurpose.SIGN_UP,
        "email": "New@example.com",
        "email_key": "new@example.com",
        "created_at": NOW,
        "expires_at": NOW + 600,
    }
    return Link(**(defaults | changes))


def a_mail(name: str = "one", /, **changes: Any) -> QueuedMail:
    """Return a message of that name, due at once."""
    defaults: dict[str, Any] = {
        "id": f"mail-{name}",
        "sealed": b"sealed " + name.encode(),
        "created_at": NOW,
        "due_at": NOW,
    }
    return QueuedMail(**(defaults | changes))


def a_key(name: str = "one", /, **changes: Any) -> StoredKey:
    """Return a key of that name."""
    defaults: dict[str, Any] = {
        "kid": f"key-{name}",
        "use": "access-token",
        "sealed": b"sealed " + name.encode(),
        "created_at": NOW,
    }
    return StoredKey(**(defaults | changes))


def a_draft(name: str = "one", /, **changes: Any) -> Draft:
    """Return an entry of the ledger of that name, about the end of a session, of use for a minute."""
    defaults: dict[str, Any] = {
        "kind": "session",
        "value": f"session-{name}",
        "cutoff": None,
        "until": NOW + 60,
        "reason": "signed-out",
        "actor": "user:user-ada",
        "at": NOW,
        "mark": f"mark-{name}",
    }
    return Draft(**(defaults | changes))


def a_service(name: str = "one", /, **changes: Any) -> Service:
    """Return a service of that name."""
    defaults: dict[str, Any] = {
        "id": f"service-{name}",
        "name": name,
        "audience": f"https://{name}.example",
        "digest": digest_of(f"service {name}"),
        "created_at": NOW,
    }
    return Service(**(defaults | changes))


def a_stream(name: str = "one", /, **changes: Any) -> Stream:
    """Return a stream of the service of that name."""
    defaults: dict[str, Any] = {
        "id": f"stream-{name}",
        "service_id": f"service-{name}",
        "audience": f"https://{name}.example",
        "method": "push",
        "endpoint": f"https://{name}.example/events",
        "sealed_authorization": None,
        "requested": ("urn:example:one", "urn:example:other"),
        "delivered": ("urn:example:one",),
        "description": None,
        "status": "enabled",
        "reason": None,
        "created_at": NOW,
    }
    return Stream(**(defaults | changes))


def a_signal(name: str = "one", stream: str = "one", /, **changes: Any) -> Signal:
    """Return an event of that name, in a stream."""
    defaults: dict[str, Any] = {
        "stream_id": f"stream-{stream}",
        "jti": f"event-{name}",
        "at": NOW,
        "claims": b'{"jti":"event"}',
    }
    return Signal(**(defaults | changes))


def a_client(name: str = "one", /, **changes: Any) -> OAuthClient:
    """Return a registered client of that name."""
    defaults: dict[str, Any] = {
        "id": f"client-{name}",
        "name": name.title(),
        "created_at": NOW,
        "secret_digest": digest_of(f"client {name}"),
        "redirect_uris": (f"https://{name}.example/callback",),
    }
    return OAuthClient(**(defaults | changes))


def an_api(name: str = "one", /, **changes: Any) -> API:
    """Return an API of that name."""
    defaults: dict[str, Any] = {
        "audience": f"https://{name}.example",
        "name": name.title(),
        "scopes": (APIScope(name="read", description="Read it"), APIScope(name="write")),
        "created_at": NOW,
    }
    return API(**(defaults | changes))


def a_role(name: str = "one", /, **changes: Any) -> Role:
    """Return a role of that name."""
    defaults: dict[str, Any] = {"name": f"role-{name}", "created_at": NOW}
    return Role(**(defaults | changes))


def a_permission(kind: HolderKind, holder: str, api: str = "one", /, *scopes: str) -> Permission:
    """Return a permission of a user, a role or a client of that name, at an API of that name."""
    return Permission(
        kind=kind,
        holder=f"{kind}-{holder}",
        audience=f"https://{api}.example",
        scopes=frozenset(scopes or ("read",)),
    )


def an_initial_access_token(name: str = "one", /, **changes: Any) -> InitialAccessToken:
    """Return an initial access token of that name, good for ever."""
    defaults: dict[str, Any] = {
        "digest": digest_of(f"initial access token {name}"),
        "id": f"initial-{name}",
        "name": name,
        "created_at": NOW,
    }
    return InitialAccessToken(**(defaults | changes))
