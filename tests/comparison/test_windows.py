"""What is measured is the time from the order to the first refusal, with real tokens and real stores."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import msgspec
import pytest

from coatcheck.comparison.errors import ComparisonError
from coatcheck.comparison.model import Event
from coatcheck.comparison.stores.base import Line
from coatcheck.comparison.stores.memory import MemoryStore
from coatcheck.comparison.stores.opening import open_store
from coatcheck.comparison.windows import holders
from coatcheck.comparison.windows.holders import Holder, in_turn, moments, observe, observe_together
from coatcheck.comparison.windows.lifetimes import Lifetime, Tickets, kept_answers, refreshed, until_expiry
from coatcheck.comparison.windows.stored import Case, denylisted, looked_up, measure

SHORT = Lifetime(seconds=0.3, holders=4)
EVENTS: list[Event] = ["revoked", "role removed"]


def test_a_window_begins_with_the_order_and_ends_with_the_first_refusal() -> None:
    events: list[str] = []

    async def accepted() -> bool:
        events.append("asked")
        return events.count("asked") < 3

    async def order() -> None:
        events.append("ordered")

    window = asyncio.run(observe(Holder(accepted=accepted, order=order, after=0.0, between=0.0)))
    assert events == ["asked", "ordered", "asked", "asked"]
    assert window > 0


def test_the_time_that_the_order_takes_is_part_of_the_window() -> None:
    taken: list[float] = []

    async def accepted() -> bool:
        return not taken

    async def order() -> None:
        began = time.perf_counter()
        await asyncio.sleep(0.02)
        taken.append(time.perf_counter() - began)

    assert asyncio.run(observe(Holder(accepted=accepted, order=order, after=0.0))) >= taken[0]


def test_what_is_refused_before_the_order_is_no_figure() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ComparisonError, match="before the order"):
        asyncio.run(observe(Holder(accepted=never, order=never, after=0.0)))


def test_a_machine_that_stands_still_before_the_order_only_costs_another_try() -> None:
    tickets, begun = Tickets(0.2), 0
    (watched,) = until_expiry(tickets, Lifetime(seconds=0.2, holders=1))

    def begin() -> None:
        nonlocal begun
        begun += 1
        watched.begin()
        if begun == 1:
            time.sleep(0.25)

    window = asyncio.run(observe(msgspec.structs.replace(watched, begin=begin)))
    assert begun >= 2
    assert window > 0


def test_what_is_accepted_for_ever_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "_PATIENCE", 0.0)

    async def always() -> bool:
        return True

    with pytest.raises(ComparisonError, match="still accepted"):
        asyncio.run(observe(Holder(accepted=always, order=always, after=0.0)))


def test_when_one_gives_no_figure_the_others_are_no_longer_watched() -> None:
    asked: list[float] = []

    async def never() -> bool:
        return False

    async def always() -> bool:
        asked.append(time.perf_counter())
        return True

    async def run() -> None:
        with pytest.raises(ComparisonError, match="before the order"):
            await observe_together(
                [
                    Holder(accepted=always, order=always, after=60.0, between=0.0),
                    Holder(accepted=never, order=never, after=0.0),
                ]
            )
        assert asked
        asked.clear()
        await asyncio.sleep(0.02)
        assert not asked

    asyncio.run(run())


def test_one_after_the_other_makes_a_new_one_each_time() -> None:
    made: list[int] = []

    async def make() -> Holder:
        asked: list[int] = []
        made.append(1)

        async def accepted() -> bool:
            asked.append(1)
            return len(asked) == 1

        async def order() -> None:
            pass

        return Holder(accepted=accepted, order=order, after=0.0)

    assert len(asyncio.run(in_turn(make, rounds=3))) == len(made) == 3


def test_orders_come_at_moments_evenly_spread_over_the_lifetime() -> None:
    assert sorted(moments(4, within=8.0)) == [1.0, 3.0, 5.0, 7.0]


def noting_refusals(holder: Holder, refused_at: list[float]) -> Holder:
    async def accepted() -> bool:
        found = await holder.accepted()
        if not found:
            refused_at.append(time.time())
        return found

    return msgspec.structs.replace(holder, accepted=accepted)


def test_a_token_that_nobody_can_end_works_for_the_rest_of_its_life() -> None:
    refused_at: list[float] = []
    issued = time.time()

    async def run() -> list[float]:
        watched = until_expiry(Tickets(SHORT.seconds), SHORT)
        return await observe_together([noting_refusals(each, refused_at) for each in watched])

    assert len(asyncio.run(run())) == SHORT.holders <= len(refused_at)
    assert all(each >= issued + SHORT.seconds for each in refused_at)


@pytest.mark.parametrize("event", EVENTS, ids=["revoked", "role"])
def test_a_short_token_works_until_it_is_to_be_refreshed(event: Event) -> None:
    refused_at: list[float] = []
    issued = time.time()

    async def run() -> list[float]:
        line = MemoryStore().connect()
        watched = refreshed(Tickets(SHORT.seconds), SHORT, line=line, event=event)
        return await observe_together([noting_refusals(each, refused_at) for each in watched])

    assert len(asyncio.run(run())) == SHORT.holders <= len(refused_at)
    assert all(each >= issued + SHORT.seconds for each in refused_at)


def test_a_refreshed_token_is_accepted_until_the_order_comes() -> None:
    lifetime = Lifetime(seconds=0.1, holders=1)

    async def run() -> float:
        (watched,) = refreshed(Tickets(0.1), lifetime, line=MemoryStore().connect(), event="revoked")
        return await observe(msgspec.structs.replace(watched, after=0.25))

    assert asyncio.run(run()) >= 0  # it lived through two refreshes before


def test_an_answer_is_kept_for_its_time_and_then_asked_for_again() -> None:
    asked: list[float] = []
    ended = False

    async def ask() -> bool:
        asked.append(time.perf_counter())
        return not ended

    async def order() -> None:
        nonlocal ended
        ended = True

    async def run() -> float:
        case: tuple[Callable[[], Awaitable[bool]], Callable[[], Awaitable[object]]] = (ask, order)
        (watched,) = kept_answers(Lifetime(seconds=0.2, holders=1), [case])
        return await observe(watched)

    assert asyncio.run(run()) > 0
    assert len(asked) >= 2
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(asked))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "redis"])
def test_who_asks_a_store_each_time_refuses_after_the_order(
    kind: str, request: pytest.FixtureRequest
) -> None:
    name = {"postgresql": "postgres_url", "redis": "redis_url"}.get(kind)
    store = open_store(kind if name is None else str(request.getfixturevalue(name)))
    try:
        store.fill([])
        for make in (looked_up("revoked"), looked_up("role removed"), denylisted(Tickets(3600))):
            windows = asyncio.run(measure(store, make, rounds=2))
            assert len(windows) == 2
            assert all(0 < each < 30 for each in windows)
    finally:
        store.clear()


def test_what_fails_in_the_thread_is_told_and_the_thread_ends() -> None:
    def fail(_: Line) -> bool:
        raise ComparisonError("it has failed")

    store = open_store("memory")
    with pytest.raises(ComparisonError, match="it has failed"):
        asyncio.run(measure(store, lambda _: Case(accepted=fail, order=lambda _: None), rounds=1))


def test_whoever_is_interrupted_leaves_no_thread_behind() -> None:

    store = open_store("memory")

    async def run() -> None:
        endless = Case(accepted=lambda _: True, order=lambda _: None)
        async with asyncio.timeout(0.05):
            await measure(store, lambda _: endless, rounds=1)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert not [each for each in threading.enumerate() if each.name == "coatcheck comparison"]
