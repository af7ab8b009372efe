"""What the verifier tells: who a request comes from, how it is doing, and what has just happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from ..errors import CoatcheckError
from ..revocation.model import START, Position

__all__ = ["EventHook", "EventKind", "LazyClaims", "Metrics", "Principal", "VerifierEvent", "Via"]

EventKind = Literal["connected", "disconnected", "failed", "keys", "ready", "revoked", "snapshot"]
"""What can happen in the background."""

Via = Literal["bearer", "cookie"]
"""What a request carried: a token in ``Authorization``, or a session cookie."""

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def _frozen(value: Any) -> Any:
    """Return a JSON value that nobody can change: all requests that come with the same credential share it."""
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(member) for name, member in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class LazyClaims(Mapping[str, Any]):
    """The claims of a verified token, decoded when somebody looks at them: most are looked at by nobody.

    Arrays are tuples, and objects are mappings that cannot be changed.
    """

    __slots__ = ("_decoded", "_payload")

    def __init__(self, payload: bytes) -> None:
        """Take the claims as they were signed, in JSON."""
        self._payload = payload
        self._decoded: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        decoded = self._decoded
        if decoded is None:
            decoded = self._decoded = _frozen(_decode_object(self._payload))
        return decoded

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<LazyClaims {', '.join(self)}>"


class Principal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who a request comes from, and what it may do. There is none but of a credential that was verified.

    Times are seconds since 1970.

    Attributes:
        subject: The user's stable identifier (``sub``).
        scopes: What the credential may do.
        client_id: The client that it was issued to.
        session_id: The session that it comes from (``sid``); empty if it comes from none.
        authenticated_at: When the user last proved who they are (``auth_time``); ``None`` if it does not say.
        methods: How (``amr``, RFC 8176).
        acr: How strongly, ``aal1`` to ``aal3``; empty if it does not say.
        expires_at: When it ends if nothing happens.
        issued_at: When it was issued.
        token_id: The token's identifier (``jti``); empty for a cookie.
        claims: All that it says of itself.
        via: What the request carried.
    """

    subject: str
    scopes: frozenset[str]
    client_id: str
    session_id: str
    authenticated_at: float | None
    methods: tuple[str, ...]
    acr: str
    expires_at: float
    issued_at: float
    token_id: str
    claims: Mapping[str, Any]
    via: Via

    def __repr__(self) -> str:
        return f"<Principal {self.subject!r} via {self.via}>"


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """How a verifier is doing. Counters count from its start; they are not synchronised between threads.

    Attributes:
        ready: Whether keys and ledger have been read.
        connected: Whether it is reading the ledger as it grows.
        view_age: How many seconds ago the server last said how far the ledger goes; infinite before it ever did.
        epoch: How often the view has changed.
        position: How far the ledger was read.
        entries: How much is known to be void.
        keys: How many keys are known.
        cached: How many verified credentials are remembered.
        hits: Credentials that were remembered.
        misses: Credentials that had to be verified, or asked about.
        refusals: Refused requests, by their reason.
        clock_offset: How many seconds the server's clock is ahead of the one here, where that is taken into account.
        connections: How often the ledger was connected to.
        snapshots: How often it had to be read from the start.
        key_fetches: How often the keys were fetched.
        last_error: What the background last met, as its code; empty while all is well.
    """

    ready: bool = False
    connected: bool = False
    view_age: float = float("inf")
    epoch: int = 0
    position: Position = START
    entries: int = 0
    keys: int = 0
    cached: int = 0
    hits: int = 0
    misses: int = 0
    refusals: Mapping[str, int] = msgspec.field(default_factory=dict)
    clock_offset: float = 0.0
    connections: int = 0
    snapshots: int = 0
    key_fetches: int = 0
    last_error: str = ""

    @property
    def hit_rate(self) -> float:
        """The share of credentials that were remembered; 0 before the first."""
        total = self.hits + self.misses
        return self.hits / total if total else 0.0


class VerifierEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has just happened in the background.

    Attributes:
        kind: What: ``connected`` (the view is complete and live), ``disconnected``, ``ready``, ``revoked`` (entries
            came), ``snapshot`` (the ledger was read from its start), ``keys`` (the keys are other ones), or ``failed``
            (an attempt at discovery or keys).
        at: When, by the clock here.
        entries: ``revoked`` and ``snapshot``: how many entries came.
        position: How far the ledger was read.
        error: ``disconnected`` and ``failed``: why.
    """

    kind: EventKind
    at: float
    entries: int = 0
    position: Position = START
    error: CoatcheckError | None = None


EventHook = Callable[[VerifierEvent], None]
"""Called in the background. It must not wait; what it raises is logged and goes no further."""
