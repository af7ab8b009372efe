"""Counting attempts: every guess is paid for before it is looked at, so that a burst cannot slip through."""

from __future__ import annotations

from collections.abc import Mapping

from ..accounts.errors import TooManyAttemptsError
from ..accounts.policy import Rate
from ..accounts.throttle import Refused, plan_attempt
from .context import Context

__all__ = ["admit"]


async def admit(context: Context, limits: Mapping[str, Rate]) -> None:
    """Count one attempt against all limits, or against none.

    Raises:
        TooManyAttemptsError: If one of them is reached.
    """
    now = context.clock()

    def decide(times: Mapping[str, float]) -> Mapping[str, float]:
        plan = plan_attempt(times, limits, now=now)
        if isinstance(plan, Refused):
            raise TooManyAttemptsError(retry_after=plan.retry_after)
        return plan.times

    await context.storage.change_throttles(list(limits), decide)
