"""What whoever runs the site does to accounts and sessions."""

import asyncio
from collections.abc import Iterator

import pytest

from coatcheck.accounts.errors import (
    EmailTakenError,
    ImportRefusedError,
    InvalidCredentialsError,
    InvalidEmailError,
    UnknownUserError,
)
from coatcheck.accounts.importing import ImportedUser
from coatcheck.flows.administration import ADMIN_SCOPE, require_administrator
from coatcheck.flows.errors import InsufficientScopeError, RecentSignInNeededError
from coatcheck.identity import MalformedScopeError
from tests.flows.world import ADA, EVE, HOME, NOW, PASSWORD, World, asynchronous

DAY = 24 * 3600


@asynchronous
async def test_asvs_6_4_6_a_new_user_sets_the_password_by_a_link_and_has_none_before(world: World) -> None:
    user = await world.flows.administration.add_user(ADA, scopes=["read"])
    assert user.password_hash is None
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()
    await world.flows.recovery.reset(await world.token(), PASSWORD, client=HOME)
    signed_in = await world.signed_in()
    assert (await world.identity(signed_in)).scopes == {"read"}


@asynchronous
async def test_a_taken_address_is_refused_and_nobody_is_mailed(world: World) -> None:
    await world.signed_up()
    await world.post()
    with pytest.raises(EmailTakenError):
        await world.flows.administration.add_user("ADA@example.com")
    assert await world.post() == []


@asynchronous
async def test_of_many_who_add_one_address_at_once_one_wins(world: World) -> None:
    outcomes = await asyncio.gather(
        *(world.flows.administration.add_user(ADA) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(outcome, EmailTakenError) for outcome in outcomes) == 9
    assert len(await world.post()) == 1


@asynchronous
async def test_impossible_addresses_and_scopes_are_refused(world: World) -> None:
    with pytest.raises(InvalidEmailError):
        await world.flows.administration.add_user("ada")
    with pytest.raises(MalformedScopeError):
        await world.flows.administration.add_user(ADA, scopes=['"'])
    await world.flows.administration.add_user(ADA)
    with pytest.raises(MalformedScopeError):
        await world.flows.administration.set_scopes(ADA, ["\\"])


@asynchronous
async def test_an_unknown_address_is_told_to_an_administrator(world: World) -> None:
    administration = world.flows.administration
    for attempt in (
        administration.find_user(EVE),
        administration.set_scopes(EVE, []),
        administration.disable(EVE),
        administration.enable(EVE),
        administration.delete(EVE),
        administration.start_reset(EVE),
        administration.list_sessions(EVE),
        administration.end_sessions(EVE),
    ):
        with pytest.raises(UnknownUserError):
            await attempt


@asynchronous
async def test_scopes_hold_for_the_next_request_with_whatever_credential(world: World) -> None:
    browser = await world.signed_up()
    await world.flows.administration.set_scopes(ADA, ["read"])
    app = await world.signed_in(credential="tokens")
    assert (await world.identity(app)).scopes == {"read"}
    for granted in (["write"], [], ["read", "write"]):
        world.clock.advance(0.001)
        await world.flows.administration.set_scopes(ADA, granted)
        assert (await world.identity(browser)).scopes == set(granted)
        assert not await world.is_in(app)  # it says otherwise, to services that ask nobody
        app = await world.refreshed(app)
        assert (await world.identity(app)).scopes == set(granted)


@asynchronous
async def test_scopes_that_stay_as_they_are_void_nothing(world: World) -> None:
    await world.signed_up()
    await world.flows.administration.set_scopes(ADA, ["read"])
    app = await world.signed_in(credential="tokens")
    head = await world.storage.records.ledger_head()
    await world.flows.administration.set_scopes(ADA, ["read", "read"])
    assert await world.is_in(app)
    assert await world.storage.records.ledger_head() == head


@asynchronous
async def test_a_disabled_account_can_be_enabled_again_and_its_sessions_stay_ended(world: World) -> None:
    signed_in = await world.signed_up()
    await world.flows.administration.disable(ADA)
    disabled_at = (await world.flows.administration.find_user(ADA)).disabled_at
    world.clock.advance(5)
    assert await world.flows.administration.disable(ADA) == 0
    assert (await world.flows.administration.find_user(ADA)).disabled_at == disabled_at == NOW
    await world.flows.administration.enable(ADA)
    assert not await world.is_in(signed_in)
    assert await world.is_in(await world.signed_in())


@asynchronous
async def test_users_are_listed_page_by_page(world: World) -> None:
    emails = [f"{letter}@example.com" for letter in "cab"]
    for email in emails:
        await world.flows.administration.add_user(email)
    first = await world.flows.administration.list_users(limit=2)
    rest = await world.flows.administration.list_users(after=first[-1].email_key, limit=2)
    assert [user.email for user in first + rest] == sorted(emails)


@asynchronous
async def test_sessions_are_listed_without_expired_ones(world: World) -> None:
    await world.signed_up()
    world.clock.advance(10 * DAY)
    recent = await world.signed_in()
    world.clock.advance(5 * DAY)
    listed = await world.flows.administration.list_sessions(ADA)
    assert [session.id for session in listed] == [recent.session.id]


@asynchronous
async def test_a_reset_is_started_by_mail(world: World) -> None:
    await world.signed_up()
    await world.post()
    await world.flows.administration.start_reset(ADA)
    assert await world.flows.recovery.look(await world.token()) == ADA


# --- import ------------------------------------------------------------------------------------------------


def row(number: int, **fields: object) -> ImportedUser:
    email = f"user{number}@example.com"
    return ImportedUser(**{"row": number, "email": email, "key": email, "password_hash": None} | fields)  # type: ignore[arg-type]


@asynchronous
async def test_an_import_reports_who_is_new_who_was_there_and_which_rows_are_no_users(world: World) -> None:
    await world.signed_up(ADA)
    await world.post()
    before = await world.flows.administration.find_user(ADA)
    refused = ImportRefusedError("no address", row=3)
    report = await world.flows.administration.import_users(
        [
            row(1, created_at=1.5, scopes=frozenset({"read"})),
            row(2, email=ADA, key=ADA, disabled=True),
            refused,
            row(4, disabled=True),
        ]
    )
    assert (report.added, report.present, report.refused) == (2, 1, (refused,))
    assert await world.flows.administration.find_user(ADA) == before
    first = await world.flows.administration.find_user("user1@example.com")
    assert (first.created_at, first.scopes, first.disabled_at) == (1.5, frozenset({"read"}), None)
    fourth = await world.flows.administration.find_user("user4@example.com")
    assert (fourth.created_at, fourth.disabled_at) == (NOW, NOW)
    assert await world.post() == []


@asynchronous
async def test_an_import_is_committed_in_batches_and_tells_how_far_it_is(world: World) -> None:
    progress: list[int] = []
    report = await world.flows.administration.import_users(
        (row(number) for number in range(1, 1102)), on_progress=progress.append
    )
    assert report.added == 1101
    assert progress == [500, 1000, 1101]


@asynchronous
async def test_an_import_that_breaks_off_leaves_whole_batches_and_can_be_run_again(world: World) -> None:
    def breaking() -> Iterator[ImportedUser]:
        yield from (row(number) for number in range(1, 701))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await world.flows.administration.import_users(breaking())
    assert len(await world.flows.administration.list_users(limit=2000)) == 500
    report = await world.flows.administration.import_users(row(number) for number in range(1, 701))
    assert (report.added, report.present) == (200, 500)


@asynchronous
async def test_an_empty_import_is_none(world: World) -> None:
    report = await world.flows.administration.import_users([])
    assert (report.added, report.present, report.refused) == (0, 0, ())


# --- who is an administrator ---------------------------------------------------------------------------------


@asynchronous
async def test_an_administrator_has_the_scope_and_nobody_else_is_one(world: World) -> None:
    browser = await world.signed_up()
    for scopes in (
        [],
        ["admin"],
        ["coatcheck"],
        ["coatcheck:administrator"],
        ["COATCHECK:ADMIN"],
        ["coatcheck:admin:x"],
    ):
        await world.flows.administration.set_scopes(ADA, scopes)
        with pytest.raises(InsufficientScopeError) as caught:
            require_administrator(world.context, await world.identity(browser), changes=False)
        assert caught.value.scope == "coatcheck:admin"
    await world.flows.administration.set_scopes(ADA, [ADMIN_SCOPE])
    require_administrator(world.context, await world.identity(browser), changes=True)


@asynchronous
async def test_a_session_that_was_not_asked_for_the_scope_does_not_have_it(world: World) -> None:
    await world.signed_up()
    await world.flows.administration.set_scopes(ADA, [ADMIN_SCOPE, "read"])
    narrow = await world.signed_in(credential="tokens", scope="read")
    with pytest.raises(InsufficientScopeError):
        require_administrator(world.context, await world.identity(narrow), changes=False)


@asynchronous
async def test_asvs_7_5_3_a_change_by_cookie_needs_a_recent_sign_in_and_looking_does_not(
    world: World,
) -> None:
    browser = await world.signed_up()
    tokens = await world.signed_in(credential="tokens")
    await world.flows.administration.set_scopes(ADA, [ADMIN_SCOPE])
    world.clock.advance(301)
    identity = await world.identity(browser)
    require_administrator(world.context, identity, changes=False)
    with pytest.raises(RecentSignInNeededError):
        require_administrator(world.context, identity, changes=True)
    assert await world.can_refresh(tokens)
