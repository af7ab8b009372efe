"""Contenders run in turns, and each round begins with another one."""

import asyncio
import gc

from coatcheck.comparison.timing import Contender, Effort, Race, yardstick

EFFORT = Effort(rounds=3, figures=4, sample_ms=50.0)


def test_rounds_of_all_contenders_are_run_in_turns() -> None:
    order: list[str] = []

    def entered(name: str) -> Contender:
        def inputs() -> list[int]:
            order.append(name)
            return [1, 2]

        return Contender(name=name, call=lambda _: None, inputs=inputs)

    rounds: list[int] = []
    found = asyncio.run(
        Race([entered(name) for name in "ABC"], EFFORT).run(lambda: rounds.append(len(order)))
    )
    assert "".join(order) == "ABC" + "ABC" + "BCA" + "CAB"  # the first time to warm up
    assert rounds == [6, 9, 12]
    assert set(found) == set("ABC")
    assert all(len(each.rounds) == 3 and each.wall.count == 12 for each in found.values())


def test_what_is_too_short_for_the_clock_is_timed_many_at_a_time() -> None:
    found = asyncio.run(
        Race([Contender(name="short", call=lambda _: None, inputs=lambda: [1])], EFFORT).run(lambda: None)
    )
    assert found["short"].wall.calls > found["short"].wall.count == 12


def test_what_is_new_each_time_is_used_once() -> None:
    used: list[int] = []
    made = iter(range(1000))
    contender = Contender(
        name="new", call=used.append, inputs=lambda: [next(made) for _ in range(5)], each=True
    )
    found = asyncio.run(Race([contender], Effort(rounds=2, figures=9, sample_ms=1000.0)).run(lambda: None))
    assert used == sorted(set(used))
    assert found["new"].wall.count == found["new"].wall.calls == 10


def test_coroutines_are_timed_too_and_inputs_may_be_awaited() -> None:
    seen: list[int] = []

    async def call(value: int) -> None:
        await asyncio.sleep(0)
        seen.append(value)

    async def inputs() -> list[int]:
        await asyncio.sleep(0)
        return [7]

    found = asyncio.run(
        Race([Contender(name="a", call=call, inputs=inputs), yardstick()], EFFORT).run(lambda: None)
    )
    assert set(seen) == {7}
    assert found["a"].wall.median > 0
    assert found["yardstick"].wall.minimum > 0


def test_the_garbage_collector_rests_while_the_clock_runs_and_goes_on_afterwards() -> None:
    states: list[bool] = []

    def call(_: object) -> None:
        states.append(gc.isenabled())

    before = gc.isenabled()
    asyncio.run(
        Race([Contender(name="a", call=call, inputs=lambda: [1], each=True)], EFFORT).run(lambda: None)
    )
    assert not any(states[1:])
    assert gc.isenabled() == before
