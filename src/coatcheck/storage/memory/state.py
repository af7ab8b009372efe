"""What a memory storage holds, and the rules that a database would keep for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ...accounts.model import Link, User
from ...flows.model import QueuedMail, Service, Signal, Status, StatusList, StoredKey, Stream
from ...oauth.model import (
    API,
    AuthorizationCode,
    Consent,
    Grant,
    InitialAccessToken,
    Interaction,
    LogoutNotice,
    OAuthClient,
    Permission,
    Profile,
    PushedRequest,
    Role,
)
from ...revocation.model import Entry
from ...sessions.model import RefreshToken, Session
from ..errors import RecordConflictError

__all__ = ["MemoryTable", "Source", "State", "require"]

Result = TypeVar("Result")


class State:
    """All records, each kind by its key."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.links: dict[bytes, Link] = {}
        self.throttles: dict[str, float] = {}
        self.sessions: dict[str, Session] = {}
        self.ended_client_sessions: dict[str, Session] = {}
        self.refresh_tokens: dict[bytes, RefreshToken] = {}
        self.mail: dict[str, QueuedMail] = {}
        self.keys: dict[str, StoredKey] = {}
        self.ledger: dict[int, Entry] = {}
        self.services: dict[str, Service] = {}
        self.streams: dict[str, Stream] = {}
        self.signals: dict[tuple[str, str], Signal] = {}
        self.unwanted_subjects: dict[tuple[str, str], None] = {}
        self.status_lists: dict[str, StatusList] = {}
        self.statuses: dict[str, Status] = {}
        self.status_places: dict[tuple[str, int], str] = {}
        self.oauth_clients: dict[str, OAuthClient] = {}
        self.apis: dict[str, API] = {}
        self.roles: dict[str, Role] = {}
        self.role_members: dict[tuple[str, str], None] = {}
        self.permissions: dict[tuple[str, str, str], Permission] = {}
        self.initial_access_tokens: dict[bytes, InitialAccessToken] = {}
        self.interactions: dict[bytes, Interaction] = {}
        self.pushed_requests: dict[bytes, PushedRequest] = {}
        self.codes: dict[bytes, AuthorizationCode] = {}
        self.assertions: dict[bytes, float] = {}
        self.grants: dict[str, Grant] = {}
        self.consents: dict[tuple[str, str], Consent] = {}
        self.logout_notices: dict[str, LogoutNotice] = {}
        self.profiles: dict[str, Profile] = {}

    def copy(self) -> State:
        """Return a state that can be changed without this one changing: the records themselves never do."""
        twin = State()
        for name, table in vars(self).items():
            setattr(twin, name, table.copy())
        return twin

    def user_of_email(self, email_key: str) -> User | None:
        """Return the user of an address."""
        return next((user for user in self.users.values() if user.email_key == email_key), None)

    def session_of_digest(self, digest: bytes | None) -> Session | None:
        """Return the session of a digest; ``None`` is nobody's."""
        found = (session for session in self.sessions.values() if session.digest == digest)
        return None if digest is None else next(found, None)

    def delete_user(self, user_id: str) -> bool:
        """Delete a user with all that belongs to them."""
        if self.users.pop(user_id, None) is None:
            return False
        for session in [each for each in self.sessions.values() if each.user_id == user_id]:
            self.delete_session(session.id)
        for name in [name for name, each in self.ended_client_sessions.items() if each.user_id == user_id]:
            del self.ended_client_sessions[name]
        for link in [each for each in self.links.values() if each.user_id == user_id]:
            del self.links[link.digest]
        for member in [each for each in self.role_members if each[0] == user_id]:
            del self.role_members[member]
        for key in [key for key in self.permissions if key[:2] == ("user", user_id)]:
            del self.permissions[key]
        for digest in [code.digest for code in self.codes.values() if code.user_id == user_id]:
            del self.codes[digest]
        for pair in [pair for pair in self.consents if pair[0] == user_id]:
            del self.consents[pair]
        self.profiles.pop(user_id, None)
        return True

    def delete_session(self, session_id: str) -> bool:
        """Delete a session with its refresh tokens."""
        if self.sessions.pop(session_id, None) is None:
            return False
        for token in [each for each in self.refresh_tokens.values() if each.session_id == session_id]:
            del self.refresh_tokens[token.digest]
        self.grants.pop(session_id, None)
        for child in [each.id for each in self.sessions.values() if each.parent_id == session_id]:
            self.delete_session(child)
        return True

    def delete_client(self, client_id: str) -> bool:
        """Delete a client with all that belongs to it. Its sessions stay: they are ended, by name, before."""
        if self.oauth_clients.pop(client_id, None) is None:
            return False
        for key in [key for key in self.permissions if key[:2] == ("client", client_id)]:
            del self.permissions[key]
        for table in (self.interactions, self.pushed_requests, self.codes, self.grants, self.logout_notices):
            _delete_of_client(table, client_id)
        for pair in [pair for pair in self.consents if pair[1] == client_id]:
            del self.consents[pair]
        return True

    def is_client_used(self, client_id: str) -> bool:
        """Tell whether anybody has granted a client anything, is about to, or has given it a permission."""
        tables = (self.interactions, self.pushed_requests, self.codes, self.grants)
        granted = any(_client_of(record) == client_id for table in tables for record in table.values())
        return (
            granted
            or any(pair[1] == client_id for pair in self.consents)
            or any(key[:2] == ("client", client_id) for key in self.permissions)
        )

    def delete_service(self, name: str) -> bool:
        """Delete a service with all that belongs to it."""
        service = self.services.pop(name, None)
        if service is None:
            return False
        for stream in [each for each in self.streams.values() if each.service_id == service.id]:
            self.delete_stream(stream.id)
        return True

    def delete_stream(self, stream_id: str) -> bool:
        """Delete a stream with all that is in it."""
        if self.streams.pop(stream_id, None) is None:
            return False
        self.clear_signals(stream_id)
        for key in [key for key in self.unwanted_subjects if key[0] == stream_id]:
            del self.unwanted_subjects[key]
        return True

    def clear_signals(self, stream_id: str) -> int:
        """Delete all events of a stream; return how many there were."""
        waiting = [key for key in self.signals if key[0] == stream_id]
        for key in waiting:
            del self.signals[key]
        return len(waiting)


def _delete_of_client(table: dict[Any, Any], client_id: str) -> None:
    for key in [key for key, record in table.items() if _client_of(record) == client_id]:
        del table[key]


def _client_of(record: Any) -> str:
    return record.request.client_id if isinstance(record, Interaction) else record.client_id


class Source(Protocol):
    """Where records come from: what is committed, or one transaction."""

    @property
    def state(self) -> State:
        """What is to be read."""
        ...

    async def write(self, change: Callable[[State], Result]) -> Result:
        """Make a change: all of it, or, if it raises, nothing."""
        ...


class MemoryTable:
    """Base of the records of one kind."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def _state(self) -> State:
        return self._source.state


def require(condition: object, detail: str) -> None:
    """Refuse a record that contradicts what is stored, as the constraints of a database would."""
    if not condition:
        raise RecordConflictError(detail=detail)
