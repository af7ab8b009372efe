"""Two nodes on one database: what a single writer gave for nothing, with transactions of one user each.

Everything here runs on two storages at once, on SQLite and on PostgreSQL, and is looked at by ``watched``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace as with_changes
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from coatcheck.accounts.errors import InvalidLinkError
from coatcheck.flows.ending import SERVER, Reason, end_sessions
from coatcheck.flows.errors import UnknownSessionError
from coatcheck.flows.model import SignedIn, TokenResponse
from coatcheck.flows.owners import Owners
from coatcheck.flows.ports import Storage
from coatcheck.flows.provider.grants.model import TokenAnswer
from coatcheck.flows.provider.registration import Registered as RegisteredClient
from coatcheck.flows.signal_streams import DeliveryWish, StreamWish
from coatcheck.flows.status_lists import StatusListPolicy
from coatcheck.identity import Identity
from coatcheck.oauth.errors import InvalidGrantError, InvalidRegistrationTokenError
from coatcheck.sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError, TooManySessionsError
from coatcheck.sessions.policy import SessionPolicy
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.registered import Registered, basic
from tests.flows.test_registration import Desk
from tests.flows.test_status_lists import ListedWorld
from tests.flows.watched import WatchedStorage
from tests.flows.world import (
    ADA,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    access_token,
    asks,
    asynchronous,
    cookie,
    refresh_token,
)

Nodes = tuple[World, World]
Result = TypeVar("Result")
ENGINES = ("sqlite", "postgres")


def opened(request: pytest.FixtureRequest) -> Callable[[], Storage]:
    """Return what opens a storage on the test's database."""
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("database")
        return partial(SQLiteStorage, path)
    url: str = request.getfixturevalue("postgres_url")
    return partial(PostgresStorage, url, pool=8)


def running(kind: type[World], open_storage: Callable[[], Storage]) -> Iterator[Any]:
    storages = [WatchedStorage(open_storage()) for _ in range(2)]
    one = kind(storages[0])
    other = one.sibling(storages[1])
    yield one, other
    for world in (one, other):
        asyncio.run(world.close())
    assert [each.faults for each in storages] == [[], []]


@pytest.fixture(params=ENGINES)
def nodes(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    yield from running(World, opened(request))


@pytest.fixture(params=ENGINES)
def listed_nodes(request: pytest.FixtureRequest) -> Iterator[tuple[ListedWorld, ListedWorld]]:
    yield from running(SmallLists, opened(request))


class SmallLists(ListedWorld):
    """With status lists that are full after a few tokens."""

    policy = StatusListPolicy(uri="https://example.com/auth/statuses", size=16)


async def outcomes(attempts: Iterable[Awaitable[Result]]) -> tuple[list[Result], list[BaseException]]:
    """Make attempts at once; return what came of those that went well, and what the others raised."""
    found = await asyncio.gather(*attempts, return_exceptions=True)
    good = [each for each in found if not isinstance(each, BaseException)]
    return good, [each for each in found if isinstance(each, BaseException)]


def all_are(errors: list[BaseException], kind: type[BaseException]) -> bool:
    return {type(each) for each in errors} <= {kind}


# --- one of an address, one of a link -----------------------------------------------------------------------


@asynchronous
async def test_of_many_sign_ups_with_one_address_one_becomes_the_account(nodes: Nodes) -> None:
    links = []
    for _ in range(4):
        binding = await nodes[0].flows.sign_up.request(ADA, PASSWORD, client=HOME)
        links.append((await nodes[0].token(), binding))
        nodes[0].clock.advance(3600)
    good, refused = await outcomes(
        node.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
        for secret, binding in links
        for node in nodes
    )
    assert len(good) == 1
    assert all_are(refused, InvalidLinkError)
    assert [user.id for user in await nodes[1].storage.records.list_users()] == [good[0].user.id]


@asynchronous
async def test_of_two_users_who_move_to_one_address_one_gets_it(nodes: Nodes) -> None:
    moving: list[tuple[Identity, str]] = []
    for email in (ADA, EVE):
        identity = await nodes[0].identity(await nodes[0].signed_up(email))
        await nodes[0].flows.account.request_email_change(identity, "new@example.com", client=HOME)
        moving.append((identity, await nodes[0].token()))
    _, refused = await outcomes(
        node.flows.account.confirm_email_change(identity, secret, client=HOME)
        for identity, secret in moving
        for node in nodes
    )
    assert len(refused) == 3
    assert all_are(refused, InvalidLinkError)
    users = await nodes[0].storage.records.list_users()
    assert sum(user.email == "new@example.com" for user in users) == 1


@asynchronous
async def test_an_address_that_somebody_moves_to_while_another_signs_up_is_one_accounts(nodes: Nodes) -> None:
    one, other = nodes
    identity = await one.identity(await one.signed_up())
    await one.flows.account.request_email_change(identity, "new@example.com", client=HOME)
    moving = await one.token()
    binding = await one.flows.sign_up.request("new@example.com", PASSWORD, client=HOME)
    secret = await one.token()
    await outcomes(
        [
            one.flows.account.confirm_email_change(identity, moving, client=HOME),
            other.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks()),
        ]
    )
    users = await other.storage.records.list_users()
    assert sum(user.email == "new@example.com" for user in users) == 1


@asynchronous
async def test_a_reset_link_works_once(nodes: Nodes) -> None:
    await nodes[0].signed_up()
    await nodes[0].flows.recovery.request(ADA, client=HOME)
    secret = await nodes[0].token()
    good, refused = await outcomes(
        node.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME) for node in nodes * 3
    )
    assert len(good) == 1
    assert all_are(refused, InvalidLinkError)


# --- sessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_limit", ["end-oldest", "refuse"])
@asynchronous
async def test_nobody_has_more_sessions_than_allowed_however_many_sign_in_at_once(
    nodes: Nodes, at_limit: Any
) -> None:
    await nodes[0].signed_up()
    policy = SessionPolicy(max_sessions=3, at_limit=at_limit)
    for node in nodes:
        node.tune(with_changes(node.tunables, sessions=policy))
    good, refused = await outcomes(node.signed_in() for node in nodes * 4)
    assert all_are(refused, TooManySessionsError)
    there = await nodes[0].storage.records.list_sessions(good[0].user.id)
    assert len(there) == 3
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    assert len(entries) == (1 + len(good) - 3 if at_limit == "end-oldest" else 0)
    left = {each.id for each in there}
    for node in nodes:
        assert [await node.is_in(each) for each in good] == [each.session.id in left for each in good]


@asynchronous
async def test_whoever_signs_in_over_anothers_session_ends_it_while_that_one_is_at_work(nodes: Nodes) -> None:
    ada = await nodes[0].signed_up(ADA)
    eve = await nodes[0].signed_up(EVE)
    good, refused = await outcomes(
        [
            nodes[0].signed_in(EVE, replaces=cookie(ada)),
            nodes[1].signed_in(ADA, replaces=cookie(eve)),
            nodes[0].signed_in(ADA, replaces=cookie(eve)),
            nodes[1].signed_in(EVE, replaces=cookie(ada)),
        ]
    )
    assert (len(good), refused) == (4, [])
    for node in nodes:
        await node.context.ledger.catch_up()
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    assert sorted(each.value for each in entries) == sorted([ada.session.id, eve.session.id])


@asynchronous
async def test_a_session_that_is_ended_on_all_nodes_ends_once(nodes: Nodes) -> None:
    signed_in = await nodes[0].signed_up()
    identity = await nodes[0].identity(signed_in)
    await asyncio.gather(*(node.flows.ending.sign_out(identity) for node in nodes * 3))
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    assert [each.value for each in entries] == [signed_in.session.id]


# --- refresh tokens and codes --------------------------------------------------------------------------------


@asynchronous
async def test_refreshes_at_once_have_one_successor(nodes: Nodes) -> None:
    signed_in = await nodes[0].signed_up(credential="tokens")
    for _ in range(3):
        presented = refresh_token(signed_in)
        answers: list[TokenResponse] = await asyncio.gather(
            *(node.flows.tokens.refresh(presented, client=HOME) for node in nodes * 4)
        )
        assert len({each.refresh_token for each in answers}) == 1
        signed_in = replace(signed_in, tokens=answers[0])
    assert await nodes[1].is_in(signed_in)


@asynchronous
async def test_a_used_token_ends_its_session_once_however_often_it_comes_back(nodes: Nodes) -> None:
    signed_in = await nodes[0].signed_up(credential="tokens")
    fresh = await nodes[0].refreshed(signed_in)
    nodes[0].clock.advance(60)
    await nodes[0].post()
    good, refused = await outcomes(
        [
            *(node.flows.tokens.refresh(refresh_token(signed_in), client=HOME) for node in nodes * 3),
        ]
    )
    assert good == []
    assert sum(isinstance(each, RefreshTokenReusedError) for each in refused) == 1
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    assert [each.value for each in entries] == [signed_in.session.id]
    assert len(await nodes[0].post()) == 1
    assert not await nodes[1].can_refresh(fresh)


@asynchronous
async def test_a_clients_refreshes_at_once_have_one_successor(nodes: Nodes) -> None:
    sites, signed_in = await registered(nodes)
    first = await sites[0].exchange(await sites[0].code(signed_in))
    answers = await asyncio.gather(*(site.refresh(first.refresh_token) for site in sites * 4))
    assert len({each.refresh_token for each in answers}) == 1


@asynchronous
async def test_a_code_is_exchanged_once_and_whoever_comes_too_late_ends_what_came_of_it(nodes: Nodes) -> None:
    sites, signed_in = await registered(nodes)
    code = await sites[0].code(signed_in)
    good, refused = await outcomes(site.exchange(code) for site in sites * 3)
    assert len(good) == 1
    assert all_are(refused, InvalidGrantError)
    answer: TokenAnswer = good[0]
    for site in sites:
        assert not await site.is_good(answer)
        with pytest.raises(InvalidGrantError):
            await site.refresh(answer.refresh_token)


@asynchronous
async def test_codes_of_one_session_that_are_exchanged_at_once_share_one_session(nodes: Nodes) -> None:
    sites, signed_in = await registered(nodes)
    codes = [await sites[0].code(signed_in, session_id="s" * 22) for _ in range(6)]
    good, refused = await outcomes(site.exchange(code) for site, code in zip(sites * 3, codes, strict=True))
    assert (len(good), refused) == (6, [])
    found = await nodes[0].storage.records.list_sessions(signed_in.user.id)
    assert sorted(each.id for each in found) == sorted([signed_in.session.id, "s" * 22])


async def registered(nodes: Nodes) -> tuple[list[Registered], SignedIn]:
    first = await Registered.laid(nodes[0])
    return [first, Registered(nodes[1], first.key)], await nodes[0].signed_up()


# --- what users share ----------------------------------------------------------------------------------------


@asynchronous
async def test_a_token_to_register_with_is_used_no_more_often_than_allowed(nodes: Nodes) -> None:
    desks = [Desk(node, "token") for node in nodes]
    _, token = await desks[0].tokens.add("apps", uses=2)
    good: list[RegisteredClient]
    good, refused = await outcomes(desk.register(token=token) for desk in desks * 3)
    assert len(good) == 2
    assert all_are(refused, InvalidRegistrationTokenError)


@asynchronous
async def test_no_two_tokens_have_one_place_in_a_status_list(
    listed_nodes: tuple[ListedWorld, ListedWorld],
) -> None:
    people = [f"user{number}@example.com" for number in range(4)]
    for email in people:
        await listed_nodes[0].signed_up(email)
    good, refused = await outcomes(
        node.signed_in(email, credential="tokens") for node in listed_nodes for email in people * 3
    )
    assert refused == []
    places = [await listed_nodes[0].place(access_token(each)) for each in good]
    assert len(set(places)) == len(good)
    # Half of a list is given, and the next is begun by one for all.
    assert len(await listed_nodes[0].storage.records.list_status_lists()) == len(good) // 8


@asynchronous
async def test_a_token_whose_session_ends_while_it_is_issued_is_void_in_its_list(
    listed_nodes: tuple[ListedWorld, ListedWorld],
) -> None:
    one, other = listed_nodes
    for number in range(6):
        signed_in = await one.signed_up(f"user{number}@example.com", credential="tokens")
        identity = await one.identity(signed_in)
        good, _refused = await outcomes(
            [
                one.flows.tokens.refresh(refresh_token(signed_in), client=HOME),
                other.flows.ending.sign_out(identity),
            ]
        )
        for answer in good:
            if answer is None:
                continue
            list_id, place = await one.place(answer.access_token)
            for node in listed_nodes:
                assert (await node.array(list_id)).get(place)


@asynchronous
async def test_events_of_many_users_at_once_are_all_pushed(nodes: Nodes) -> None:
    """A pusher lays a stream down when nothing waits in it: never one in which somebody has just queued something."""
    one, other = nodes
    service, _ = await one.flows.services.add("receiver")
    wish = StreamWish(delivery=DeliveryWish(method="push", endpoint="https://receiver.example/events"))
    await one.flows.signal_streams.create(service, wish)
    people = [await one.signed_up(f"user{number}@example.com") for number in range(6)]
    pushed: list[str] = []

    async def push(node: World) -> None:
        while (stream := await node.flows.signal_pushing.claim()) is not None:
            held = stream
            while held is not None and (outgoing := await node.flows.signal_pushing.next(held)) is not None:
                pushed.append(outgoing.jti)
                held = await node.flows.signal_pushing.settle(outgoing)  # type: ignore[assignment]

    async def change(node: World, signed_in: SignedIn) -> None:
        identity = await node.identity(signed_in)
        # No other session ends by it, so nothing is appended to the ledger before the event is queued.
        account = node.flows.account
        await account.change_password(identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None)

    await asyncio.gather(
        *(change(node, each) for node, each in zip(nodes * 3, people, strict=True)),
        *(push(node) for node in nodes * 4),
    )
    await push(other)
    assert len(set(pushed)) >= len(people)
    (stream,) = await one.flows.signal_streams.list(service)
    assert stream.due_at is None
    assert await one.storage.records.count_signals(stream.id, limit=100) == 0


# --- what was seen, and is gone when the turn comes ----------------------------------------------------------


def after(world: World, name: str, act: Callable[[], Awaitable[object]], patch: pytest.MonkeyPatch) -> None:
    """Have something happen right after a record was looked up among what is committed: before the turn comes."""
    real = getattr(world.storage.records, name)

    async def look(*args: Any, **named: Any) -> object:
        found = await real(*args, **named)
        patch.setattr(world.storage.records, name, real)
        await act()
        return found

    patch.setattr(world.storage.records, name, look)


@asynchronous
async def test_a_code_whose_user_is_deleted_in_between_gives_nothing(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, signed_in = await registered(nodes)
    code = await sites[0].code(signed_in)
    after(nodes[0], "find_code", lambda: nodes[1].flows.administration.delete(ADA), monkeypatch)
    with pytest.raises(InvalidGrantError):
        await sites[0].exchange(code)


@asynchronous
async def test_a_session_that_ends_in_between_gives_no_tokens_and_ends_once(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, signed_in = await registered(nodes)
    tokens = await nodes[0].signed_in(credential="tokens")
    answer = await sites[0].exchange(await sites[0].code(signed_in))

    async def end_all() -> None:
        await nodes[1].flows.revoking.user(ADA, actor=SERVER)

    after(nodes[0], "find_session", end_all, monkeypatch)
    with pytest.raises(InvalidRefreshTokenError):
        await nodes[0].flows.tokens.refresh(refresh_token(tokens), client=HOME)
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    fresh = nodes[0].sibling()
    await fresh.flows.provider.token_revocation.revoke(str(answer.refresh_token), credentials=basic("web"))
    assert await fresh.flows.tokens.of_session(signed_in.session.id, kind="access-token") is None
    with pytest.raises(UnknownSessionError):
        await fresh.flows.revoking.session(signed_in.session.id, actor=SERVER)
    assert await nodes[1].storage.records.list_entries(after=0, limit=100) == entries
    fresh.hasher.pool.close()


@asynchronous
async def test_a_clients_session_that_ends_before_it_revokes_its_token_ends_once(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites, signed_in = await registered(nodes)
    answer = await sites[0].exchange(await sites[0].code(signed_in))
    after(nodes[0], "find_session", lambda: nodes[1].flows.revoking.user(ADA, actor=SERVER), monkeypatch)
    revocation = nodes[0].flows.provider.token_revocation
    await revocation.revoke(str(answer.refresh_token), credentials=basic("web"))
    entries = await nodes[0].storage.records.list_entries(after=0, limit=100)
    assert {each.actor for each in entries} == {SERVER}


@asynchronous
async def test_whoever_asks_for_a_link_and_has_another_address_when_the_turn_comes_gets_none(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = await nodes[0].signed_up()
    moved = replace(signed_in.user, email="new@example.com", email_key="new@example.com")

    async def move() -> None:
        assert await nodes[1].storage.records.replace_user(moved, expected=signed_in.user)

    after(nodes[0], "find_user_by_email", move, monkeypatch)
    await nodes[0].flows.recovery.request(ADA, client=HOME)
    assert await nodes[0].post() == []


@asynchronous
async def test_a_link_that_is_used_in_between_is_used_once(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await nodes[0].identity(await nodes[0].signed_up())
    await nodes[0].flows.account.request_email_change(identity, "new@example.com", client=HOME)
    secret = await nodes[0].token()

    async def confirm() -> None:
        await nodes[1].flows.account.confirm_email_change(identity, secret, client=HOME)

    after(nodes[0], "find_link", confirm, monkeypatch)
    with pytest.raises(InvalidLinkError):
        await nodes[0].flows.account.confirm_email_change(identity, secret, client=HOME)
    assert [letter.to for letter in await nodes[0].post()] == [ADA]


@asynchronous
async def test_owners_are_asked_for_once_and_there_are_so_many_that_are_remembered(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.flows.owners._MOST", 1)
    records = nodes[0].storage.records
    one, other = await nodes[0].signed_up(ADA), await nodes[0].signed_up(EVE)
    owners = Owners()
    for each in (one, other, one, one):
        assert await owners.of(records, each.session.id) == each.user.id
    await records.delete_sessions([one.session.id, other.session.id])
    assert await owners.of(records, one.session.id) == one.user.id
    assert await owners.of(records, other.session.id) is None


# --- what is looked at ---------------------------------------------------------------------------------------


@asynchronous
async def test_the_watch_sees_what_is_not_a_users_to_do(nodes: Nodes) -> None:
    storage = nodes[0].storage
    assert isinstance(storage, WatchedStorage)
    ada, eve = await nodes[0].signed_up(ADA), await nodes[0].signed_up(EVE)
    wrong: list[Callable[[Any], Awaitable[object]]] = [
        lambda records: end_sessions(
            nodes[0].context, records, [eve.session.id], reason=Reason.SIGNED_OUT, actor=SERVER
        ),
        lambda records: records.touch_session(eve.session.id, 0.0),
        lambda records: records.replace_user(replace(eve.user, email="x"), expected=eve.user),
        lambda records: records.replace_user(replace(ada.user, email_key="x"), expected=ada.user),
        lambda records: records.delete_links(email_key=eve.user.email_key),
        lambda records: records.delete_user(eve.user.id),
        lambda records: records.delete_client("app"),
        lambda records: records.delete_all_sessions(0.0),
        lambda records: records.delete_expired_sessions(0.0, limit=1),
        lambda records: records.clear_signals("stream"),
    ]
    for number, act in enumerate(wrong):
        with pytest.raises(AssertionError, match="in a transaction of"):
            async with storage.transaction(ada.user.id) as records:
                await act(records)
        assert len(storage.faults) == number + 1
    storage.faults.clear()


@asynchronous
async def test_what_is_done_every_moment_has_nobody_wait_for_the_world(nodes: Nodes) -> None:
    sites, signed_in = await registered(nodes)
    answer = await sites[0].exchange(await sites[0].code(signed_in))
    storage = nodes[0].storage
    assert isinstance(storage, WatchedStorage)
    storage.alone = 0
    await nodes[0].signed_in()
    tokens = await nodes[0].signed_in(credential="tokens")
    await nodes[0].refreshed(tokens)
    await sites[0].refresh((await sites[0].exchange(await sites[0].code(signed_in))).refresh_token)
    await sites[0].ask("client_credentials", scope="files:read")
    await nodes[0].flows.provider.token_revocation.revoke(str(answer.refresh_token), credentials=basic("web"))
    await nodes[0].flows.housekeeping.tidy()
    await nodes[0].flows.ending.sign_out(await nodes[0].identity(tokens))
    await nodes[0].post()
    assert storage.alone == 0
