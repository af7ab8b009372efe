"""Revoking on purpose: what ends, what is written down, and what cannot be named."""

import logging
import math
from datetime import timedelta

import pytest

from coatcheck.accounts.errors import InvalidEmailError, UnknownUserError
from coatcheck.flows.access_tokens import AccessTokens
from coatcheck.flows.ending import ADMINISTRATOR
from coatcheck.flows.errors import (
    InvalidRevocationError,
    InvalidTokenError,
    NotOurTokenError,
    UnknownClientError,
    UnknownSessionError,
    UnknownSigningKeyError,
)
from coatcheck.flows.model import SignedIn
from coatcheck.identity import FIRST_PARTY
from coatcheck.jose.hazmat import read_unverified
from coatcheck.revocation.model import KINDS, Entry, Facts, Kind
from tests.flows.world import ADA, EVE, ISSUER, World, access_token, asynchronous

WHO = "user:admin"
HOSTILE = {
    "sql": "' OR 1=1; DROP TABLE sessions; --",
    "long": "x" * 60_000,
    "empty": "",
    "newline": "x\nINFO user admin ended: signed-out, by nobody",
    "escape": "\x1b[2J",
    "nul": "x\0y",
    "bidi": "x\u202ey",
    "letters": "ünïcödé",
    "surrogate": "\ud800",
    "end of line": "abc\n",
    "space": "a b",
}


async def entries(world: World) -> list[Entry]:
    return await world.storage.records.list_entries(after=0, limit=1000)


async def told(world: World, since: int = 0) -> list[tuple[str, str]]:
    return [(entry.kind, entry.value) for entry in (await entries(world))[since:]]


def jti_of(signed_in: SignedIn) -> str:
    claims = read_unverified(access_token(signed_in)).claims
    assert isinstance(claims["jti"], str)
    return claims["jti"]


# --- one session, one user -----------------------------------------------------------------------------------


@asynchronous
async def test_a_session_ends_with_all_its_tokens_and_is_written_down_once(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    other = await world.signed_in(credential="tokens")
    revoked = await world.flows.revoking.session(one.session.id, actor=WHO)
    assert revoked.ended_sessions == 1
    assert not await world.is_in(one)
    assert not await world.can_refresh(one)
    assert await world.is_in(other)
    (entry,) = await entries(world)
    assert (entry.kind, entry.value, entry.cutoff) == ("session", one.session.id, None)
    assert (entry.reason, entry.actor) == ("ended-by-administrator", WHO)


@asynchronous
async def test_a_session_that_has_ended_is_told_and_gets_no_second_entry(world: World) -> None:
    one = await world.signed_up()
    await world.flows.revoking.session(one.session.id, actor=WHO)
    for name in (one.session.id, "AAAAAAAAAAAAAAAAAAAAAA"):
        with pytest.raises(UnknownSessionError):
            await world.flows.revoking.session(name, actor=WHO)
    assert await told(world) == [("session", one.session.id)]


@pytest.mark.parametrize("by", ["address", "other case", "identifier"])
@asynchronous
async def test_a_users_sessions_end_by_name_and_the_rest_by_one_cut_off(world: World, by: str) -> None:
    one = await world.signed_up(credential="tokens")
    two = await world.signed_in()
    eve = await world.signed_up(EVE)
    name = {"address": ADA, "other case": "Ada@EXAMPLE.com", "identifier": one.user.id}[by]
    revoked = await world.flows.revoking.user(name, actor=WHO)
    assert (revoked.value, revoked.ended_sessions) == (one.user.id, 2)
    for gone in (one, two):
        assert not await world.is_in(gone)
    assert not await world.can_refresh(one)
    assert await world.is_in(eve)
    written = await told(world)
    assert sorted(written) == sorted(
        [("session", one.session.id), ("session", two.session.id), ("user", one.user.id)]
    )
    assert (await entries(world))[-1].cutoff == world.clock.now


@asynchronous
async def test_a_users_token_of_a_session_that_this_database_lost_is_void_too(world: World) -> None:
    """After a backup was restored, say."""
    one = await world.signed_up(credential="tokens")
    await world.storage.records.delete_sessions([one.session.id])
    await world.flows.revoking.user(ADA, actor=WHO)
    await world.context.ledger.catch_up()
    lost = Facts(sub=one.user.id, sid=one.session.id, jti=jti_of(one), iat=int(world.clock.now))
    assert world.context.ledger.registry.void(lost) == "user"


@asynchronous
async def test_a_revoked_user_can_sign_in_again_in_the_same_second(world: World) -> None:
    await world.signed_up()
    await world.flows.revoking.user(ADA, actor=WHO)
    again = await world.signed_in(credential="tokens")
    assert await world.is_in(again)
    assert await world.can_refresh(again)


@asynchronous
async def test_a_user_who_is_none_is_told_and_nothing_is_written(world: World) -> None:
    for name in (EVE, "AAAAAAAAAAAAAAAAAAAAAA"):
        with pytest.raises(UnknownUserError):
            await world.flows.revoking.user(name, actor=WHO)
    assert await entries(world) == []


# --- tokens, clients, keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "jti"])
@asynchronous
async def test_one_token_is_void_and_its_session_lives_on(world: World, *, whole: bool) -> None:
    one = await world.signed_up(credential="tokens")
    assert await world.is_in(one)
    named = access_token(one) if whole else jti_of(one)
    revoked = await world.flows.revoking.token(named, actor=WHO)
    assert (revoked.value, revoked.ended_sessions) == (jti_of(one), 0)
    with pytest.raises(InvalidTokenError):
        await world.identity(one)
    assert await world.can_refresh(one)
    assert await told(world) == [("token", jti_of(one))]


@asynchronous
async def test_a_token_that_is_void_gets_no_second_entry(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    two = await world.signed_in(credential="tokens")
    await world.flows.revoking.session(two.session.id, actor=WHO)
    await world.flows.revoking.token(access_token(two), actor=WHO)
    for named in (jti_of(one), jti_of(one), access_token(one)):
        await world.flows.revoking.token(named, actor=WHO)
    assert await told(world) == [("session", two.session.id), ("token", jti_of(one))]


@asynchronous
async def test_a_token_that_is_not_ours_is_refused_before_its_jti_is_believed(world: World) -> None:
    """Else anybody who can have an administrator revoke "their own" token could name that of somebody else."""
    one = await world.signed_up(credential="tokens")
    token = access_token(one)
    header, payload, signature = token.split(".")
    forged = f"{header}.{payload}.{signature[:-8]}AAAAAAAA"
    elsewhere = AccessTokens(
        world.context.access_tokens.keys,
        world.context.ledger.registry,
        issuer=ISSUER,
        audience="https://elsewhere.example",
        lifetime=timedelta(minutes=5),
        clock=world.clock,
    )
    foreign = await elsewhere.issue(one.user, one.session, at=world.clock())
    identity = await world.context.access_tokens.issue_id_token(one.user, one.session, at=world.clock())
    for other in (forged, identity, "a.b.c", ".", f"{token}.{token}", "a." * 20_000, "ü.ü"):
        with pytest.raises(NotOurTokenError) as caught:
            await world.flows.revoking.token(other, actor=WHO)
        assert other not in str(caught.value) or len(other) < 6
    world.clock.advance(301)
    with pytest.raises(NotOurTokenError):
        await world.flows.revoking.token(token, actor=WHO)
    assert await entries(world) == []
    # One that this server issued for another API is its own, too.
    world.clock.advance(-301)
    revoked = await world.flows.revoking.token(foreign, actor=WHO)
    assert await told(world) == [("token", revoked.value)]


@asynchronous
async def test_a_clients_tokens_are_void_up_to_now_and_can_be_refreshed(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    world.clock.advance(1)
    await world.flows.revoking.client(FIRST_PARTY, actor=WHO)
    assert not await world.is_in(one)
    assert await world.can_refresh(one)
    (entry,) = await entries(world)
    assert (entry.kind, entry.value, entry.cutoff) == ("client", FIRST_PARTY, world.clock.now)
    with pytest.raises(UnknownClientError):
        await world.flows.revoking.client("fist-party", actor=WHO)


@asynchronous
async def test_a_key_is_out_at_once_and_another_one_signs(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    kid = read_unverified(access_token(one)).header["kid"]
    assert isinstance(kid, str)
    revoked = await world.flows.revoking.key(kid, actor=WHO)
    assert revoked.value == kid
    assert not await world.is_in(one)
    assert await told(world) == [("key", kid)]
    assert (await entries(world))[0].actor == WHO
    assert await world.is_in(await world.signed_in(credential="tokens"))
    with pytest.raises(UnknownSigningKeyError):
        await world.flows.revoking.key("no-such-key", actor=WHO)


# --- everything ----------------------------------------------------------------------------------------------


@asynchronous
async def test_everything_ends_with_one_entry(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    two = await world.signed_in()
    eve = await world.signed_up(EVE)
    for each in (one, two, eve):
        assert await world.is_in(each)
    revoked = await world.flows.revoking.everything(actor=WHO)
    assert revoked.ended_sessions == 3
    for each in (one, two, eve):
        assert not await world.is_in(each)
    assert not await world.can_refresh(one)
    (entry,) = await entries(world)
    assert (entry.kind, entry.value, entry.cutoff) == ("everything", "", world.clock.now)


@asynchronous
async def test_after_everything_people_sign_in_again_and_are_in(world: World) -> None:
    await world.signed_up()
    await world.flows.revoking.everything(actor=WHO)
    for credential in ("cookie", "tokens"):
        again = await world.signed_in(credential=credential)
        assert await world.is_in(again)
    assert (await world.flows.revoking.everything(actor=WHO)).ended_sessions == 2


@asynchronous
async def test_another_process_refuses_what_it_remembers_at_its_next_request(sqlite_world: World) -> None:
    one = await sqlite_world.signed_up(credential="tokens")
    two = await sqlite_world.signed_in()
    other = sqlite_world.sibling()
    assert await other.is_in(one)
    assert await other.is_in(two)
    await sqlite_world.flows.revoking.everything(actor=ADMINISTRATOR)
    assert not await other.is_in(one)
    assert not await other.is_in(two)


@asynchronous
async def test_everything_before_an_instant_spares_who_signed_in_since(world: World) -> None:
    early = await world.signed_up(credential="tokens")
    world.clock.advance(60)
    instant = world.clock.now
    late = await world.signed_in(credential="tokens")
    browser = await world.signed_in()
    world.clock.advance(60)
    revoked = await world.flows.revoking.everything(actor=WHO, issued_before=instant)
    assert revoked.ended_sessions == 1
    assert not await world.can_refresh(early)
    assert await world.is_in(browser)
    # A token of the early session that was refreshed lately looks like this one.
    assert not await world.is_in(late)
    assert await world.can_refresh(late)
    (entry,) = await entries(world)
    assert entry.cutoff == world.clock.now


@pytest.mark.parametrize("instant", [math.nan, math.inf, -math.inf, -1.0, 4e9])
@asynchronous
async def test_an_instant_that_has_not_passed_ends_nothing(world: World, instant: float) -> None:
    one = await world.signed_up()
    with pytest.raises(InvalidRevocationError) as caught:
        await world.flows.revoking.everything(actor=WHO, issued_before=instant)
    assert caught.value.field == "issued_before"
    assert await world.is_in(one)
    assert await entries(world) == []


@asynchronous
async def test_what_everything_ended_is_swept_and_nothing_else(world: World) -> None:
    await world.signed_up()
    await world.flows.revoking.everything(actor=WHO)
    again = await world.signed_in()
    await world.flows.housekeeping.tidy()
    assert await world.is_in(again)


# --- by kind and value ---------------------------------------------------------------------------------------


@asynchronous
async def test_each_kind_has_its_method(world: World) -> None:
    one = await world.signed_up(credential="tokens")
    two = await world.signed_in(credential="tokens")
    kid = (await world.storage.records.list_keys())[0].kid
    values: dict[Kind, str] = {
        "token": jti_of(one),
        "session": two.session.id,
        "client": FIRST_PARTY,
        "user": ADA,
        "key": kid,
        "everything": "",
    }
    for kind, value in values.items():
        before = len(await entries(world))
        assert (await world.flows.revoking.one(kind, value, actor=WHO)).kind == kind
        assert kind in {written for written, _ in await told(world, before)}


@asynchronous
async def test_only_everything_has_an_instant_and_it_has_no_name(world: World) -> None:
    await world.signed_up()
    with pytest.raises(InvalidRevocationError) as caught:
        await world.flows.revoking.one("user", ADA, actor=WHO, issued_before=1.0)
    assert caught.value.field == "issued_before"
    with pytest.raises(InvalidRevocationError):
        await world.flows.revoking.one("everything", "ada", actor=WHO)
    assert await entries(world) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@asynchronous
async def test_what_could_name_nothing_reaches_neither_ledger_nor_log(
    world: World, caplog: pytest.LogCaptureFixture, kind: Kind, value: str
) -> None:
    caplog.set_level(logging.DEBUG)
    if kind == "everything" and not value:
        return
    one = await world.signed_up()
    await world.post()
    caplog.clear()
    refusals = (InvalidRevocationError, InvalidEmailError, UnknownClientError, UnknownUserError)
    with pytest.raises(refusals) as caught:
        await world.flows.revoking.one(kind, value, actor=WHO)
    assert not value or value not in str(caught.value)
    assert caplog.text == ""
    assert await entries(world) == []
    assert await world.is_in(one)


@asynchronous
async def test_a_token_is_never_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    one = await world.signed_up(credential="tokens")
    await world.flows.revoking.token(access_token(one), actor=WHO)
    assert access_token(one) not in caplog.text
    assert f"token {jti_of(one)} ended: ended-by-administrator, by {WHO}" in caplog.text


# --- the history ---------------------------------------------------------------------------------------------


@asynchronous
async def test_the_history_tells_the_newest_first_page_by_page(world: World) -> None:
    assert await world.flows.revoking.history() == []
    names = [f"{number:022}" for number in range(250)]
    for name in names:
        await world.flows.revoking.token(name, actor=WHO)
    newest = await world.flows.revoking.history(limit=120)
    assert [entry.value for entry in newest] == names[:-121:-1]
    older = await world.flows.revoking.history(limit=500, before=newest[-1].seq)
    assert [entry.value for entry in older] == names[-121::-1]
    assert await world.flows.revoking.history(before=1) == []
    assert len(await world.flows.revoking.history(before=10**15)) in {0, 100}


@asynchronous
async def test_the_history_ends_where_entries_were_dropped(world: World) -> None:
    await world.flows.revoking.token("old-old-old-old-old-ol", actor=WHO)
    world.clock.advance(7200)
    await world.flows.revoking.token("new-new-new-new-new-ne", actor=WHO)
    await world.storage.records.delete_expired_entries(world.clock.now, limit=10)
    assert [entry.value for entry in await world.flows.revoking.history()] == ["new-new-new-new-new-ne"]


@asynchronous
async def test_the_history_knows_the_addresses_of_users(world: World) -> None:
    one = await world.signed_up()
    await world.flows.revoking.user(ADA, actor=f"user:{one.user.id}")
    await world.flows.revoking.client(FIRST_PARTY, actor="user:gone")
    history = await world.flows.revoking.history()
    assert await world.flows.revoking.emails(history) == {one.user.id: ADA}
