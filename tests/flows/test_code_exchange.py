"""From a code to tokens: once, for the client that asked, and never for longer than where it was granted."""

from typing import Any

import msgspec
import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.accounts.model import User
from coatcheck.flows.ending import Reason, end_sessions
from coatcheck.flows.provider.grants.authorization_code import AuthorizationCodeGrant
from coatcheck.flows.provider.grants.model import TokenRequest
from coatcheck.flows.provider.grants.user_tokens import UserTokens
from coatcheck.oauth.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from tests.flows.registered import (
    FILES,
    MAIL,
    PUBLIC,
    REDIRECT,
    VERIFIER,
    Registered,
    at_once,
    claims_of,
)
from tests.flows.world import ADA, HOME, ISSUER, World, asynchronous


async def entries(world: World) -> list[tuple[str, str, str]]:
    found = await world.storage.records.list_entries(after=0, limit=1000)
    return [(each.kind, each.value, each.reason) for each in found]


@asynchronous
async def test_a_code_gives_the_tokens_of_a_session_of_its_own(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada))
    claims, identity = claims_of(answer.access_token), claims_of(answer.id_token)
    assert claims["aud"] == [FILES, ISSUER]
    assert claims["sub"] == identity["sub"] == ada.user.id
    assert claims["client_id"] == identity["aud"] == "web"
    assert claims["scope"] == "files:read files:write openid"
    assert answer.scope == "openid files:read files:write"
    assert identity["nonce"] == "n-0S6"
    assert "at_hash" in identity
    session = await world.storage.records.find_session(claims["sid"])
    assert session is not None
    assert (session.parent_id, session.client_id) == (ada.session.id, "web")
    assert claims["sid"] == identity["sid"] != ada.session.id
    grant = await world.storage.records.find_grant(session.id)
    assert grant is not None
    assert grant.scope == ("openid", "files:read", "files:write")
    assert await registered.is_good(answer)


@asynchronous
async def test_attack_code_replay_ends_what_the_first_use_gave(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    answer = await registered.exchange(code)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    assert not await registered.is_good(answer)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(answer.refresh_token)
    assert await world.is_in(ada)
    sid = claims_of(answer.access_token)["sid"]
    assert await entries(world) == [("session", sid, Reason.CODE_REPLAYED)]
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    assert len(await entries(world)) == 1


@asynchronous
async def test_attack_code_replay_under_contention_gives_tokens_to_exactly_one(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    came = await at_once(*(registered.exchange(code) for _ in range(8)))
    refused = [each for each in came if isinstance(each, InvalidGrantError)]
    given = [each for each in came if not isinstance(each, Exception)]
    assert (len(given), len(refused)) == (1, 7)
    assert not await registered.is_good(given[0])


@asynchronous
async def test_attack_replay_by_who_cannot_show_the_verifier_ends_nobodys_session(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada, client_id="spa")
    answer = await registered.exchange(code, credentials=PUBLIC)
    for wrong in ("w" * 43, ""):
        with pytest.raises(InvalidGrantError):
            await registered.exchange(code, credentials=PUBLIC, code_verifier=wrong)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    assert await registered.is_good(answer)


@asynchronous
async def test_attack_code_injection_by_another_client_gets_nothing_and_spoils_nothing(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada, client_id="spa")
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    assert claims_of((await registered.exchange(code, credentials=PUBLIC)).access_token)["client_id"] == "spa"


@pytest.mark.parametrize("given", [None, "w" * 43, "v" * 42, "v" * 129, "v" * 42 + "!", "ü" * 43])
@asynchronous
async def test_attack_a_code_without_the_right_verifier_is_worth_nothing(
    world: World, given: str | None
) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    asked: dict[str, Any] = {"code": code, "redirect_uri": REDIRECT} | (
        {} if given is None else {"code_verifier": given}
    )
    with pytest.raises(InvalidGrantError):
        await registered.ask("authorization_code", **asked)
    await registered.exchange(code)


@asynchronous
async def test_attack_pkce_downgrade_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada, challenge=None)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    assert await registered.is_good(
        await registered.ask("authorization_code", code=code, redirect_uri=REDIRECT)
    )


@asynchronous
async def test_attack_a_code_without_a_challenge_is_bound_by_its_redirect_uri(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada, challenge=None)
    with pytest.raises(InvalidGrantError):
        await registered.ask("authorization_code", code=code)
    with pytest.raises(InvalidGrantError):
        await registered.ask("authorization_code", code=code, redirect_uri=REDIRECT + "/")
    assert await registered.is_good(
        await registered.ask("authorization_code", code=code, redirect_uri=REDIRECT)
    )


@asynchronous
async def test_a_redirect_uri_may_be_left_out_and_must_else_be_the_one(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code, redirect_uri=REDIRECT + "/")
    answer = await registered.ask("authorization_code", code=code, code_verifier=VERIFIER)
    assert await registered.is_good(answer)


@asynchronous
async def test_a_code_ends_after_its_time(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    world.clock.advance(60)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)
    with pytest.raises(InvalidGrantError):
        await registered.exchange("unknown")
    with pytest.raises(InvalidRequestError):
        await registered.ask("authorization_code")


@asynchronous
async def test_a_code_is_worth_nothing_once_the_session_ended_in_which_it_was_granted(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    for offline in (False, True):
        code = await registered.code(ada, offline=offline)
        await world.flows.ending.sign_out(await world.identity(ada))
        with pytest.raises(InvalidGrantError):
            await registered.exchange(code)
        ada = await world.signed_in()


@asynchronous
async def test_a_code_of_a_user_who_was_disabled_is_worth_nothing(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    records = world.storage.records
    user = await records.find_user(ada.user.id)
    assert isinstance(user, User)
    await records.replace_user(msgspec.structs.replace(user, disabled_at=1.0), expected=user)
    with pytest.raises(InvalidGrantError):
        await registered.exchange(code)


@asynchronous
async def test_an_online_session_ends_with_the_browsers_and_an_offline_one_does_not(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    online = await registered.exchange(await registered.code(ada))
    offline = await registered.exchange(await registered.code(ada, offline=True))
    await world.flows.ending.sign_out(await world.identity(ada))
    assert not await registered.is_good(online)
    assert await registered.is_good(offline)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(online.refresh_token)
    offline = await registered.refresh(offline.refresh_token)
    again = await world.signed_in(ADA)
    await world.flows.ending.end_everywhere(await world.identity(again))
    assert not await registered.is_good(offline)


@asynchronous
async def test_a_token_never_outlives_the_session_in_which_it_was_granted(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    session = await world.storage.records.find_session(ada.session.id)
    assert session is not None
    world.clock.advance(session.expires_at - world.clock() - 10)
    await world.storage.records.touch_session(session.id, world.clock() - 1)
    answer = await registered.exchange(await registered.code(ada))
    assert answer.expires_in <= 10
    assert claims_of(answer.access_token)["exp"] <= session.expires_at


@asynchronous
async def test_the_same_client_in_the_same_browser_has_one_session_and_all_that_was_granted_in_it(
    world: World,
) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    sid = new_identifier()
    first = await registered.exchange(await registered.code(ada, session_id=sid, scope="files:read"))
    second = await registered.exchange(
        await registered.code(ada, session_id=sid, scope="openid mail:read", audiences=(MAIL,))
    )
    assert claims_of(first.access_token)["sid"] == claims_of(second.access_token)["sid"] == sid
    assert claims_of(second.access_token)["scope"] == "mail:read openid"
    grant = await world.storage.records.find_grant(sid)
    assert grant is not None
    assert set(grant.scope) == {"openid", "files:read", "mail:read"}
    # Neither of its two tabs has signed the other one out.
    await registered.refresh(first.refresh_token)
    await registered.refresh(second.refresh_token)


@asynchronous
async def test_a_code_that_was_asked_for_before_the_last_sign_in_does_not_make_that_older(
    world: World,
) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    sid, early = new_identifier(), world.clock() - 100
    old = await registered.code(ada, session_id=sid, authenticated_at=early)
    await registered.exchange(await registered.code(ada, session_id=sid))
    answer = await registered.exchange(old)
    assert claims_of(answer.id_token)["auth_time"] == int(ada.session.authenticated_at)


@asynchronous
async def test_a_planned_session_that_is_somebody_elses_is_not_taken_over(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    for session_id in (ada.session.id, (await world.signed_in()).session.id):
        with pytest.raises(InvalidGrantError):
            await registered.exchange(await registered.code(ada, session_id=session_id))
    assert await world.is_in(ada)


@asynchronous
async def test_a_client_that_may_not_refresh_gets_no_refresh_token(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    await registered.change("web", grant_types=("authorization_code",))
    answer = await registered.exchange(await registered.code(ada, scope="files:read"))
    assert not isinstance(answer.refresh_token, str)
    assert not isinstance(answer.id_token, str)
    assert claims_of(answer.access_token)["aud"] == FILES
    with pytest.raises(UnauthorizedClientError):
        await registered.ask("refresh_token", refresh_token="x")


@asynchronous
async def test_a_request_for_tokens_chooses_among_the_apis_that_were_granted(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    granted: dict[str, Any] = {"scope": "files:read mail:read", "audiences": (FILES, MAIL)}
    code = await registered.code(ada, **granted)
    with pytest.raises(InvalidTargetError):
        await registered.exchange(code, resources=("https://elsewhere.example",))
    with pytest.raises(InvalidTargetError):
        await registered.exchange(code, resources=(FILES, MAIL))
    with pytest.raises(InvalidTargetError):
        await registered.exchange(code, resources=(ISSUER,))
    with pytest.raises(InvalidScopeError):
        await registered.exchange(code, scope="files:admin")
    answer = await registered.exchange(code, resources=(MAIL + "/",))
    claims = claims_of(answer.access_token)
    assert (claims["aud"], claims["scope"]) == (MAIL, "mail:read")


@asynchronous
async def test_what_a_user_may_not_do_is_in_no_token_although_it_was_granted(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada, scope="files:read files:admin"))
    assert claims_of(answer.access_token)["scope"] == "files:read"


@asynchronous
async def test_an_api_that_was_removed_in_between_is_no_target(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    code = await registered.code(ada)
    await world.storage.records.delete_api(FILES)
    with pytest.raises(InvalidTargetError):
        await registered.exchange(code)


@asynchronous
async def test_a_grant_without_an_api_is_for_this_servers_own(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada, scope="openid profile", audiences=()))
    claims = claims_of(answer.access_token)
    assert (claims["aud"], claims["scope"]) == (ISSUER, "openid profile")


@asynchronous
async def test_what_is_told_shows_no_secrets(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada))
    assert answer.access_token not in repr(answer)
    assert repr(answer) == "<TokenAnswer expires_in=300>"


@asynchronous
async def test_a_cut_off_of_a_user_voids_tokens_that_know_them_by_another_name_too(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    await registered.change("web", subject_type="pairwise", sector="app.example")
    web = await registered.exchange(await registered.code(ada))
    spa = await registered.exchange(await registered.code(ada, client_id="spa"), credentials=PUBLIC)
    assert claims_of(web.access_token)["sub"] != claims_of(spa.access_token)["sub"] == ada.user.id
    world.clock.advance(0.5)
    await world.flows.administration.set_scopes(ADA, ["read"])
    assert not await registered.is_good(web)
    assert not await registered.is_good(spa)
    sid = claims_of(web.access_token)["sid"]
    assert [each[:2] for each in await entries(world)] == [("user", ada.user.id), ("session", sid)]
    assert await registered.is_good(await registered.refresh(web.refresh_token))


@asynchronous
async def test_attack_a_session_that_ended_is_not_opened_again_by_a_code_that_was_to_join_it(
    world: World,
) -> None:
    """Its name is in the ledger: all that came of it would be void, until the ledger forgets, and then be good."""
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada))
    sid = claims_of(answer.access_token)["sid"]
    joining = await registered.code(ada, session_id=sid, joins=True)
    async with world.storage.transaction() as records:
        await end_sessions(world.context, records, [sid], reason=Reason.GRANT_REVOKED, actor="client:web")
    with pytest.raises(InvalidGrantError):
        await registered.exchange(joining)
    assert await world.storage.records.find_session(sid) is None
    assert await entries(world) == [("session", sid, Reason.GRANT_REVOKED)]


@asynchronous
async def test_attack_a_client_that_is_switched_off_while_it_shows_who_it_is_gets_nothing_for_a_code(
    world: World,
) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    client = await world.storage.records.find_client("web")
    assert client is not None  # as it authenticated
    code = await registered.code(ada)
    await world.flows.provider.clients.disable("web", actor="administrator")
    exchange = AuthorizationCodeGrant(world.context, UserTokens(world.context, world.flows.provider.issuer))
    request = TokenRequest(parameters={"code": code, "code_verifier": VERIFIER}, sender=HOME)
    with pytest.raises(InvalidGrantError):
        await exchange(client, request)
    await world.flows.provider.clients.remove("web", actor="administrator")
    with pytest.raises(InvalidGrantError):
        await exchange(client, request)
