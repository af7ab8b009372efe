"""The tunables of sessions, as data. Spans are ``timedelta``."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

__all__ = ["NIST_AAL2", "NIST_AAL3", "PROFILES", "RELAXED", "Profile", "RefreshPolicy", "SessionPolicy"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How long sessions live.

    Attributes:
        name: What the profile is called in configuration and in the session's record.
        lifetime: When a session ends in any case, counted from the sign-in or the latest re-authentication.
        idle_timeout: After how long without use it ends.
        touch_interval: How coarsely use is noted. A session may end this much earlier than ``idle_timeout`` after its
            last use, never later.
        persistent: Whether the cookie outlives the browser's restart.
    """

    name: str
    lifetime: timedelta
    idle_timeout: timedelta
    touch_interval: timedelta
    persistent: bool


RELAXED = Profile(
    name="relaxed",
    lifetime=timedelta(days=30),
    idle_timeout=timedelta(days=14),
    touch_interval=timedelta(hours=1),
    persistent=True,
)
"""For ordinary applications: NIST SP 800-63B-4 section 2.1.3 (AAL1) suggests at most 30 days."""

NIST_AAL2 = Profile(
    name="nist-aal2",
    lifetime=timedelta(hours=24),
    idle_timeout=timedelta(hours=1),
    touch_interval=timedelta(minutes=1),
    persistent=False,
)
"""NIST SP 800-63B-4 section 2.2.3: at most 24 hours, and one hour without use."""

NIST_AAL3 = Profile(
    name="nist-aal3",
    lifetime=timedelta(hours=12),
    idle_timeout=timedelta(minutes=15),
    touch_interval=timedelta(seconds=15),
    persistent=False,
)
"""NIST SP 800-63B-4 section 2.3.3: at most 12 hours, and 15 minutes without use."""

PROFILES = {profile.name: profile for profile in (RELAXED, NIST_AAL2, NIST_AAL3)}


class SessionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all sessions.

    Attributes:
        profile: How long they live.
        max_sessions: How many one user may have at once; ``None`` for any number.
        at_limit: What a sign-in beyond that does: end the session that was not used for longest, or be refused.
        binding: What a session is bound to, beside its secret. ``"user-agent"`` ends a session that shows up in
            another kind of browser: it stops the clumsiest thieves, and signs people out at some browser updates.
            ``"address"`` ends one that comes from another network (/24 of IPv4, /56 of IPv6): it stops more thieves,
            and signs people out whenever their phone changes from wireless to mobile. A thief who can read a cookie
            can usually read the rest too, so neither is a substitute for anything.
    """

    profile: Profile = RELAXED
    max_sessions: int | None = 100
    at_limit: Literal["end-oldest", "refuse"] = "end-oldest"
    binding: Literal["off", "user-agent", "address"] = "off"


class RefreshPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How refresh tokens live. None outlives its session.

    Attributes:
        idle_timeout: After how long an unused token ends.
        lifetime: When the whole chain ends, counted from the sign-in.
        replay_window: For how long the same token, from the same client, is answered with the same successor.
    """

    idle_timeout: timedelta = timedelta(days=14)
    lifetime: timedelta = timedelta(days=30)
    replay_window: timedelta = timedelta(seconds=10)
