"""Events are queued with what they tell of, for whoever asked, and never in part."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.flows.ending import Reason, by_user, revoke, void_earlier
from coatcheck.flows.model import Service, SignedIn, Stream
from coatcheck.flows.signal_errors import TooManySubjectsError
from coatcheck.flows.signal_policy import SignalPolicy
from coatcheck.flows.signal_streams import DeliveryWish, StreamWish
from coatcheck.revocation.model import EVERYTHING, Kind
from coatcheck.revocation.security_events import CREDENTIAL_CHANGE, SESSION_REVOKED, STREAM_UPDATED
from coatcheck.storage.memory import MemoryStorage

from .world import ADA, HOME, ISSUER, OTHER_PASSWORD, PASSWORD, Tunables, World, asynchronous

PUSH = StreamWish(delivery=DeliveryWish(method="push", endpoint="https://receiver.example/events"))
POLL = StreamWish()


async def subscribe(world: World, name: str = "receiver", wish: StreamWish = POLL) -> tuple[Service, Stream]:
    service, _ = await world.flows.services.add(name)
    return service, await world.flows.signal_streams.create(service, wish)


async def waiting(world: World, stream: Stream) -> list[dict[str, Any]]:
    found = await world.storage.records.list_signals(stream.id, limit=1000)
    return [msgspec.json.decode(each.claims) for each in found]


async def told(world: World, stream: Stream) -> list[tuple[str, Any]]:
    """What waits: the short name of each event, and whom it is about."""
    claims = await waiting(world, stream)
    return [(next(iter(each["events"])).rpartition("/")[2], each["sub_id"]) for each in claims]


def user(signed_in: SignedIn) -> dict[str, Any]:
    return {"format": "iss_sub", "iss": ISSUER, "sub": signed_in.user.id}


def session(signed_in: SignedIn) -> dict[str, Any]:
    opaque = {"format": "opaque", "id": signed_in.session.id}
    return {"format": "complex", "user": user(signed_in), "session": opaque}


@asynchronous
async def test_a_sign_out_is_told_of_to_every_stream(world: World) -> None:
    streams = [(await subscribe(world, name, wish))[1] for name, wish in [("a", POLL), ("b", PUSH)]]
    ada = await world.signed_up()
    await world.flows.ending.sign_out(await world.identity(ada))
    for stream in streams:
        assert await told(world, stream) == [("session-revoked", session(ada))]
    (claims,) = await waiting(world, streams[0])
    assert claims["events"][SESSION_REVOKED]["initiating_entity"] == "user"
    assert (await waiting(world, streams[1]))[0]["jti"] != claims["jti"]


async def sign_out_everywhere(world: World, ada: SignedIn) -> None:
    await world.flows.ending.end_everywhere(await world.identity(ada))


async def delete(world: World, _: SignedIn) -> None:
    await world.flows.administration.delete(ADA)


async def disable(world: World, _: SignedIn) -> None:
    await world.flows.administration.disable(ADA)


@pytest.mark.parametrize("end", [sign_out_everywhere, delete, disable], ids=lambda end: end.__name__)
@asynchronous
async def test_each_session_that_ends_is_told_of_by_its_name_and_in_one_breath(
    world: World, end: Callable[[World, SignedIn], Awaitable[None]]
) -> None:
    _, stream = await subscribe(world)
    ada = await world.signed_up()
    other = await world.signed_in()
    await end(world, ada)
    found = await told(world, stream)
    assert {name for name, _ in found} == {"session-revoked"}
    assert sorted((subject for _, subject in found), key=str) == sorted(
        [session(ada), session(other)], key=str
    )
    claims = await waiting(world, stream)
    assert len({each["txn"] for each in claims}) == 1
    assert len({each["jti"] for each in claims}) == 2
    entity = claims[0]["events"][SESSION_REVOKED]["initiating_entity"]
    assert entity == ("user" if end is sign_out_everywhere else "admin")


@asynchronous
async def test_a_changed_password_is_told_of_beside_the_sessions_that_end_and_not_the_one_that_goes_on(
    world: World,
) -> None:
    _, stream = await subscribe(world)
    ada = await world.signed_up()
    other = await world.signed_in()
    identity = await world.identity(ada)
    await world.flows.account.change_password(identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None)
    assert await told(world, stream) == [
        ("session-revoked", session(other)),
        ("credential-change", user(ada)),
    ]
    details = (await waiting(world, stream))[1]["events"][CREDENTIAL_CHANGE]
    assert (details["credential_type"], details["change_type"]) == ("password", "update")


@asynchronous
async def test_a_password_that_is_reset_is_told_of_too(world: World) -> None:
    _, stream = await subscribe(world)
    ada = await world.signed_up()
    await world.post()
    await world.flows.recovery.request(ADA, client=HOME)
    await world.flows.recovery.reset(await world.token(), OTHER_PASSWORD, client=HOME)
    assert await told(world, stream) == [
        ("session-revoked", session(ada)),
        ("credential-change", user(ada)),
    ]


@asynchronous
async def test_what_goes_on_is_not_told_of(world: World) -> None:
    _, stream = await subscribe(world)
    ada = await world.signed_up()
    identity = await world.identity(ada)
    await world.flows.re_authentication.with_password(identity, PASSWORD, client=HOME, device=None)
    await world.flows.administration.set_scopes(ADA, ["read"])
    assert await told(world, stream) == []


@asynchronous
async def test_what_has_no_session_by_name_is_told_of_as_a_whole(world: World) -> None:
    _, stream = await subscribe(world)
    entries: list[tuple[Kind, str]] = [
        ("user", "ada"),
        ("client", "app"),
        ("everything", EVERYTHING),
        ("token", "t"),
        ("key", "k"),
    ]
    for named in entries:
        async with world.storage.transaction() as records:
            await void_earlier(
                world.context, records, named, reason=Reason.ENDED_BY_ADMINISTRATOR, actor="server"
            )
    assert [subject for _, subject in await told(world, stream)] == [
        {"format": "iss_sub", "iss": ISSUER, "sub": "ada"},
        {"format": "complex", "application": {"format": "opaque", "id": "app"}},
        {"format": "complex", "tenant": {"format": "uri", "uri": ISSUER}},
    ]


@asynchronous
async def test_a_stream_brings_what_it_was_asked_for_and_nothing_else(world: World) -> None:
    ada = await world.signed_up()
    asked = StreamWish(requested=(CREDENTIAL_CHANGE, "urn:example:unknown"))
    _, passwords = await subscribe(world, "passwords", asked)
    _, nothing = await subscribe(world, "nothing", StreamWish(requested=("urn:example:unknown",)))
    identity = await world.identity(ada)
    await world.signed_in()
    await world.flows.account.change_password(identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None)
    assert await told(world, passwords) == [("credential-change", user(ada))]
    assert await told(world, nothing) == []


@asynchronous
async def test_subjects_that_were_removed_are_left_out_until_they_are_added_again(world: World) -> None:
    service, stream = await subscribe(world)
    streams = world.flows.signal_streams
    ada = await world.signed_up()
    await streams.leave_out(service, stream.id, user(ada))
    await world.flows.ending.sign_out(await world.identity(ada))
    assert await told(world, stream) == []
    await streams.take_in(service, stream.id, user(ada))
    again = await world.signed_in()
    await streams.leave_out(service, stream.id, session(ada))
    await world.flows.ending.sign_out(await world.identity(again))
    assert await told(world, stream) == [("session-revoked", session(again))]


@asynchronous
async def test_who_left_out_one_session_still_hears_that_all_sessions_of_its_user_ended(world: World) -> None:
    # Else a receiver that is tired of one session would let a stolen one live on.
    service, stream = await subscribe(world)
    ada = await world.signed_up()
    await world.flows.signal_streams.leave_out(service, stream.id, session(ada))
    async with world.storage.transaction() as records:
        named: tuple[Kind, str] = ("user", ada.user.id)
        await void_earlier(
            world.context, records, named, reason=Reason.ENDED_BY_ADMINISTRATOR, actor="server"
        )
    assert await told(world, stream) == [("session-revoked", user(ada))]


@asynchronous
async def test_what_is_rolled_back_is_told_to_nobody(world: World) -> None:
    _, stream = await subscribe(world, wish=PUSH)
    ada = await world.signed_up()
    with contextlib.suppress(InterruptedError):
        async with world.storage.transaction() as records:
            await records.delete_sessions([ada.session.id])
            actor = by_user(ada.user.id)
            await revoke(
                world.context, records, [("session", ada.session.id)], reason=Reason.SIGNED_OUT, actor=actor
            )
            assert len(await records.list_signals(stream.id, limit=9)) == 1
            raise InterruptedError
    assert await told(world, stream) == []
    assert await world.flows.signal_pushing.claim() is None
    assert await world.is_in(ada)


@asynchronous
async def test_where_there_is_no_stream_the_end_of_sessions_costs_one_read(world: World) -> None:
    ada = await world.signed_up()
    await world.signed_in()
    identity = await world.identity(ada)
    kind, reads = type(world.storage.records), 0
    real = kind.list_open_streams

    async def counting(records: Any) -> list[Stream]:
        nonlocal reads
        reads += 1
        return await real(records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "list_open_streams", counting)
        assert await world.flows.ending.end_everywhere(identity) == 2
    assert reads == 1


@asynchronous
async def test_where_there_is_no_stream_nothing_is_written(world: World) -> None:
    ada = await world.signed_up()
    await world.flows.ending.sign_out(await world.identity(ada))
    assert await world.storage.records.find_stale_stream(world.clock() + 1) is None


@asynchronous
async def test_a_stream_leaves_out_as_many_subjects_as_it_may_and_no_more(world: World) -> None:
    world.tune(Tunables(signals=SignalPolicy(most_left_out=1)))
    service, stream = await subscribe(world)
    await world.flows.signal_streams.leave_out(service, stream.id, {"format": "opaque", "id": "a"})
    with pytest.raises(TooManySubjectsError):
        await world.flows.signal_streams.leave_out(service, stream.id, {"format": "opaque", "id": "b"})
    await world.flows.signal_streams.take_in(service, stream.id, {"format": "opaque", "id": "a"})
    await world.flows.signal_streams.leave_out(service, stream.id, {"format": "opaque", "id": "b"})


# --- who pushes ------------------------------------------------------------------------------------------


@asynchronous
async def test_a_stream_is_one_processs_at_a_time_until_its_claim_runs_out(world: World) -> None:
    _, _ = await subscribe(world, wish=PUSH)
    await end_sessions(world, 1)
    one, other = world.flows.signal_pushing, world.sibling().flows.signal_pushing
    claimed = await one.claim()
    assert claimed is not None
    assert await other.claim() is None
    world.clock.advance(12)
    taken_over = await other.claim()
    assert taken_over is not None
    # Who has lost it neither sends nor holds anybody up.
    assert await one.next(claimed) is None
    assert await one.postpone(claimed) == 0.0
    await one.release(claimed)
    assert await one.claim() is None
    outgoing = await other.next(taken_over)
    assert outgoing is not None
    assert await other.settle(outgoing) is None
    assert await other.next(taken_over) is None


@asynchronous
async def test_an_acknowledgement_counts_even_for_who_has_lost_the_stream(world: World) -> None:
    service, stream = await subscribe(world, wish=PUSH)
    await end_sessions(world, 2)
    pushing = world.flows.signal_pushing
    claimed = await pushing.claim()
    assert claimed is not None
    outgoing = await pushing.next(claimed)
    assert outgoing is not None
    await world.flows.signal_streams.set_status(service, stream.id, "paused")
    assert await pushing.settle(outgoing) is None
    assert len(await waiting(world, stream)) == 1
    assert await pushing.claim() is None


@asynchronous
async def test_a_stream_in_which_nothing_waits_is_left_alone(world: World) -> None:
    _, stream = await subscribe(world, wish=PUSH)
    await end_sessions(world, 1)
    claimed = await world.flows.signal_pushing.claim()
    assert claimed is not None
    await world.storage.records.clear_signals(stream.id)
    assert await world.flows.signal_pushing.next(claimed) is None
    world.clock.advance(3600)
    assert await world.flows.signal_pushing.claim() is None
    await end_sessions(world, 1)
    assert await world.flows.signal_pushing.claim() is not None


# --- bounds -----------------------------------------------------------------------------------------------


async def end_sessions(world: World, count: int) -> list[str]:
    """Revoke this many sessions, one transaction each; return the identifiers."""
    names = [f"s{number}" for number in range(count)]
    for name in names:
        async with world.storage.transaction() as records:
            await revoke(
                world.context, records, [("session", name)], reason=Reason.SIGNED_OUT, actor="server"
            )
    return names


@pytest.mark.parametrize("wish", [POLL, PUSH], ids=["poll", "push"])
@asynchronous
async def test_ssf_section_8_1_2_a_stream_that_is_not_read_ends_and_says_so_and_never_loses_one_event_in_silence(
    world: World, wish: StreamWish
) -> None:
    world.tune(Tunables(signals=SignalPolicy(most_events=3)))
    service, stream = await subscribe(world, wish=wish)
    await end_sessions(world, 3)
    assert len(await waiting(world, stream)) == 3
    await end_sessions(world, 1)
    (claims,) = await waiting(world, stream)
    assert claims["events"][STREAM_UPDATED]["status"] == "disabled"
    now = await world.flows.signal_streams.get(service, stream.id)
    assert now.status == "disabled"
    assert now.reason == claims["events"][STREAM_UPDATED]["reason"]
    assert now.reason is not None
    assert "3 events" in now.reason
    # Its last word is delivered, and nothing after it.
    await end_sessions(world, 2)
    assert len(await waiting(world, stream)) == 1
    if wish is POLL:
        answer = await world.flows.signal_polling.poll(service, stream.id, at_once=True)
        assert list(answer.sets) == [claims["jti"]]
    else:
        claimed = await world.flows.signal_pushing.claim()
        assert claimed is not None
        outgoing = await world.flows.signal_pushing.next(claimed)
        assert outgoing is not None
        assert outgoing.jti == claims["jti"]


@asynchronous
async def test_events_do_not_wait_for_ever_and_neither_does_the_last_word(world: World) -> None:
    service, stream = await subscribe(world, wish=PUSH)
    await end_sessions(world, 2)
    world.clock.advance(timedelta(days=7).total_seconds())
    assert await world.flows.signal_pushing.expire() == 0
    world.clock.advance(1)
    assert await world.flows.signal_pushing.expire() == 1
    assert [name for name, _ in await told(world, stream)] == ["stream-updated"]
    world.clock.advance(timedelta(days=8).total_seconds())
    assert await world.flows.signal_pushing.expire() == 1
    assert await told(world, stream) == []
    assert await world.flows.signal_pushing.expire() == 0
    assert (await world.flows.signal_streams.get(service, stream.id)).status == "disabled"
    assert await world.flows.signal_pushing.claim() is None


@asynchronous
async def test_more_at_once_than_may_wait_ends_the_stream_at_once(world: World) -> None:
    world.tune(Tunables(signals=SignalPolicy(most_events=3)))
    _, stream = await subscribe(world)
    async with world.storage.transaction() as records:
        await revoke(
            world.context,
            records,
            [("session", str(number)) for number in range(4)],
            reason=Reason.SIGNED_OUT,
            actor="server",
        )
    assert [name for name, _ in await told(world, stream)] == ["stream-updated"]


# --- a property of the outbox -----------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("end"), st.integers(1, 3)),
        st.tuples(st.just("roll back"), st.integers(1, 3)),
        st.tuples(st.just("deliver"), st.integers(1, 3)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("fail"), st.just(0)),
        st.tuples(st.just("pause"), st.just(0)),
        st.tuples(st.just("enable"), st.just(0)),
    ),
    max_size=25,
)


@given(steps)
def test_whatever_happens_in_between_every_committed_end_arrives_in_order_and_no_other(
    plan: list[tuple[str, int]],
) -> None:
    asyncio.run(drive(plan))


async def drive(plan: list[tuple[str, int]]) -> None:
    world = World(MemoryStorage())
    service, stream = await subscribe(world, wish=PUSH)
    receiver = Receiver(world)
    committed: list[str] = []
    number = 0
    for step, count in plan:
        if step in {"end", "roll back"}:
            names = [f"s{number + place}" for place in range(count)]
            number += count
            with contextlib.suppress(InterruptedError):
                async with world.storage.transaction() as records:
                    named: Any = [("session", name) for name in names]
                    await revoke(world.context, records, named, reason=Reason.SIGNED_OUT, actor="server")
                    if step == "roll back":
                        raise InterruptedError
                committed += names
        elif step in {"pause", "enable"}:
            status: Any = "paused" if step == "pause" else "enabled"
            await world.flows.signal_streams.set_status(service, stream.id, status)
        else:
            await receiver.work(step, count)
        world.clock.advance(3600)  # claims run out, pauses too
    await world.flows.signal_streams.set_status(service, stream.id, "enabled")
    await receiver.work("deliver", 1000)
    assert list(dict.fromkeys(receiver.got)) == committed
    assert len(set(receiver.jtis)) == len(committed)
    await world.close()


class Receiver:
    """Takes what is pushed, or dies in between."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.got: list[str] = []
        self.jtis: list[str] = []

    async def work(self, step: str, count: int) -> None:
        pushing = self.world.flows.signal_pushing
        held = await pushing.claim()
        for _ in range(count or 1):
            outgoing = None if held is None else await pushing.next(held)
            if held is None or outgoing is None:
                return
            if step == "fail":
                await pushing.postpone(held)
                return
            (waiting, *_) = await self.world.storage.records.list_signals(held.id, limit=1)
            self.got.append(msgspec.json.decode(waiting.claims)["sub_id"]["session"]["id"])
            self.jtis.append(outgoing.jti)
            if step == "crash":  # the receiver has it, and nobody has written that down
                return
            held = await pushing.settle(outgoing)
        if held is not None:
            await pushing.release(held)
