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
    async with context.storage.transaction() as records:
        plan = plan_attempt(await records.read_throttles(list(limits)), limits, now=now)
        if isinstance(plan, Refused):
            raise TooManyAttemptsError(retry_after=plan.retry_after)
        await records.write_throttles(plan.times)
