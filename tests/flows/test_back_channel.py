"""What clients are told when sessions end, and how it is handed out (Back-Channel Logout 1.0)."""

from typing import Any

import msgspec
import pytest

from coatcheck.flows.ending import Reason, end_sessions
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.provider.hints import subject_of_hint
from coatcheck.flows.provider.logout_bell import LogoutBell
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.flows.provider.subjects import subject_of
from coatcheck.jose import Key, jwt
from coatcheck.oauth.errors import InvalidRequestError
from coatcheck.oauth.logout import LOGOUT_EVENT
from coatcheck.oauth.model import LogoutNotice, OAuthClient
from coatcheck.sessions.policy import SessionPolicy
from coatcheck.storage.memory import MemoryStorage
from tests.flows.granting import SECRET, Granted, a_client, granted, said
from tests.flows.ways import WAYS, Scene
from tests.flows.world import ADA, ISSUER, Tunables, World, asynchronous

URI = "https://app.example/logout"


async def notices(world: World) -> list[LogoutNotice]:
    """Claim all that is queued, and return it."""
    found: list[LogoutNotice] = []
    while (notice := await world.flows.provider.back_channel.claim()) is not None:
        found.append(notice)
    return found


async def told(world: World, **changes: Any) -> tuple[Granted, LogoutNotice]:
    """End the session in which something was granted to a client; return what the client is to be told."""
    given = await granted(world, a_client(backchannel_logout_uri=URI, **changes))
    async with world.storage.transaction() as records:
        await end_sessions(
            world.context, records, [given.parent.id], reason=Reason.SIGNED_OUT, actor="server"
        )
    (notice,) = await notices(world)
    return given, notice


@pytest.mark.parametrize("way", WAYS)
@asynchronous
async def test_whatever_ends_a_clients_session_tells_it_once_in_the_same_transaction(way: str) -> None:
    world, taken = World(MemoryStorage()), WAYS[way]
    taken.prepare(world)
    scene = await Scene.laid(world)
    await scene.registered.change("spa", backchannel_logout_uri=URI)
    await taken.take(scene)
    await world.flows.provider.back_channel.queue_ended()  # what ended all at once
    found = [(each.sid, each.sub) for each in await notices(world)]
    # Who is removed is told nothing; who is switched off has no address any more.
    is_there = await world.storage.records.find_client("spa") is not None
    expected = [(scene.granted.session.id, scene.here.user.id)] * ("granted" in taken.ends and is_there)
    assert found == expected
    await world.close()


@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
@asynchronous
async def test_back_channel_logout_2_4_a_logout_token_says_which_session_ended(alg: str) -> None:
    world = World(MemoryStorage())
    given, notice = await told(world, id_token_signed_response_alg=alg)
    back_channel = world.flows.provider.back_channel
    outgoing = await back_channel.prepare(notice)
    assert outgoing is not None
    assert outgoing.uri == URI
    assert outgoing.token not in repr(outgoing)
    verifier = jwt.Verifier(
        await world.context.access_tokens.key_set(),
        issuer=ISSUER,
        audience="app",
        typ="logout+jwt",
        clock=world.clock,
    )
    assert verifier.verify(outgoing.token).header.alg == alg
    claims = said(outgoing.token)
    assert claims == {
        "iss": ISSUER,
        "aud": "app",
        "iat": int(world.clock()),
        "exp": int(world.clock()) + 120,
        "jti": notice.jti,
        "sub": given.user.id,
        "sid": given.session.id,
        "events": {LOGOUT_EVENT: {}},
    }
    # Sent again much later, it is the same statement, and fresh.
    world.clock.advance(3600)
    again = await back_channel.prepare(notice)
    assert again is not None
    later = said(again.token)
    assert (later["jti"], later["iat"]) == (notice.jti, int(world.clock()))
    await world.close()


@asynchronous
async def test_a_client_that_shares_its_secret_gets_tokens_signed_with_it() -> None:
    world = World(MemoryStorage())
    sealed = seal_secret(world.sealer, SECRET, owner="client")
    _, notice = await told(world, id_token_signed_response_alg="HS256", sealed_secret=sealed)
    outgoing = await world.flows.provider.back_channel.prepare(notice)
    assert outgoing is not None
    key = Key.from_secret(SECRET.encode(), "HS256")
    verifier = jwt.Verifier(key, issuer=ISSUER, audience="app", typ="logout+jwt", clock=world.clock)
    verifier.verify(outgoing.token)
    await world.close()


@asynchronous
async def test_a_pairwise_client_is_told_of_the_user_by_the_name_that_it_knows() -> None:
    world = World(MemoryStorage())
    given, notice = await told(world, subject_type="pairwise", sector="app.example")
    assert notice.sub == subject_of(world.sealer, given.client, given.user.id) != given.user.id
    await world.close()


@asynchronous
async def test_attack_token_confusion_a_logout_token_passes_for_no_other_token() -> None:
    world = World(MemoryStorage())
    given, notice = await told(world)
    outgoing = await world.flows.provider.back_channel.prepare(notice)
    assert outgoing is not None
    assert "nonce" not in said(outgoing.token)
    with pytest.raises(InvalidTokenError):
        await given.known(outgoing.token)
    with pytest.raises(InvalidRequestError):
        await subject_of_hint(world.context, given.client, outgoing.token)
    await world.close()


@pytest.mark.parametrize("change", ["removed", "off", "without an address"])
@asynchronous
async def test_who_does_not_want_to_be_told_any_more_is_not(change: str) -> None:
    world = World(MemoryStorage())
    given, notice = await told(world)
    records = world.storage.records
    changed: dict[str, OAuthClient] = {
        "off": msgspec.structs.replace(given.client, disabled_at=world.clock()),
        "without an address": msgspec.structs.replace(given.client, backchannel_logout_uri=None),
    }
    if change == "removed":
        await records.delete_client("app")
    else:
        await records.replace_client(changed[change])
    assert await world.flows.provider.back_channel.prepare(notice) is None
    assert await world.flows.provider.back_channel.next_at() is None
    await world.close()


@asynchronous
async def test_a_pause_doubles_up_to_a_limit_varies_and_ends() -> None:
    world = World(MemoryStorage())
    _, notice = await told(world)
    back_channel, policy = world.flows.provider.back_channel, world.context.provider
    pauses: list[float] = []
    while True:
        pause = await back_channel.postpone(notice)
        if pause is None:
            break
        pauses.append(pause)
        assert await back_channel.next_at() == world.clock() + pause
        world.clock.advance(pause)
        claimed = await back_channel.claim()
        assert claimed is not None
        assert claimed.jti == notice.jti
        notice = claimed
    for number, pause in enumerate(pauses):
        most = min(2.0**number, policy.logout_longest_pause.total_seconds())
        assert most / 2 <= pause <= most
    assert sum(pauses) >= policy.logout_keep.total_seconds()
    assert await back_channel.next_at() is None
    await world.close()


@asynchronous
async def test_a_client_may_ask_to_be_left_alone_but_not_for_ever() -> None:
    world = World(MemoryStorage())
    _, notice = await told(world)
    back_channel = world.flows.provider.back_channel
    assert await back_channel.postpone(notice, at_least=100) == 100
    notice = msgspec.structs.replace(notice, attempts=1)
    assert await back_channel.postpone(notice, at_least=1e9) == 300
    await world.close()


@asynchronous
async def test_housekeeping_tells_clients_before_it_deletes_what_ended_all_at_once(world: World) -> None:
    given = await granted(world, a_client(backchannel_logout_uri=URI))
    await world.flows.revoking.everything(actor="administrator")
    assert await world.flows.provider.back_channel.next_at() is None
    await world.flows.housekeeping.tidy()
    assert [each.sid for each in await notices(world)] == [given.session.id]
    assert await world.flows.provider.back_channel.queue_ended() == 0


@asynchronous
async def test_an_end_that_is_rolled_back_tells_nobody(world: World) -> None:
    given = await granted(world, a_client(backchannel_logout_uri=URI))

    async def end_and_fail() -> None:
        async with world.storage.transaction() as records:
            await end_sessions(
                world.context, records, [given.session.id], reason=Reason.SIGNED_OUT, actor="server"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await end_and_fail()
    assert await notices(world) == []


@asynchronous
async def test_what_was_granted_to_clients_does_not_count_as_places_where_one_is_signed_in() -> None:
    world = World(MemoryStorage(), tunables=Tunables(sessions=SessionPolicy(max_sessions=2)))
    given = await granted(world)
    await world.signed_in(ADA)
    assert await world.storage.records.find_session(given.parent.id) is not None
    assert await world.storage.records.find_session(given.session.id) is not None
    await world.close()


@asynchronous
async def test_a_bell_that_rang_before_somebody_waits_again_is_heard() -> None:
    bell = LogoutBell()
    bell.ring()  # nobody has ever waited
    assert not await bell.wait(0.001)
    bell.ring()
    assert await bell.wait(60)
    assert not await bell.wait(0.001)
