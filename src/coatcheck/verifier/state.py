"""What the two followers of a server, that of its keys and that of its ledger, have in common."""

from __future__ import annotations

import logging
import math

from .._core.clock import Clock
from ..errors import CoatcheckError
from .actions import Bell, Steps
from .clocks import Moment, ticks
from .discovery import Metadata, discover
from .model import EventHook, EventKind, VerifierEvent
from .policy import VerifierPolicy
from .view import View

__all__ = ["State"]

_log = logging.getLogger("coatcheck.verifier")
_SHORTEST_DIGEST = 16


class State:
    """Where the following has got to.

    Attributes:
        issuer: Whom it follows.
        view: What requests see of it.
        policy: The tunables.
        service_key: What the server knows this service by; ``None`` if it has none.
        metadata: What the server says of itself, once it was read.
        wanted: Rung when the keys are to be fetched again.
        fetched: Rung when an attempt to fetch them is over.
        ready: Rung when everything is there to verify with.
        never: Is not rung.
        digest: The digest of the keys that the server last told of ...
        digests: ... and those of the keys that were last fetched.
        connected: Whether the ledger is being read as it grows.
        connections: How often it was connected to.
        snapshots: How often it was read from its start.
        key_fetches: How often the keys were fetched.
        last_error: What was last met; ``None`` while all is well.
    """

    def __init__(
        self,
        issuer: str,
        *,
        view: View,
        policy: VerifierPolicy,
        clock: Clock,
        service_key: str | None,
        allow_http: bool,
        on_event: EventHook | None,
    ) -> None:
        self.issuer: str = issuer
        self.view: View = view
        self.policy: VerifierPolicy = policy
        self.service_key: str | None = service_key
        self._allow_http = allow_http
        self._clock = clock
        self._on_event = on_event
        self.metadata: Metadata | None = None
        self.wanted: Bell = Bell()
        self.fetched: Bell = Bell()
        self.ready: Bell = Bell()
        self.never: Bell = Bell()
        self.digest: str | None = None
        self.digests: frozenset[str] = frozenset()
        self.connected: bool = False
        self.connections: int = 0
        self.snapshots: int = 0
        self.key_fetches: int = 0
        self.last_error: CoatcheckError | None = None
        self._unknown_until = -math.inf

    def renew(self) -> None:
        """Begin with new bells: the old ones may have been rung to end the following, or left behind by a fork."""
        self.wanted, self.fetched, self.ready, self.never = Bell(), Bell(), Bell(), Bell()
        self.connected = False
        if self.view.ready:
            self.ready.ring()

    def moment(self) -> Moment:
        """Return the time here."""
        return Moment(self._clock(), ticks())

    def authorization(self) -> dict[str, str]:
        """Return the header by which the server knows this service (RFC 6750 section 2.1)."""
        return {} if self.service_key is None else {"authorization": f"Bearer {self.service_key}"}

    def unknown_key(self) -> None:
        """Take note of a token with an unknown key: the keys are fetched, but not as often as anybody likes."""
        now = ticks()
        if now >= self._unknown_until:
            self._unknown_until = now + self.policy.key_cooldown
            self.wanted.ring()

    def told_of_keys(self, digest: str | None) -> None:
        """Take note of what the ledger says of the keys: if they are other ones, they are fetched."""
        if digest is not None and digest != self.digest:
            self.digest = digest
            # The server sends the beginning of the digest that it computes.
            if not any(len(digest) >= _SHORTEST_DIGEST and each.startswith(digest) for each in self.digests):
                self.wanted.ring()

    def get_metadata(self) -> Steps[Metadata]:
        """Return what the server says of itself; ask if it is not known. Raises kinds of ``FollowingError``."""
        if self.metadata is None:
            self.metadata = yield from discover(self.issuer, self.policy, allow_http=self._allow_http)
        return self.metadata

    def check_ready(self) -> None:
        """Tell those who wait, if everything is there now."""
        if self.view.ready and not self.ready.rung:
            self.ready.ring()
            self.tell("ready")

    def failed(self, error: CoatcheckError, *, connected: bool) -> None:
        """Take note of what was met; tell the operator once, not with every attempt."""
        if self.last_error is None or self.last_error.code != error.code:
            _log.warning("Following %s: %s %s", self.issuer, error.message, error.detail or "")
        self.last_error = error
        self.tell("disconnected" if connected else "failed", error=error)

    def succeeded(self) -> None:
        """Take note that the ledger is followed; tell the operator who was told that it was not."""
        if self.last_error is not None:
            _log.warning("Following %s: all is well again.", self.issuer)
        self.last_error = None
        self.tell("connected")

    def tell(self, kind: EventKind, *, entries: int = 0, error: CoatcheckError | None = None) -> None:
        """Tell whoever wants to know. What the hook raises is logged."""
        if self._on_event is None:
            return
        event = VerifierEvent(
            kind=kind,
            at=self._clock(),
            entries=entries,
            position=self.view.registry.position,
            error=error,
        )
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - it is somebody else's
            _log.exception("The hook for events of the verifier failed.")
