"""What the background has read, as requests see it. One thread writes, all others read, and nobody waits."""

from __future__ import annotations

import math
from datetime import timedelta

from .._core.clock import Clock
from ..jose import Key, KeySet, Limits, TokenError, jwt
from ..jose.errors import AudienceMismatchError
from ..jose.jwt.claims import ClaimsDecoder
from ..jose.jwt.policy import make_policy
from ..revocation.policy import LONGEST_TOKEN
from ..revocation.registry import Registry
from ..revocation.wire import AUDIENCE, TYPE, FeedEvent
from .claims import AccessClaims, check_life
from .clocks import Moment, ServerClock, ticks
from .policy import VerifierPolicy

__all__ = ["View"]

_FAR_FUTURE = 253_402_300_799.0  # the last second of the year 9999

_read_claims = ClaimsDecoder(AccessClaims, depth=32).decode


def _at_the_end_of_time() -> float:
    return _FAR_FUTURE


class View:
    """The issuer's keys, what is void, and how long ago that was true.

    Attributes:
        registry: What is void.
        tokens: Verifies access tokens; ``None`` before keys were read.
        events: Verifies the events of the ledger; likewise.
        keys: The keys.
        offset: What to add to the clock here to get the time at the server.
        complete: Whether the ledger was ever read to its end.
        as_of: When it was last known to be complete, in ticks.
        server_clock: What is known of the server's clock.
    """

    __slots__ = (
        "_audience",
        "_clock",
        "_demands",
        "_issuer",
        "_policy",
        "_secret",
        "as_of",
        "complete",
        "events",
        "keys",
        "offset",
        "registry",
        "server_clock",
        "tokens",
    )

    def __init__(
        self,
        *,
        issuer: str,
        audience: str | tuple[str, ...],
        policy: VerifierPolicy,
        clock: Clock,
        secret: Key | None = None,
    ) -> None:
        """Take whose view it is, for whom tokens must be, and the secret that signs them, if one does."""
        self._issuer = issuer
        self._audience = audience
        self._secret = secret
        self._policy = policy
        self._demands = make_policy(
            issuer=issuer,
            audience=audience,
            require=("exp", "iat", "jti", "sub"),
            leeway=timedelta(seconds=policy.leeway),
            max_age=LONGEST_TOKEN,
        )
        self._clock = clock
        self.registry: Registry = Registry(ticks=ticks)
        self.tokens: jwt.Verifier[AccessClaims] | None = None
        self.events: jwt.Verifier[FeedEvent] | None = None
        self.keys: KeySet | None = None
        self.server_clock: ServerClock = ServerClock()
        self.offset: float = 0.0
        self.complete: bool = False
        self.as_of: float = -math.inf

    @property
    def by_secret(self) -> bool:
        """Whether a secret signs the tokens: then the issuer's keys sign none of them."""
        return self._secret is not None

    @property
    def ready(self) -> bool:
        """Whether anything can be verified."""
        return self.complete and self.tokens is not None

    def age(self) -> float:
        """Return how many seconds ago the server last said how far the ledger goes."""
        return max(0.0, ticks() - self.as_of)

    def now(self) -> float:
        """Return the time, by the server's clock if the one here is off."""
        return self._clock() + self.offset

    def would_accept(self, payload: bytes) -> bool:
        """Tell whether the claims of a token are those of one that is good now, whoever signed it."""
        try:
            registered, claims = _read_claims(payload)
            self._demands.check(registered, self.now())
            check_life(claims)
        except TokenError:
            return False
        return True

    def check_recipient(self, claims: AccessClaims) -> None:
        """Refuse a token that names this service only because this is what the issuer is called.

        Behind the API that a token is for, its ``aud`` may name the issuer, whose userinfo endpoint takes it too. The
        API that it was sent to could otherwise use it at every service that is known by the issuer's name.

        Raises:
            AudienceMismatchError: If it is such a token.
        """
        meant, issuer = claims.aud, self._issuer
        if not isinstance(meant, tuple) or issuer not in meant[1:] or meant[0] == issuer:
            return
        audience = (self._audience,) if isinstance(self._audience, str) else self._audience
        if set(meant).difference({issuer}).isdisjoint(audience):
            raise AudienceMismatchError(
                "The token is for another API: this one it names only as the issuer.", claim="aud"
            )

    def install(self, keys: KeySet) -> None:
        """Use these keys from now on.

        Raises:
            KeyUseError: If none of them is for verifying.
        """
        policy = self._policy
        tokens = jwt.Verifier(
            # One or the other: a token that says it is signed in the other way is good for nothing.
            keys if self._secret is None else self._secret,
            issuer=self._issuer,
            audience=self._audience,
            claims=AccessClaims,
            typ="at+jwt",
            require=("exp", "iat", "jti", "sub"),
            leeway=timedelta(seconds=policy.leeway),
            clock=self.now,
            limits=Limits(token=policy.longest_token, header=min(8192, policy.longest_token)),
        )
        events = jwt.Verifier(
            keys,
            issuer=self._issuer,
            audience=AUDIENCE,
            claims=FeedEvent,
            typ=TYPE,
            require=("iat",),
            # An event is judged by its place and by what it answers: the clock here may be off by any amount.
            clock=_at_the_end_of_time,
            limits=Limits(token=policy.line_limit),
        )
        self.keys, self.tokens, self.events = keys, tokens, events

    def reset_clock(self, said: float, *, sent: Moment, received: Moment) -> None:
        """Take note of the server's answer to a question that it could not know before."""
        self.server_clock.answered(said, sent=sent, received=received)
        self.offset = self.server_clock.offset(received)

    def confirm(self, said: float, at: Moment) -> None:
        """Take note that the view was complete at a time that the server states."""
        clock = self.server_clock
        clock.heard(said, at)
        self.offset = clock.offset(at)
        self.as_of = max(self.as_of, at.ticks - (clock.latest(at.ticks) - said))
        self.complete = True
