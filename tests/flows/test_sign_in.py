"""Signing in: what is told, what it costs, and what happens while a password is being hashed."""

import asyncio
import logging
import threading
from datetime import timedelta

import bcrypt
import pytest

from coatcheck.accounts.errors import InvalidCredentialsError, OverloadedError, TooManyAttemptsError
from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.model import User
from coatcheck.accounts.policy import Rate, ThrottlePolicy
from coatcheck.flows.model import SignedIn
from coatcheck.identity import Client, MalformedScopeError
from coatcheck.sessions.errors import TooManySessionsError
from coatcheck.sessions.policy import SessionPolicy
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PARAMETERS,
    PASSWORD,
    Tunables,
    World,
    asynchronous,
    cookie,
)


async def import_ada(world: World, password_hash: str | None = None) -> User:
    encoded = password_hash or bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    row = ImportedUser(row=1, email=ADA, key=ADA, password_hash=encoded)
    await world.flows.administration.import_users([row])
    return await world.flows.administration.find_user(ADA)


@asynchronous
async def test_every_sign_in_is_a_session_of_its_own_with_a_new_secret(world: World) -> None:
    first = await world.signed_up()
    second = await world.signed_in()
    assert first.session.id != second.session.id
    assert cookie(first) != cookie(second)
    assert len(cookie(second)) == 43
    assert await world.is_in(first)
    assert await world.is_in(second)


@asynchronous
async def test_the_session_that_the_browser_had_before_ends_even_if_it_was_somebody_elses(
    world: World,
) -> None:
    await world.signed_up(ADA)
    eve = await world.signed_up(EVE)
    await world.signed_in(ADA, replaces=cookie(eve))
    assert not await world.is_in(eve)


@asynchronous
async def test_a_secret_that_a_browser_brought_is_never_adopted(world: World) -> None:
    await world.signed_up()
    planted = "A" * 43
    signed_in = await world.signed_in(replaces=planted)
    assert cookie(signed_in) != planted


@asynchronous
async def test_a_failed_sign_in_leaves_the_session_that_the_browser_has(world: World) -> None:
    signed_in = await world.signed_up()
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password="wrong", replaces=cookie(signed_in))
    assert await world.is_in(signed_in)


@asynchronous
async def test_the_address_is_found_in_whatever_case_and_the_password_only_as_it_was_typed(
    world: World,
) -> None:
    await world.signed_up()
    await world.signed_in(" ADA@Example.COM ")
    for password in (PASSWORD.upper(), f"{PASSWORD} ", PASSWORD[:-1], "", "\ud800"):
        with pytest.raises(InvalidCredentialsError):
            await world.signed_in(password=password)


@asynchronous
async def test_known_unknown_disabled_passwordless_and_impossible_accounts_fail_alike_and_cost_one_hash(
    world: World,
) -> None:
    await world.signed_up(ADA)
    await world.signed_up(EVE)
    await world.flows.administration.disable(EVE)
    await world.flows.administration.add_user("new@example.com")
    await world.post()
    outcomes = set()
    for email, password in (
        (ADA, "wrong"),
        ("nobody@example.com", "wrong"),
        (EVE, PASSWORD),
        (EVE, "wrong"),
        ("new@example.com", "wrong"),
        ("no address", "wrong"),
        ("", ""),
        ("\ud800@example.com", "wrong"),
    ):
        world.hasher.verified = world.hasher.hashed = 0
        with pytest.raises(InvalidCredentialsError) as caught:
            await world.signed_in(email, password=password)
        error = caught.value
        mails = len(await world.post())
        outcomes.add((error.message, error.code, world.hasher.verified, world.hasher.hashed, mails))
    assert outcomes == {("The e-mail address or the password is wrong.", "invalid_credentials", 1, 0, 0)}


@asynchronous
async def test_the_time_of_a_failure_is_rounded_up_to_a_multiple_of_the_quantum(world: World) -> None:
    await import_ada(world)
    world.allow(failure_quantum=timedelta(milliseconds=60))
    loop = asyncio.get_running_loop()
    for email in (ADA, "nobody@example.com"):
        started = loop.time()
        with pytest.raises(InvalidCredentialsError):
            await world.signed_in(email, password="wrong")
        assert loop.time() - started >= 0.06
    await world.signed_in()


@asynchronous
async def test_a_burst_of_wrong_passwords_at_once_gets_no_more_guesses_than_the_limit(world: World) -> None:
    await world.signed_up()
    world.hasher.verified = 0
    outcomes = await asyncio.gather(
        *(world.signed_in(password="wrong", client=ELSEWHERE) for _ in range(60)), return_exceptions=True
    )
    burst = world.context.throttles.account_at_address.burst
    assert sum(isinstance(outcome, InvalidCredentialsError) for outcome in outcomes) == burst
    assert sum(isinstance(outcome, TooManyAttemptsError) for outcome in outcomes) == 60 - burst
    assert world.hasher.verified == burst


@asynchronous
async def test_unknown_accounts_run_into_the_same_limit(world: World) -> None:
    await world.signed_up()
    counts = []
    for email in (ADA, "nobody@example.com"):
        for count in range(100):  # noqa: B007 - it is what is counted
            try:
                await world.signed_in(email, password="wrong", client=ELSEWHERE)
            except TooManyAttemptsError:
                break
            except InvalidCredentialsError:
                pass
        counts.append(count)
    assert counts[0] == counts[1] == world.context.throttles.account_at_address.burst


@asynchronous
async def test_whoever_guesses_cannot_lock_the_owner_out_of_a_device_that_they_used_before(
    world: World,
) -> None:
    owner = await world.signed_up()
    for number in range(world.context.throttles.account.burst):
        with pytest.raises(InvalidCredentialsError):
            await world.signed_in(password="wrong", client=Client(address=f"203.0.113.{number}"))
    with pytest.raises(TooManyAttemptsError):  # the account's limit is used up for strangers
        await world.signed_in(client=Client(address="203.0.113.250"))
    with pytest.raises(TooManyAttemptsError):
        await world.signed_in(client=Client(address="203.0.113.250"), device="forged.device")
    assert await world.is_in(await world.signed_in(device=owner.device))


@asynchronous
async def test_success_lifts_the_accounts_limits_but_not_the_networks(world: World) -> None:
    world.tune(
        Tunables(
            throttles=ThrottlePolicy(address=Rate(8, 3600.0), account_at_address=Rate(3, 3600.0)),
            flows=world.tunables.flows,
        )
    )
    await world.signed_up()
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(InvalidCredentialsError):
                await world.signed_in(password="wrong")
        await world.signed_in()
    for _ in range(2):
        with pytest.raises(InvalidCredentialsError):
            await world.signed_in(password="wrong")
    with pytest.raises(TooManyAttemptsError):
        await world.signed_in()


@asynchronous
async def test_after_the_time_that_is_told_the_owner_gets_in(world: World) -> None:
    await world.signed_up()
    retry_after = 0.0
    for _ in range(60):
        try:
            await world.signed_in(password="wrong")
        except InvalidCredentialsError:
            continue
        except TooManyAttemptsError as error:
            retry_after = error.retry_after
            break
    assert retry_after > 0
    world.clock.advance(retry_after)
    assert await world.is_in(await world.signed_in())


@asynchronous
async def test_an_imported_hash_is_replaced_by_one_of_ours_at_the_next_sign_in(world: World) -> None:
    imported = await import_ada(world)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password="wrong")
    assert await world.flows.administration.find_user(ADA) == imported
    await world.signed_in()
    upgraded = await world.flows.administration.find_user(ADA)
    assert upgraded.password_hash is not None
    assert upgraded.password_hash.startswith("$argon2id$")
    assert upgraded.password_changed_at == imported.password_changed_at
    await world.signed_in()
    assert await world.flows.administration.find_user(ADA) == upgraded


@asynchronous
async def test_two_sign_ins_that_upgrade_the_same_hash_at_once_both_succeed(world: World) -> None:
    await import_ada(world)
    outcomes = await asyncio.gather(*(world.signed_in() for _ in range(5)))
    assert [await world.is_in(outcome) for outcome in outcomes] == [True] * 5


@asynchronous
async def test_a_password_that_was_changed_while_it_was_checked_is_refused(world: World) -> None:
    owner = await world.signed_up()
    identity = await world.identity(owner)

    async def change() -> SignedIn:
        return await world.flows.account.change_password(
            identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None
        )

    world.hasher.meanwhile = change
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()
    assert len(await world.flows.administration.list_sessions(ADA)) == 1


@asynchronous
async def test_an_account_that_was_disabled_or_deleted_while_the_password_was_checked_is_refused(
    world: World,
) -> None:
    await world.signed_up()
    world.hasher.meanwhile = lambda: world.flows.administration.disable(ADA)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()
    await world.flows.administration.enable(ADA)
    world.hasher.meanwhile = lambda: world.flows.administration.delete(ADA)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()


@asynchronous
async def test_an_account_whose_hash_changes_at_every_look_is_refused_in_the_end(world: World) -> None:
    await import_ada(world)
    records = world.storage.records

    async def rehash_elsewhere() -> None:
        user = await world.flows.administration.find_user(ADA)
        other = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        await records.replace_user(
            User(**{name: getattr(user, name) for name in user.__struct_fields__} | {"password_hash": other}),
            expected=user,
        )

    async def twice() -> None:
        await rehash_elsewhere()
        world.hasher.meanwhile = rehash_elsewhere

    world.hasher.meanwhile = twice
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()


@asynchronous
async def test_an_overloaded_server_says_so_and_when_to_come_back(sqlite_world: World) -> None:
    world = sqlite_world
    await world.signed_up()
    world.hasher.pool.close()
    world.hasher.pool = pool = HashingPool(PARAMETERS, workers=1, queue=0)
    released = threading.Event()
    busy = asyncio.create_task(pool._run(released.wait))
    await asyncio.sleep(0)
    for email in (ADA, "nobody@example.com"):
        with pytest.raises(OverloadedError) as caught:
            await world.signed_in(email)
        assert caught.value.retry_after > 0
    released.set()
    await busy
    assert await world.is_in(await world.signed_in())


@asynchronous
async def test_scopes_are_narrowed_to_what_is_asked_for_and_never_widened(world: World) -> None:
    await world.signed_up()
    await world.flows.administration.set_scopes(ADA, ["read", "write"])
    for scope, granted in (
        (None, {"read", "write"}),
        ("read", {"read"}),
        ("read admin", {"read"}),
        ("admin", set[str]()),
        ("", set[str]()),
    ):
        signed_in = await world.signed_in(credential="tokens", scope=scope)
        assert signed_in.tokens is not None
        assert set(signed_in.tokens.scope.split()) == granted
        assert (await world.identity(signed_in)).scopes == granted


@pytest.mark.parametrize("scope", ['"', "a\\b", "é", "a\tb", "a\nb", "\x7f"])
@asynchronous
async def test_what_is_no_scope_is_refused_before_anything_is_counted(world: World, scope: str) -> None:
    await world.signed_up()
    world.hasher.verified = 0
    with pytest.raises(MalformedScopeError):
        await world.signed_in(scope=scope)
    assert world.hasher.verified == 0


@asynchronous
async def test_beyond_the_limit_the_session_that_was_not_used_for_longest_ends(world: World) -> None:
    sessions = SessionPolicy(max_sessions=2)
    world.tune(Tunables(sessions=sessions, flows=world.tunables.flows))
    first = await world.signed_up()
    world.clock.advance(1)
    second = await world.signed_in()
    world.clock.advance(7200)
    await world.identity(first)  # used, and noted
    third = await world.signed_in()
    assert [await world.is_in(each) for each in (first, second, third)] == [True, False, True]


@asynchronous
async def test_beyond_the_limit_a_sign_in_is_refused_where_that_is_the_policy_and_changes_nothing(
    world: World,
) -> None:
    sessions = SessionPolicy(max_sessions=1, at_limit="refuse")
    world.tune(Tunables(sessions=sessions, flows=world.tunables.flows))
    first = await world.signed_up()
    await world.post()
    with pytest.raises(TooManySessionsError):
        await world.signed_in()
    assert await world.is_in(first)
    assert await world.post() == []
    await world.signed_in(replaces=cookie(first))  # the browser that has it may change it for another


@asynchronous
async def test_many_sign_ins_at_once_never_exceed_the_limit(world: World) -> None:
    world.tune(Tunables(sessions=SessionPolicy(max_sessions=3), flows=world.tunables.flows))
    signed_in = [await world.signed_up()]
    signed_in += await asyncio.gather(*(world.signed_in() for _ in range(9)))
    assert sum([await world.is_in(each) for each in signed_in]) == 3


@asynchronous
async def test_a_sign_in_from_a_new_device_is_mailed_and_one_from_a_known_one_is_not(world: World) -> None:
    first = await world.signed_up()
    await world.post()
    await world.signed_in(device=first.device)
    assert await world.subjects() == []
    stranger = await world.signed_in(client=ELSEWHERE)
    assert await world.subjects() == [(ADA, "New sign-in to Example")]
    await world.signed_in(client=ELSEWHERE, device=stranger.device)
    assert await world.subjects() == []
    world.allow(notify_new_device=False)
    await world.signed_in(client=ELSEWHERE)
    assert await world.subjects() == []


@asynchronous
async def test_no_secret_is_in_a_result_an_error_or_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await world.signed_up()
    signed_in = await world.signed_in(credential="tokens", device="x", replaces="planted-secret")
    browser = await world.signed_in()
    assert signed_in.tokens is not None
    secrets = {
        PASSWORD,
        cookie(browser),
        signed_in.tokens.access_token,
        signed_in.tokens.refresh_token,
        str(signed_in.user.password_hash),
    }
    with pytest.raises(InvalidCredentialsError) as caught:
        await world.signed_in(password=f"{PASSWORD}!")
    known = await world.flows.authentication.by_cookie(cookie(browser))
    shown = [
        *map(repr, (signed_in, browser, signed_in.tokens, world.context, world.flows, known)),
        repr(caught.value),
        str(caught.value.detail),
        caplog.text,
    ]
    assert [secret for secret in secrets for text in shown if secret in text] == []
