"""Reading the ledger as it is sent: what may follow what, and what each event changes.

One ``Feed`` is one connection. It is fed with the events as they came in, whoever sent them, and takes note in the view
of those that are the issuer's, are meant for this connection, and follow the one before. Anything else ends it.

What was noted stays noted: entries only ever make credentials void. A server whose database was restored from a backup
sends its ledger anew, and it is laid over what is known; nothing comes to life again.
"""

from __future__ import annotations

import logging
import math
from typing import Final, Literal

from .._core import base64url
from .._core.entropy import random_bytes
from .._core.secrets import equal
from ..jose import TokenError
from ..jose.errors import NoMatchingKeyError
from ..revocation.errors import BrokenOrderError
from ..revocation.model import START, Facts, Position
from ..revocation.wire import FeedEvent, from_wire, is_known_kind
from .clocks import Moment
from .errors import MalformedStreamError, UntrustedEventError
from .event_stream import StreamEvent
from .state import State

__all__ = ["Feed"]

_log = logging.getLogger("coatcheck.verifier")
_NONCE_OCTETS: Final = 24
_KNOWN: Final = frozenset({"hello", "snapshot", "entries", "heartbeat"})
_MARGIN: Final = 600.0  # seconds for which entries are kept longer, for the sake of clocks that are set
_HELD_BACK: Final = 5.0  # seconds


class Feed:
    """One connection to the ledger.

    Attributes:
        nonce: What the server has to repeat.
        resumes: Up to where the ledger is known; ``None`` to get all of it.
        live: Whether all is known that was sent, and the server has said so.
        deadline: When something has to have come, in ticks.
        misfit: Whether the position is to be given up for the next connection, because the order was broken.
    """

    __slots__ = (
        "_changed",
        "_has_passed_over",
        "_last_now",
        "_part",
        "_phase",
        "_sent",
        "_silence",
        "_snapshot",
        "_state",
        "_upto",
        "_view",
        "deadline",
        "live",
        "misfit",
        "nonce",
        "resumes",
    )

    def __init__(self, state: State, *, resumes: Position | None, sent: Moment) -> None:
        """Take where things stand at the moment of asking."""
        self._state = state
        self._view = state.view
        self._sent = sent
        self._phase: Literal["hello", "snapshot", "entries"] = "hello"
        self._snapshot: tuple[str | None, Position] = (None, START)
        self._part = 0
        self._upto = str(START)
        self._has_passed_over = False
        self._last_now = -math.inf
        self._silence = state.policy.silence
        self._changed = 0
        self.nonce: str = base64url.encode(random_bytes(_NONCE_OCTETS))
        self.resumes: Position | None = resumes
        self.live: bool = False
        self.misfit: bool = False
        self.deadline: float = sent.ticks + self._silence

    def receive(self, received: StreamEvent, at: Moment) -> None:
        """Take note of an event.

        Raises:
            NoMatchingKeyError: If it is signed with a key that is not known. Once it is, the event may be given again.
            UntrustedEventError: If it is not the issuer's, or was not made for this connection.
            BrokenOrderError: If it does not follow the one before.
            MalformedEntryError: If an entry of a known kind is about nothing.
        """
        if received.name not in _KNOWN:
            return  # of a later release; nothing follows from it
        event = self._verified(received)
        if self._phase == "hello":
            self._greet(event, at)
        elif event.event == "entries":
            self._add(event, at)
        elif event.event == "heartbeat":
            self._beat(event, at)
        elif event.event == "snapshot":
            self._overlay(event, at)
        else:
            raise UntrustedEventError("The server greets twice.")
        self._view.registry.forget(self._view.now() - _MARGIN)

    def check_deadline(self, at: Moment) -> None:
        """Raise ``MalformedStreamError`` if nothing of use has come for too long, however much has come."""
        if at.ticks > self.deadline:
            raise MalformedStreamError("The server has said nothing for too long.")

    def _verified(self, received: StreamEvent) -> FeedEvent:
        verifier = self._view.events
        if verifier is None:
            raise UntrustedEventError("No key of the server is known.")
        try:
            verified = verifier.verify(received.data)
        except NoMatchingKeyError:
            raise
        except TokenError as error:
            raise UntrustedEventError(
                "An event of the ledger is not the issuer's.", detail=f"{error.code}: {error.message}"
            ) from None
        event = verified.claims
        if event.event != received.name:
            raise UntrustedEventError("An event of the ledger does not go by its name.")
        # Whoever has a key that was given up can sign what they like with it, with whatever time of issue.
        if self._view.registry.void(Facts(kid=verified.key.kid or "", iat=math.inf)) == "key":
            raise UntrustedEventError("An event of the ledger is signed with a key that is void.")
        if not (math.isfinite(event.now) and event.seq >= 0):
            raise UntrustedEventError("An event of the ledger has a number that cannot be.")
        return event

    def _greet(self, event: FeedEvent, at: Moment) -> None:
        if event.event != "hello" or event.nonce is None or not equal(event.nonce, self.nonce):
            # Recorded from another connection, perhaps long ago.
            raise UntrustedEventError("The server does not greet this connection.")
        interval = event.heartbeat
        if interval is None or not 0 < interval <= self._silence / 2:
            raise MalformedStreamError("The heartbeat of the server is too slow, or is none.")
        if event.snapshot is None and event.position != (self.resumes or START):
            raise self._broken(f"goes on from {event.position}, asked for {self.resumes}")
        self._view.reset_clock(event.now, sent=self._sent, received=at)
        self._state.told_of_keys(event.keys)
        self._last_now = event.now
        self._progress(at)
        if event.snapshot is not None:
            self._phase = "snapshot"
            self._snapshot = event.snapshot, event.position
            return
        self._phase = "entries"
        self._view.registry.move_to(event.position)

    def _overlay(self, event: FeedEvent, at: Moment) -> None:
        if self._phase != "snapshot":
            raise self._broken(f"part {event.part} of a snapshot that was not announced, or is over")
        self._check_part(event)
        registry = self._view.registry
        self._add_entries(event)
        self._part += 1
        self._upto = event.upto or ""
        self._progress(at)
        if event.done:
            # Backwards too, after the ledger was restored from a backup: that is where its next entries follow.
            registry.move_to(event.position)
            self._phase = "entries"
            self._state.snapshots += 1
            # It may be some seconds old. What was revoked since follows it, and the heartbeat behind that says so.
            self._state.tell("snapshot", entries=self._changed)

    def _check_part(self, event: FeedEvent) -> None:
        """Check that a part is of the snapshot that the greeting announced, and follows the one before.

        Every part is signed, but only the greeting answers the nonce. Without this, whoever is in between could mix
        parts of an old snapshot into a new one, or send an old one, and what was revoked since would never arrive.
        """
        if (event.snapshot, event.position) != self._snapshot:
            raise self._broken("a part of another snapshot than the one that was announced")
        if event.part != self._part or event.after != self._upto:
            raise self._broken(
                f"part {event.part} of the snapshot, after {ascii(event.after)[:80]},"
                f" expected {self._part}, after {self._upto}"
            )
        if event.done != (event.upto == str(event.position)):
            raise self._broken(
                f"part {event.part} of the snapshot ends before its end, or does not end there"
            )

    def _add(self, event: FeedEvent, at: Moment) -> None:
        registry = self._view.registry
        if self._phase != "entries" or event.after != str(registry.position):
            raise self._broken(f"entries after {ascii(event.after)[:80]}, known up to {registry.position}")
        if event.seq < registry.position.seq:
            raise self._broken(f"entries lead from {registry.position} back to {event.position}")
        self._changed = 0
        self._add_entries(event)
        registry.move_to(event.position)
        self._progress(at)
        self._heard(event, at)
        self._state.tell("revoked", entries=self._changed)

    def _add_entries(self, event: FeedEvent) -> None:
        drafts = from_wire(event.entries, at=event.now)
        if len(drafts) < len(event.entries) and not self._has_passed_over:
            self._has_passed_over = True  # told once for a connection, however much of it comes
            unknown = sorted({kind for kind, *_ in event.entries if not is_known_kind(kind)})
            _log.warning(
                "Following %s: entries of the ledger of a kind that only a later release knows are passed over (%s)."
                " Update this service, so that it can tell what they revoke.",
                self._state.issuer,
                ascii(unknown)[:80],
            )
        self._view.registry.add(drafts)
        self._changed += len(drafts)
        if any(draft.kind == "key" for draft in drafts):
            self._state.wanted.ring()

    def _beat(self, event: FeedEvent, at: Moment) -> None:
        if self._phase != "entries":
            return
        if event.now <= self._last_now:
            return  # repeated, or of a clock that was set back: it shows nothing
        if event.position != self._view.registry.position:
            raise self._broken(
                f"the ledger is at {event.position}, known up to {self._view.registry.position}"
            )
        if self._view.server_clock.earliest(at.ticks) - event.now > _HELD_BACK:
            raise MalformedStreamError("The stream is held back on its way.")
        first = not self.live
        self.live = True
        self._heard(event, at)
        self._progress(at)
        self._state.told_of_keys(event.keys)
        if first:
            self._state.connected = True
            self._state.connections += 1
            self._state.succeeded()
            self._state.check_ready()

    def _heard(self, event: FeedEvent, at: Moment) -> None:
        """Take note that all is known up to a time. Only the live stream says that: before, more may be on its way."""
        if self.live and event.now > self._last_now:
            self._last_now = event.now
            self._view.confirm(event.now, at)

    def _progress(self, at: Moment) -> None:
        self.deadline = at.ticks + self._silence

    def _broken(self, detail: str) -> BrokenOrderError:
        self.misfit = True
        return BrokenOrderError(detail=detail)
