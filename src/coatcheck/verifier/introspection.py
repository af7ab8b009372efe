"""Session cookies: what an opaque one stands for is asked of the server, once (RFC 7662).

The answer is kept, and ends like a token: by its time, or by what the ledger says of its session and its user. It is
asked for again when it says so, and at least every hour: an entry of the ledger is not kept for much longer, and an
answer must not outlive the entry that would end it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Final

import msgspec

from ..errors import CoatcheckError
from ..identity import MalformedScopeError
from ..revocation.model import Facts
from .actions import Answer, Bell, Fetch, Steps, Wait
from .cache import Cache
from .claims import Known, instant, scopes_of
from .clocks import ticks
from .core import Core
from .discovery import check_answer
from .errors import IntrospectionFailedError, InvalidTokenError
from .model import LazyClaims, Principal
from .state import State
from .turns import Turns

__all__ = ["Sessions"]

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")  # base64url; anything else is no secret of the server's
_MOST_REFUSED: Final = 1024
_MOST_QUESTIONS: Final = 3
_KIND: Final = "session"


class _SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """The members of an answer that are looked at."""

    active: bool
    token_type: str = ""
    sub: str = ""
    sid: str = ""
    client_id: str = ""
    scope: str = ""
    exp: float = 0.0
    iat: float = 0.0
    cache_until: float | None = None
    auth_time: float | None = None
    amr: Sequence[str] = ()
    acr: str = ""


_decode = msgspec.json.Decoder(_SessionState).decode


def _names(known: Known) -> tuple[str, ...]:
    """Return what the ledger may call a session, and whom it stands for."""
    return known.facts.sid, known.facts.sub, known.facts.client_id


class Sessions:
    """The session cookies that were asked about."""

    __slots__ = ("_cache", "_core", "_lock", "_pending", "_refused", "_state", "_turns")

    def __init__(self, state: State, core: Core) -> None:
        """Take whom to ask, and who looks into the ledger."""
        self._state = state
        self._core = core
        self._cache: Cache[Known] = Cache(state.policy.cache_size)
        self._refused: dict[str, float] = {}
        self._pending: dict[str, Bell] = {}
        self._lock = threading.Lock()
        self._turns = Turns(state.policy.introspections, room=state.policy.introspection_queue)

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._cache)

    def renew(self) -> None:
        """Forget who waits: after a fork, they are in another process."""
        self._pending, self._lock = {}, threading.Lock()
        self._turns.renew()

    def recall(self, secret: str) -> Principal | None:
        """Return whom a session stands for; ``None`` if the server has to be asked.

        Raises:
            InvalidTokenError: If it has ended.
            NotReadyError: If the ledger has not been read yet.
            StaleViewError: If the view is older than it may be.
        """
        core = self._core
        known = self._cache.recall(secret)
        if known is None:
            core.check_ready()
            self._check_refused(secret)
            return None
        registry = self._state.view.registry
        epoch = registry.epoch
        if known.epoch != epoch:
            self._check_ended(secret, known)
            if registry.mentions.since(known.epoch, _names(known)):
                # The session, its user or all that was issued: it may still be good, but not as it was.
                self._cache.forget(secret)
                return None
            known.epoch = epoch
        if not self._state.view.now() < known.ends_at:
            self._cache.forget(secret)
            return None
        core.check_staleness()
        core.hits += 1
        return known.principal

    def ask(self, secret: str) -> Steps[Principal]:
        """Ask what a session stands for. Those who ask at the same time get the same answer.

        Raises:
            InvalidTokenError: If it stands for nothing (any more).
            IntrospectionFailedError: If the server could not be asked.
            StaleViewError: If the view is older than it may be.
        """
        core, policy = self._core, self._state.policy
        core.check_staleness()
        with self._lock:
            pending = self._pending.get(secret)
            if pending is None:
                self._pending[secret] = mine = Bell()
        if pending is not None:
            yield Wait(2 * policy.request_timeout, pending)  # for its turn, and for its answer
            principal = self.recall(secret)
            if principal is None:
                raise core.refused(IntrospectionFailedError(detail="somebody else has asked in vain"))
            return principal
        try:
            return (yield from self._ask_in_turn(secret))
        finally:
            with self._lock:
                self._pending.pop(secret, None)
            mine.ring()

    def _ask_in_turn(self, secret: str) -> Steps[Principal]:
        """Ask when it is this one's turn: cookies that are made up cost nothing, and must not shut others out."""
        if not (yield from self._turns.take(within=self._state.policy.request_timeout)):
            raise self._core.refused(
                IntrospectionFailedError(detail="too many cookies are being asked about")
            )
        try:
            # Somebody may have had the answer just before it was this one's turn to ask.
            principal = self.recall(secret)
            return (yield from self._ask(secret)) if principal is None else principal
        finally:
            self._turns.give_back()

    def _ask(self, secret: str) -> Steps[Principal]:
        registry = self._state.view.registry
        self._core.misses += 1
        for _ in range(_MOST_QUESTIONS):
            epoch = registry.epoch
            known = yield from self._answered(secret, epoch=epoch)
            self._check_ended(secret, known)
            # What came while it was being asked may be later than the answer, whatever instants these state.
            if not registry.mentions.since(epoch, _names(known)):
                self._cache.remember(secret, known)
                return known.principal
        raise self._core.refused(IntrospectionFailedError(detail="the ledger spoke of it each time"))

    def _answered(self, secret: str, *, epoch: int) -> Steps[Known]:
        core, state = self._core, self._state
        asked_at = state.view.now()
        try:
            metadata = yield from state.get_metadata()
            if metadata.introspection is None:
                raise core.refused(IntrospectionFailedError(detail="the server cannot be asked"))
            answer: Answer = yield Fetch(
                url=metadata.introspection,
                headers={"accept": "application/json", **state.authorization()},
                form={"token": secret},
                limit=state.policy.answer_limit,
                timeout=state.policy.request_timeout,
            )
            check_answer(answer)
            known = self._known(answer.body, asked_at=asked_at, epoch=epoch)
        except (msgspec.MsgspecError, ValueError, MalformedScopeError):
            raise core.refused(IntrospectionFailedError(detail="the answer cannot be read")) from None
        except (IntrospectionFailedError, InvalidTokenError):
            raise
        except CoatcheckError as error:
            raise core.refused(IntrospectionFailedError(detail=f"{error.code}: {error.message}")) from None
        if known is None:
            self._refuse(secret)
            raise core.refused(InvalidTokenError("The session has ended.", reason="inactive"))
        return known

    def _check_ended(self, secret: str, known: Known) -> None:
        """Refuse a session that the ledger says has ended for good."""
        if self._state.view.registry.session_has_ended(known.facts.sid):
            self._cache.forget(secret)
            self._refuse(secret)
            raise self._core.refused(InvalidTokenError("The session has ended.", reason="revoked-session"))

    def _known(self, body: bytes, *, asked_at: float, epoch: int) -> Known | None:
        """Return what an answer says; ``None`` if the credential is no session that is good."""
        text = body.decode("utf-8")
        state = _decode(text)
        # A token in the place of a cookie is not one: it would escape the rules for cookies.
        if not (state.active and state.token_type == _KIND and state.sub and state.sid):
            return None
        memory = self._state.policy.introspection_memory
        until = state.exp if state.cache_until is None else min(state.exp, state.cache_until)
        principal = Principal(
            subject=state.sub,
            scopes=scopes_of(state.scope),
            client_id=state.client_id,
            session_id=state.sid,
            authenticated_at=None if state.auth_time is None else instant(state.auth_time),
            methods=tuple(state.amr),
            acr=state.acr,
            expires_at=instant(state.exp),
            issued_at=instant(state.iat),
            token_id="",
            claims=LazyClaims(body),
            via="cookie",
        )
        facts = Facts(sid=state.sid, sub=state.sub, client_id=state.client_id, iat=state.iat)
        return Known(principal, facts, min(instant(until), asked_at + memory), epoch)

    def _check_refused(self, secret: str) -> None:
        """Refuse what cannot be a session, or has just been found to be none, without asking."""
        if _SECRET.fullmatch(secret) is None or self._refused.get(secret, 0.0) > ticks():
            raise self._core.refused(InvalidTokenError("The session has ended.", reason="inactive"))

    def _refuse(self, secret: str) -> None:
        if len(self._refused) >= _MOST_REFUSED:
            self._refused = {}
        self._refused[secret] = ticks() + self._state.policy.refused_memory
