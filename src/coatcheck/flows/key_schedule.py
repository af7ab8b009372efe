"""When keys are published, sign, and are trusted no more: decided over values and time, without looking anywhere.

A key is *published* before it signs, for a ``lead``, so that whoever caches the key set has it when the first token
comes. It *signs*, until another takes over. It is *retired*: it signs nothing any more, and stays published until the
last token that it signed is dead. Then it is deleted. The moments are written down with the key when they are decided,
so that all processes change over at the same instant without asking each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

import msgspec

from ..revocation.policy import LedgerPolicy
from .model import StoredKey

__all__ = [
    "KEY_SET_CACHE",
    "SLOWEST_POLL",
    "Arrangement",
    "RotationPlan",
    "RotationPolicy",
    "arrange",
    "plan_rotation",
]

KEY_SET_CACHE = timedelta(minutes=5)
"""How long the published key set may be cached (``Cache-Control: max-age``), by caches on the way too."""

SLOWEST_POLL = timedelta(minutes=10)
"""How seldom a verifier that nobody tells of new keys asks for them: the longest default of the common libraries."""

_MARGIN = timedelta(minutes=5)  # for clocks that differ, and for fetching that fails the first time
_NEW = ""  # the ``kid`` of a key that is not made yet


class RotationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How keys are replaced.

    Attributes:
        period: For how long a key signs; ``None`` until it is replaced by hand.
        lead: For how long a key is published before it signs. A verifier may get, after its own poll, a copy that a
            cache on the way holds for as long as it may: both add up.
        tokens: When what was signed is dead, whatever the settings are or were.
    """

    period: timedelta | None = timedelta(days=90)
    lead: timedelta = KEY_SET_CACHE + SLOWEST_POLL + _MARGIN
    tokens: LedgerPolicy = LedgerPolicy()

    def signs_until(self, key: StoredKey) -> float:
        """Return until when a key may sign: what it signs before is dead when it is trusted no more."""
        if key.verifies_until is None:
            return math.inf
        return key.verifies_until - self.tokens.until(0)

    def is_adrift(self, key: StoredKey, now: float) -> bool:
        """Tell whether a key is from a future that was none: the clock was ahead when it was made."""
        return key.signs_from > now + 2 * self.lead.total_seconds()


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """Which key does what, for a while.

    Attributes:
        published: The keys that are trusted, in the order of their identifiers.
        signer: The one that signs; ``None`` if none is left that may.
        since: From when on this holds.
        until: Until when.
    """

    published: tuple[StoredKey, ...]
    signer: StoredKey | None
    since: float
    until: float


class RotationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to the keys, in one transaction.

    Attributes:
        remove: Keys that are trusted no more at all.
        retire: Keys, and until when what they signed is trusted.
        signs_from: From when on a new key signs; ``None`` if there is to be none.
    """

    remove: tuple[str, ...] = ()
    retire: tuple[tuple[str, float], ...] = ()
    signs_from: float | None = None

    def __bool__(self) -> bool:
        return self != RotationPlan()


def arrange(keys: Iterable[StoredKey], now: float, policy: RotationPolicy) -> Arrangement:
    """Return which key does what."""
    keys = list(keys)
    moments = [
        moment
        for key in keys
        for moment in (key.signs_from, key.verifies_until, policy.signs_until(key))
        if moment is not None
    ]
    return Arrangement(
        published=tuple(sorted((key for key in keys if _is_trusted(key, now)), key=lambda key: key.kid)),
        signer=_signer(keys, now, policy),
        since=max((moment for moment in moments if moment <= now), default=-math.inf),
        until=min((moment for moment in moments if moment > now), default=math.inf),
    )


def plan_rotation(
    keys: Sequence[StoredKey],
    now: float,
    policy: RotationPolicy,
    *,
    asked: bool = False,
    compromised: frozenset[str] = frozenset(),
) -> RotationPlan:
    """Decide what is to be done to the keys.

    It is safe to ask as often as anybody likes: where all is done, or under way, there is nothing to do.

    Args:
        keys: All keys.
        now: The time, in seconds since 1970.
        policy: How keys are replaced.
        asked: Whether to replace the one that signs whatever its age, in the orderly way.
        compromised: The keys that somebody else may have: they are out at once, and if none is left that may sign, a
            new one signs at once, published or not.
    """
    left = [key for key in keys if key.kid not in compromised]
    signer = _signer(left, now, policy)
    signs_from = _new_key(left, signer, now, policy=policy, asked=asked, emergency=len(left) < len(keys))
    if signs_from is not None:
        new = StoredKey(kid=_NEW, use="", sealed=b"", created_at=now, signs_from=signs_from)
        left.append(new)
        signer = new if signs_from <= now else signer
    return RotationPlan(
        remove=tuple(sorted(key.kid for key in keys if key.kid in compromised)),
        retire=tuple(_retired(left, signer, now, policy=policy)),
        signs_from=signs_from,
    )


def _is_trusted(key: StoredKey, now: float) -> bool:
    return key.verifies_until is None or now < key.verifies_until


def _signer(keys: Iterable[StoredKey], now: float, policy: RotationPolicy) -> StoredKey | None:
    """Return the key that signs: the one that took over last, of those whose time has come and is not over."""
    able = [key for key in keys if now < policy.signs_until(key)]
    ready = [key for key in able if key.signs_from <= now]
    if ready:
        return max(ready, key=_takes_over)
    # The clock was put back behind the beginning of all. They have been published since; the one that leaves first is
    # the one that signed.
    return min(able, key=lambda key: (policy.signs_until(key), *_takes_over(key)), default=None)


def _takes_over(key: StoredKey) -> tuple[float, float, str]:
    return key.signs_from, key.created_at, key.kid


def _new_key(
    keys: Sequence[StoredKey],
    signer: StoredKey | None,
    now: float,
    *,
    policy: RotationPolicy,
    asked: bool,
    emergency: bool,
) -> float | None:
    """Return from when on a new key is to sign; ``None`` if none is needed."""
    # Whole seconds: sums and differences of them are exact, so that no instant is left in which nobody may sign.
    at_once = float(math.floor(now))
    if signer is None:
        return at_once
    if emergency and (signer.signs_from > now or signer.verifies_until is not None):
        return at_once  # what is left is not published for long enough, or on its way out
    if _heirs(keys, signer, now, policy=policy) or not (asked or _is_due(signer, now, policy)):
        return None
    return math.ceil(now) + policy.lead.total_seconds()


def _is_due(signer: StoredKey, now: float, policy: RotationPolicy) -> bool:
    if policy.period is None:
        return False
    if policy.is_adrift(signer, now):
        return True
    begun = max(signer.signs_from, signer.created_at)
    return now + policy.lead.total_seconds() >= begun + policy.period.total_seconds()


def _heirs(
    keys: Iterable[StoredKey], signer: StoredKey | None, now: float, *, policy: RotationPolicy
) -> list[StoredKey]:
    """Return the keys that are published and wait for their time, in the order of it."""
    waiting = [
        key
        for key in keys
        if key is not signer
        and now < key.signs_from < policy.signs_until(key)
        and not policy.is_adrift(key, now)
    ]
    return sorted(waiting, key=_takes_over)


def _retired(
    keys: Sequence[StoredKey], signer: StoredKey | None, now: float, *, policy: RotationPolicy
) -> Iterable[tuple[str, float]]:
    """Yield the keys that have, or get, a successor, and until when what they signed may live."""
    heirs = _heirs(keys, signer, now, policy=policy)
    line = ([] if signer is None else [signer]) + heirs
    for key, successor in pairwise(line):
        until = policy.tokens.until(successor.signs_from)
        if key.verifies_until is None or key.verifies_until > until:
            yield key.kid, until
    for key in keys:
        if key.verifies_until is None and key not in line and key.signs_from <= now:
            yield key.kid, policy.tokens.until(now)
