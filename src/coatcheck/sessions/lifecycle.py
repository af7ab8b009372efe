"""The life of a session: how it begins, whether it still is one, and when its use is worth noting.

All of it is arithmetic over values; whoever calls it loads before and commits after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from .._core.secrets import digest
from ..identity import Client
from .errors import TooManySessionsError
from .model import Session
from .policy import SessionPolicy

__all__ = ["begin", "is_alive", "needs_touch", "plan_admission", "renew", "touch_interval"]


def begin(
    policy: SessionPolicy,
    *,
    session_id: str,
    user_id: str,
    secret: str | None,
    methods: Iterable[str],
    client: Client,
    scope: str | None,
    binding: bytes | None,
    now: float,
) -> Session:
    """Return a new session.

    Args:
        policy: The limits that it is made under.
        session_id: A new identifier.
        user_id: Whose it is.
        secret: What the cookie will carry: 256 new random bits. ``None`` if tokens will carry it.
        methods: How the user proved who they are (``amr``).
        client: What the request showed of itself.
        scope: What it was asked for; ``None`` for all.
        binding: What it is bound to, if anything.
        now: The time.
    """
    profile = policy.profile
    return Session(
        id=session_id,
        user_id=user_id,
        digest=None if secret is None else digest(secret),
        profile=profile.name,
        created_at=now,
        authenticated_at=now,
        methods=tuple(methods),
        last_seen_at=now,
        idle_timeout=profile.idle_timeout.total_seconds(),
        expires_at=now + profile.lifetime.total_seconds(),
        client=client,
        scope=scope,
        binding=binding,
    )


def renew(
    session: Session, policy: SessionPolicy, *, secret: str | None, client: Client, now: float
) -> Session:
    """Return a session after its user proved once more who they are: another secret, and the limits anew.

    NIST SP 800-63B-4 section 5.2; ASVS 5.0, 7.2.4: the secret of before is worth nothing from then on.
    """
    fresh = begin(
        policy,
        session_id=session.id,
        user_id=session.user_id,
        secret=secret,
        methods=session.methods,
        client=client,
        scope=session.scope,
        binding=session.binding,
        now=now,
    )
    return replace(
        fresh,
        created_at=session.created_at,
        client_id=session.client_id,
        parent_id=session.parent_id,
        data=session.data,
        data_revision=session.data_revision,
    )


def is_alive(session: Session, now: float) -> bool:
    """Tell whether a session may be used: neither too old nor unused for too long."""
    return now < session.expires_at and now < session.last_seen_at + session.idle_timeout


def touch_interval(session: Session, policy: SessionPolicy) -> float:
    """Return how coarsely the use of a session is noted, in seconds: never so coarse that it could expire in use."""
    return min(policy.profile.touch_interval.total_seconds(), session.idle_timeout / 4)


def needs_touch(session: Session, policy: SessionPolicy, *, now: float) -> bool:
    """Tell whether the use of a session at this time is to be noted."""
    return now >= session.last_seen_at + touch_interval(session, policy)


def plan_admission(existing: Sequence[Session], policy: SessionPolicy, *, now: float) -> list[str]:
    """Return the identifiers of the sessions that end so that one more may begin.

    Raises:
        TooManySessionsError: If the policy is to refuse.
    """
    dead = [session.id for session in existing if not is_alive(session, now)]
    limit = policy.max_sessions
    if limit is None:
        return dead
    alive = sorted(
        (session for session in existing if is_alive(session, now)), key=lambda each: each.last_seen_at
    )
    excess = len(alive) + 1 - limit
    if excess > 0 and policy.at_limit == "refuse":
        raise TooManySessionsError(
            f"You are signed in {len(alive)} times, which is as often as allowed. Sign out somewhere first."
        )
    return dead + [session.id for session in alive[: max(excess, 0)]]
