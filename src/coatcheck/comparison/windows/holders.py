"""Somebody with a credential, who goes on showing it until it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom
from time import perf_counter
from typing import Final

import msgspec

from ..errors import ComparisonError

__all__ = ["Holder", "in_turn", "moments", "observe", "observe_together"]

_BETWEEN: Final = 0.008
"""Seconds between two requests of one holder, where a lifetime decides: the resolution, before it is multiplied."""

_PATIENCE: Final = 30.0
_TRIES: Final = 5


def _as_it_is() -> None:
    """Begin with what there is."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown, and how it comes to be worth nothing.

    Attributes:
        accepted: Shows it once; tells whether it is accepted, or still carries the role.
        order: Ends that.
        after: After how many seconds of showing it the order is given.
        between: Seconds between two requests.
        begin: Gets what is shown, at the beginning of its life.
    """

    accepted: Callable[[], Awaitable[bool]]
    order: Callable[[], Awaitable[object]]
    after: float
    between: float = _BETWEEN
    begin: Callable[[], object] = _as_it_is


async def observe(holder: Holder) -> float:
    """Return the seconds from the order to the first refusal.

    Raises:
        ComparisonError: If what is shown is never accepted, or for ever.
    """
    for _ in range(_TRIES):
        if await _is_accepted_until_the_order(holder):
            break
        # A machine that stood still for a moment let a short life run out: another one is watched.
    else:
        raise ComparisonError("A credential was refused before the order to end it was given.")
    ordered = perf_counter()
    await holder.order()
    while await holder.accepted():
        if perf_counter() - ordered > _PATIENCE:
            raise ComparisonError(f"A credential was still accepted {_PATIENCE:g} s after its end.")
        await asyncio.sleep(holder.between)
    return perf_counter() - ordered


async def _is_accepted_until_the_order(holder: Holder) -> bool:
    began = perf_counter()
    holder.begin()
    while await holder.accepted():
        left = holder.after - (perf_counter() - began)
        if left <= 0:
            return True
        await asyncio.sleep(min(holder.between, left))
    return False


async def observe_together(holders: Sequence[Holder]) -> list[float]:
    """Watch all of them at the same time; return the windows in their order.

    Raises:
        ComparisonError: What ``observe`` raises first. The others are no longer watched then.
    """
    try:
        async with asyncio.TaskGroup() as group:
            watched = [group.create_task(observe(each)) for each in holders]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [each.result() for each in watched]


async def in_turn(make: Callable[[], Awaitable[Holder]], *, rounds: int) -> list[float]:
    """Watch one after the other, so that none holds another up; return the windows."""
    return [await observe(await make()) for _ in range(rounds)]


def moments(count: int, *, within: float) -> list[float]:
    """Return moments that are evenly spread over a span, in no order: nobody knows when a credential is stolen."""
    spread = [(number + 0.5) / count * within for number in range(count)]
    SystemRandom().shuffle(spread)
    return spread
