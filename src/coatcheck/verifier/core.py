"""From a token to whom it stands for. In memory, without waiting for anybody.

A verified token is remembered with the epoch of the ledger in which it was looked up. While the epoch is the same,
nothing that the ledger says has changed, and there is nothing to look up. The epoch is read *before* the ledger is
asked, and the ledger counts it up *after* it has taken note of what came: whoever finds the new epoch finds the entries
too, and an answer from between the two is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .._core.clock import Clock
from ..errors import CoatcheckError
from ..identity import MalformedScopeError
from ..jose import TokenError
from ..jose import errors as jose
from ..jose.hazmat import read_unverified
from ..revocation.model import Kind
from .cache import Cache
from .claims import Known, known_token
from .clocks import ticks
from .errors import InvalidTokenError, NotReadyError, StaleViewError, UnknownKeyError, VerificationError
from .model import Principal
from .policy import VerifierPolicy
from .view import View

__all__ = ["Core"]

_REASONS: Final[tuple[tuple[type[TokenError], str], ...]] = (
    (jose.InvalidSignatureError, "signature"),
    (jose.ExpiredTokenError, "expired"),
    (jose.AudienceMismatchError, "audience"),
    (jose.IssuerMismatchError, "issuer"),
    (jose.TokenNotYetValidError, "not-yet-valid"),
    (jose.IssuedInFutureError, "not-yet-valid"),
    (jose.ClaimError, "claims"),
    (jose.UnexpectedTypeError, "type"),
    (jose.AlgorithmMismatchError, "algorithm"),
)
_LONGEST_KID: Final = 256


def _nothing() -> None:
    """Wait for nothing."""


class Core:
    """Verifies tokens against a view of the issuer.

    Attributes:
        hits: How many were remembered.
        misses: How many were not.
        refusals: How many were refused, by reason.
    """

    __slots__ = (
        "_await_ready",
        "_cache",
        "_clock",
        "_limit",
        "_policy",
        "_registry",
        "_unknown_key",
        "_view",
        "hits",
        "misses",
        "refusals",
    )

    def __init__(
        self,
        view: View,
        policy: VerifierPolicy,
        *,
        clock: Clock,
        max_staleness: float | None,
        unknown_key: Callable[[], None],
        await_ready: Callable[[], None] = _nothing,
    ) -> None:
        """Take what it looks at.

        Args:
            view: Keys and ledger.
            policy: The tunables.
            clock: The time here.
            max_staleness: How old the view may be, in seconds; ``None`` if it may be of any age.
            unknown_key: Called for a token that would be good but for a key that is not known.
            await_ready: Called if nothing can be verified yet; may wait until it can.
        """
        self._view = view
        self._registry = view.registry
        self._policy = policy
        self._clock = clock
        self._limit = max_staleness
        self._unknown_key = unknown_key
        self._await_ready = await_ready
        self._cache: Cache[Known] = Cache(policy.cache_size)
        self.hits: int = 0
        self.misses: int = 0
        self.refusals: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many tokens are remembered."""
        return len(self._cache)

    def verify(self, token: str) -> Principal:
        """Return whom a token stands for.

        Raises:
            InvalidTokenError: If it is not good, or not any more.
            NotReadyError: If nothing can be verified yet.
            StaleViewError: If the view is older than it may be.
        """
        try:
            known = self._cache.hot.get(token) or self._cache.recall(token)
        except TypeError:
            known = None  # it cannot even be looked up, and is refused like everything that is no text
        if known is None:
            return self._verify_unknown(token)
        epoch = self._registry.epoch
        if known.epoch != epoch:
            try:
                self.look_up(known)
            except InvalidTokenError:
                self._cache.forget(token)
                raise
            known.epoch = epoch
        if not self._clock() + self._view.offset < known.ends_at:
            self._cache.forget(token)
            raise self.refused(InvalidTokenError("The token has expired.", reason="expired"))
        if self._limit is not None:
            self.check_staleness()
        self.hits += 1
        return known.principal

    def look_up(self, known: Known) -> None:
        """Ask the ledger about a credential. The caller has read the epoch before.

        Raises:
            InvalidTokenError: If it has been revoked.
        """
        kind = self._registry.void(known.facts)
        if kind is not None:
            raise self.refused(_revoked(kind))

    def check_staleness(self) -> None:
        """Refuse all if the view is older than it may be. Raises ``StaleViewError``."""
        # Written so that a clock that returns no number refuses.
        if self._limit is not None and not ticks() - self._view.as_of <= self._limit:
            raise self.refused(StaleViewError(age=self._view.age()))

    def check_ready(self) -> None:
        """Raise ``NotReadyError`` if nothing can be verified yet."""
        if not self._view.ready:
            self._await_ready()
        if not self._view.ready:
            raise self.refused(NotReadyError())

    def refused(self, error: VerificationError) -> VerificationError:
        """Count a refusal, and return it."""
        self.refusals[error.reason] = self.refusals.get(error.reason, 0) + 1
        return error

    def _verify_unknown(self, token: str) -> Principal:
        self.misses += 1
        self.check_ready()
        self.check_staleness()
        tokens = self._view.tokens
        assert tokens is not None  # noqa: S101 - it is ready
        epoch = self._registry.epoch
        try:
            if type(token) is not str:
                raise jose.MalformedTokenError("A token is text.")
            verified = tokens.verify(token, now=self._view.now())
            self._view.check_recipient(verified.claims)
            known = known_token(verified, leeway=self._policy.leeway, epoch=epoch)
        except jose.NoMatchingKeyError as error:
            if self._view.by_secret:
                message = "The token is not signed with the secret of this service."
                raise self.refused(InvalidTokenError(message, reason="algorithm")) from None
            if self._is_plausible(token):
                self._unknown_key()
            raise self.refused(UnknownKeyError(detail=error.detail)) from None
        except (TokenError, MalformedScopeError) as error:
            raise self.refused(_translated(error)) from None
        self.look_up(known)
        if len(token) <= self._policy.longest_remembered:
            self._cache.remember(token, known)
        return known.principal

    def _is_plausible(self, token: str) -> bool:
        """Tell whether a token would be good, if only its signature were: else its key is of no interest.

        It was signed by nobody knows whom. Somebody who knows what our tokens look like can still make one up, which is
        why there is a cool-down too.
        """
        try:
            unverified = read_unverified(token)
        except TokenError:
            return False
        kid = unverified.header.get("kid")
        if not isinstance(kid, str) or len(kid) > _LONGEST_KID:
            return False
        return self._view.would_accept(unverified.payload or b"")


def _revoked(kind: Kind) -> InvalidTokenError:
    message = "The sign-in has ended." if kind == "session" else "The token has been revoked."
    return InvalidTokenError(message, reason=f"revoked-{kind}")


def _translated(error: CoatcheckError) -> InvalidTokenError:
    """Say in one word why a token is refused, and pass on nothing that it claims of itself."""
    reason = "malformed"
    if isinstance(error, MalformedScopeError):
        reason = "claims"
    for kind, word in _REASONS:
        if isinstance(error, kind):
            reason = word
            break
    return InvalidTokenError(error.message, reason=reason, detail=error.detail)
