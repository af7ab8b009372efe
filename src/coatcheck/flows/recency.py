"""Step-up: what needs a sign-in that is not long ago (RFC 9470; ASVS 5.0, 7.5.1 to 7.5.3)."""

from __future__ import annotations

from datetime import timedelta

from ..identity import Identity
from .context import Context
from .errors import RecentSignInNeededError

__all__ = ["require_recent"]


def require_recent(context: Context, identity: Identity, max_age: timedelta | None = None) -> None:
    """Do nothing if the user proved who they are recently.

    Args:
        context: Where the time and the usual limit come from.
        identity: Who asks.
        max_age: How long ago it may be, if not as usual.

    Raises:
        RecentSignInNeededError: If it is too long ago.
    """
    limit = (context.policy.recent if max_age is None else max_age).total_seconds()
    if context.clock() - identity.authenticated_at.timestamp() > limit:
        raise RecentSignInNeededError(max_age=int(limit))
