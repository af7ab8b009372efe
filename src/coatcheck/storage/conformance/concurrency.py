"""What ``of`` promises: transactions of one user are one after the other, and of several none waits for ever.

Here two storages on the same records stand for two nodes. A storage on which all that writes is serial anyway keeps
every promise; one with several writers has to do something for it.
"""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from ...accounts.model import LinkPurpose
from ...flows.ports import Storage
from .driving import Factory
from .samples import NOW, a_draft, a_link, a_service, a_session, a_stream, a_token, a_user, digest_of

__all__ = ["SharedConcurrency"]

_ROUNDS = 15
_SECONDS = 30.0  # nothing here takes one

Nodes = tuple[Storage, Storage]


def _on_two_nodes(
    body: Callable[[Any, Nodes], Coroutine[Any, Any, None]],
) -> Callable[[Any, Factory], None]:
    """Make a test method out of a coroutine method that takes two storages on the same records."""

    def test(self: object, new_storage: Factory) -> None:
        async def drive() -> None:
            async with _opened(new_storage) as one, _opened(new_storage) as other, asyncio.timeout(_SECONDS):
                await body(self, (one, other))

        asyncio.run(drive())

    test.__name__ = test.__qualname__ = body.__name__
    return test


@asynccontextmanager
async def _opened(factory: Factory) -> AsyncIterator[Storage]:
    storage = factory()
    try:
        yield storage
    finally:
        await storage.close()


async def _count_up(storage: Storage, key: str, *of: str) -> None:
    """Read, decide, and write: whoever comes in between makes it one too few."""
    for _ in range(_ROUNDS):
        async with storage.transaction(*of) as records:
            times = await records.read_throttles([key])
            await asyncio.sleep(0)
            await records.write_throttles({key: times.get(key, 0.0) + 1})


async def _counted(storage: Storage, key: str) -> float:
    return (await storage.records.read_throttles([key]))[key]


class SharedConcurrency:
    """Of two storages on the same records. The factory opens the same records each time."""

    @_on_two_nodes
    async def test_transactions_of_one_user_are_serial_on_whichever_node(self, nodes: Nodes) -> None:
        await asyncio.gather(*(_count_up(node, "count", "ada") for node in nodes * 3))
        assert await _counted(nodes[0], "count") == 6 * _ROUNDS

    @_on_two_nodes
    async def test_one_of_nobody_is_alone_beside_those_of_all_users(self, nodes: Nodes) -> None:
        one, other = nodes
        await asyncio.gather(
            *(_count_up(node, name, name) for node in nodes for name in ("ada", "eve")),
            _count_up(one, "ada"),
            _count_up(other, "eve"),
        )
        for name in ("ada", "eve"):
            assert await _counted(one, name) == 3 * _ROUNDS

    @_on_two_nodes
    async def test_one_of_several_users_is_serial_with_those_of_each(self, nodes: Nodes) -> None:
        one, other = nodes
        await asyncio.gather(
            _count_up(one, "ada", "ada"),
            _count_up(one, "eve", "eve"),
            _count_up(other, "ada", "ada", "eve"),
            _count_up(other, "eve", "ada", "eve"),
        )
        for name in ("ada", "eve"):
            assert await _counted(one, name) == 2 * _ROUNDS

    @_on_two_nodes
    async def test_those_who_want_the_same_users_in_another_order_do_not_wait_for_ever(
        self, nodes: Nodes
    ) -> None:
        names = ["ada", "eve", "bob"]
        orders = list(itertools.permutations(names))
        await asyncio.gather(*(_count_up(node, "count", *order) for node in nodes for order in orders))
        assert await _counted(nodes[0], "count") == len(nodes) * len(orders) * _ROUNDS

    @_on_two_nodes
    async def test_the_same_user_twice_is_once(self, nodes: Nodes) -> None:
        await asyncio.gather(*(_count_up(node, "count", "ada", "ada") for node in nodes))
        assert await _counted(nodes[0], "count") == 2 * _ROUNDS

    @_on_two_nodes
    async def test_what_is_read_inside_is_what_was_committed_before_the_turn_came(self, nodes: Nodes) -> None:
        one, other = nodes
        await one.records.add_user(a_user())
        entered = asyncio.Event()

        async def change() -> None:
            async with one.transaction("user-ada") as records:
                entered.set()
                await asyncio.sleep(0.02)  # the other waits for its turn by now, or soon
                changed = replace(a_user(), password_hash=None)
                assert await records.replace_user(changed, expected=a_user())

        async def read() -> None:
            await entered.wait()
            async with other.transaction("user-ada") as records:
                user = await records.find_user("user-ada")
                assert user is not None
                assert user.password_hash is None

        await asyncio.gather(change(), read())

    @_on_two_nodes
    async def test_users_who_append_at_once_share_one_ledger_without_a_gap(self, nodes: Nodes) -> None:
        async def append(node: Storage, name: str) -> None:
            for number in range(_ROUNDS):
                async with node.transaction(name) as records:
                    await records.append_entries([a_draft(f"{name}-{number}-{part}") for part in range(2)])
                    await asyncio.sleep(0)

        await asyncio.gather(*(append(node, f"user-{at}") for at, node in enumerate(nodes * 3)))
        entries = await nodes[0].records.list_entries(after=0, limit=10_000)
        first = entries[0].seq
        assert [each.seq for each in entries] == list(range(first, first + 6 * 2 * _ROUNDS))
        # What one transaction appends stands together.
        assert all(
            one.value[:-2] == other.value[:-2] for one, other in zip(entries[::2], entries[1::2], strict=True)
        )

    @_on_two_nodes
    async def test_an_address_goes_to_one_of_those_who_want_it_and_all_are_told(self, nodes: Nodes) -> None:
        users = [
            a_user(f"u{number}", email="Ada@example.com", email_key="ada@example.com") for number in range(6)
        ]

        async def add(node: Storage, at: int) -> bool:
            async with node.transaction(users[at].id, users[at].email_key) as records:
                return await records.add_user(users[at])

        told = await asyncio.gather(*(add(nodes[at % 2], at) for at in range(len(users))))
        assert sorted(told) == [*([False] * 5), True]

    @_on_two_nodes
    async def test_an_address_is_moved_to_by_one_of_those_who_want_it(self, nodes: Nodes) -> None:
        users = [a_user(f"u{number}") for number in range(6)]
        for user in users:
            await nodes[0].records.add_user(user)

        async def move(node: Storage, at: int) -> bool:
            moved = replace(users[at], email="New@example.com", email_key="new@example.com")
            async with node.transaction(users[at].id, moved.email_key) as records:
                return await records.replace_user(moved, expected=users[at])

        told = await asyncio.gather(*(move(nodes[at % 2], at) for at in range(len(users))))
        assert sorted(told) == [*([False] * 5), True]

    @_on_two_nodes
    async def test_what_is_consumed_by_two_users_at_once_is_consumed_by_one(self, nodes: Nodes) -> None:
        for number in range(_ROUNDS):
            await nodes[0].records.add_link(a_link(str(number)))

        async def consume(node: Storage, name: str, number: int) -> bool:
            async with node.transaction(name) as records:
                found = await records.consume_link(digest_of(f"link {number}"), LinkPurpose.SIGN_UP)
                return found is not None

        for number in range(_ROUNDS):
            told = await asyncio.gather(
                *(consume(node, f"user-{at}", number) for at, node in enumerate(nodes * 2))
            )
            assert sum(told) == 1

    @_on_two_nodes
    async def test_a_token_is_exchanged_once_and_a_session_stays_its_users(self, nodes: Nodes) -> None:
        one, other = nodes
        await one.records.add_user(a_user())
        await one.records.add_user(a_user("eve"))
        await one.records.add_session(a_session())
        await one.records.add_refresh_token(a_token())

        async def rotate(node: Storage) -> bool:
            async with node.transaction("user-ada") as records:
                return await records.rotate_refresh_token(a_token().digest, at=NOW, sealed_successor=b"next")

        assert sum(await asyncio.gather(*(rotate(node) for node in nodes * 3))) == 1
        # Whoever opens a transaction of the user whom a session was seen to belong to has the right one.
        session = a_session()
        stolen = replace(session, user_id="user-eve", client_id="app")
        await other.records.renew_session(
            session.id, old_digest=session.digest, new_digest=session.digest, session=stolen
        )
        found = await other.records.find_session(session.id)
        assert found is not None
        assert (found.user_id, found.client_id) == ("user-ada", session.client_id)

    @_on_two_nodes
    async def test_who_holds_the_streams_or_has_appended_is_alone_with_them(self, nodes: Nodes) -> None:
        await nodes[0].records.add_service(a_service())
        await nodes[0].records.add_stream(a_stream())

        async def count_up(node: Storage, name: str, *, holds: bool) -> None:
            for number in range(_ROUNDS):
                async with node.transaction(name) as records:
                    if holds:
                        await records.hold_streams()
                    else:
                        await records.append_entries([a_draft(f"{name}-{number}")])
                    stream = await records.find_stream(a_stream().id)
                    assert stream is not None
                    await asyncio.sleep(0)
                    await records.replace_stream(replace(stream, attempts=stream.attempts + 1))

        await asyncio.gather(
            *(count_up(node, f"user-{at}", holds=at % 2 == 0) for at, node in enumerate((*nodes, *nodes)))
        )
        stream = await nodes[1].records.find_stream(a_stream().id)
        assert stream is not None
        assert stream.attempts == 4 * _ROUNDS

    @_on_two_nodes
    async def test_a_session_that_is_used_while_others_forget_what_expired_is_not_forgotten(
        self, nodes: Nodes
    ) -> None:
        one, other = nodes
        session = a_session()
        await one.records.add_user(a_user())
        await one.records.add_session(session)
        entered = asyncio.Event()

        async def use() -> None:
            async with one.transaction(session.user_id) as records:
                await records.touch_session(session.id, session.last_seen_at + 60)
                entered.set()
                await asyncio.sleep(0.02)  # the other looks for what has expired by now, or soon

        async def forget() -> None:
            await entered.wait()
            await other.records.delete_expired_sessions(session.ends_at, limit=10)

        await asyncio.gather(use(), forget())
        assert await other.records.find_session(session.id) is not None

    @_on_two_nodes
    async def test_limits_that_are_lifted_while_others_count_leave_nobody_waiting(self, nodes: Nodes) -> None:
        keys = ["a", "b", "c"]

        async def count(node: Storage, order: list[str]) -> None:
            for _ in range(_ROUNDS):
                await node.change_throttles(
                    order, lambda times: {each: times.get(each, 0) + 1 for each in order}
                )

        async def lift(node: Storage, name: str, order: list[str]) -> None:
            for _ in range(_ROUNDS):
                async with node.transaction(name) as records:
                    await records.delete_throttles(order)

        await asyncio.gather(
            *(count(node, order) for node in nodes for order in (keys, keys[::-1])),
            *(lift(node, f"user-{at}", keys[:: 1 if at % 2 else -1]) for at, node in enumerate(nodes * 2)),
        )
