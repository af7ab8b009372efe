"""Refreshing by registered clients: bound to the client, never wider, and never beyond the browser's session."""

import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.flows.ending import Reason
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.provider.grants.model import TokenAnswer, TokenRequest
from coatcheck.flows.tokens import first_token
from coatcheck.oauth.client_authentication.model import Credentials
from coatcheck.oauth.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    UnsupportedGrantTypeError,
)
from coatcheck.oauth.model import API, APIScope
from coatcheck.sessions.errors import InvalidRefreshTokenError
from tests.flows.registered import FILES, MAIL, PUBLIC, Registered, at_once, claims_of
from tests.flows.test_code_exchange import entries
from tests.flows.world import HOME, ISSUER, World, access_token, asynchronous, refresh_token


async def granted(registered: Registered, **members: object) -> TokenAnswer:
    signed_in = await registered.world.signed_up()
    usual = {"scope": "openid files:read files:write mail:read", "audiences": (FILES, MAIL)}
    return await registered.exchange(await registered.code(signed_in, **(usual | members)))  # type: ignore[arg-type]


@asynchronous
async def test_a_refresh_gives_other_tokens_of_the_same_session(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    world.clock.advance(100)
    second = await registered.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    before, after = claims_of(first.access_token), claims_of(second.access_token)
    assert before["sid"] == after["sid"]
    assert before["jti"] != after["jti"]
    identity = claims_of(second.id_token)
    assert "nonce" not in identity
    assert identity["auth_time"] == claims_of(first.id_token)["auth_time"]


@asynchronous
async def test_a_lost_answer_is_given_again_and_all_at_once_get_one_successor(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    came = await at_once(*(registered.refresh(first.refresh_token) for _ in range(5)))
    assert len({each.refresh_token for each in came}) == 1


@asynchronous
async def test_attack_refresh_theft_ends_the_clients_session_and_no_other(world: World) -> None:
    registered = await Registered.laid(world)
    ada = await world.signed_up()
    stolen = await registered.exchange(await registered.code(ada))
    other = await registered.exchange(await registered.code(ada, client_id="spa"), credentials=PUBLIC)
    current = await registered.refresh(stolen.refresh_token)
    world.clock.advance(60)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(stolen.refresh_token)
    assert not await registered.is_good(current)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(current.refresh_token)
    sid = claims_of(current.access_token)["sid"]
    assert await entries(world) == [("session", sid, Reason.REFRESH_REUSED)]
    assert await world.is_in(ada)
    await registered.refresh(other.refresh_token, credentials=PUBLIC)


@asynchronous
async def test_attack_a_refresh_token_is_worth_nothing_to_another_client_and_stays_good(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(first.refresh_token, credentials=PUBLIC)
    with pytest.raises(InvalidRefreshTokenError):
        # As if it were one of this site's own.
        await registered.refresh(first.refresh_token, credentials=Credentials())
    world.clock.advance(60)
    await registered.refresh(first.refresh_token)
    assert await entries(world) == []


@asynchronous
async def test_attack_a_token_of_the_sites_own_is_worth_nothing_to_a_client(world: World) -> None:
    registered = await Registered.laid(world)
    ada = await world.signed_up(credential="tokens")
    with pytest.raises(InvalidGrantError):
        await registered.refresh(refresh_token(ada))
    # Without a client it works as ever.
    answer = await world.flows.provider.token_endpoint.answer(
        TokenRequest(
            parameters={"grant_type": "refresh_token", "refresh_token": refresh_token(ada)}, sender=HOME
        )
    )
    assert claims_of(answer.access_token)["client_id"] == "first-party"


@asynchronous
async def test_attack_scope_escalation_at_refresh_is_refused_and_the_token_stays_good(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered, scope="openid files:read")
    for wider in (
        "files:write",
        "files:read files:write",
        "files:admin",
        "email",
        "fi\x00le",
        '"',
        "x" * 5000,
    ):
        with pytest.raises(InvalidScopeError):
            await registered.refresh(first.refresh_token, scope=wider)
    await registered.refresh(first.refresh_token)


@asynchronous
async def test_a_narrower_scope_is_for_this_access_token_and_not_for_the_next(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    narrow = await registered.refresh(first.refresh_token, scope="files:read")
    assert narrow.scope == claims_of(narrow.access_token)["scope"] == "files:read"
    assert claims_of(narrow.access_token)["aud"] == FILES
    wide = await registered.refresh(narrow.refresh_token)
    assert claims_of(wide.access_token)["scope"] == "files:read files:write openid"


@asynchronous
async def test_attack_resource_escalation_at_refresh_is_refused(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    for resource in (
        ISSUER,
        "https://files.example.evil",
        "https://files.example/x",
        "HTTPS://FILES.EXAMPLE",
    ):
        with pytest.raises(InvalidTargetError):
            await registered.refresh(first.refresh_token, resources=(resource,))
    second = await registered.refresh(first.refresh_token, resources=(MAIL, MAIL + "/"))
    assert claims_of(second.access_token)["aud"] == [MAIL, ISSUER]
    assert claims_of(second.access_token)["scope"] == "mail:read openid"


@asynchronous
async def test_attack_token_substitution_one_api_cannot_use_its_token_at_another_or_here(
    world: World,
) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    with pytest.raises(InvalidTokenError):
        await world.flows.authentication.by_token(first.access_token, presented_as=b"x")


@asynchronous
async def test_what_a_user_may_do_now_is_what_the_next_token_says(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered, scope="files:read files:admin")
    assert claims_of(first.access_token)["scope"] == "files:read"
    user = claims_of(first.access_token)["sub"]
    permissions = world.flows.provider.permissions
    await permissions.grant("user", user, FILES, scopes=["files:admin"], actor="x")
    second = await registered.refresh(first.refresh_token)
    assert claims_of(second.access_token)["scope"] == "files:admin files:read"


@asynchronous
async def test_a_refresh_counts_as_use_of_the_browsers_session_too(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    sid = claims_of(first.access_token)["sid"]
    world.clock.advance(3600)
    await registered.refresh(first.refresh_token)
    session = await world.storage.records.find_session(sid)
    assert session is not None
    assert session.parent_id is not None
    parent = await world.storage.records.find_session(session.parent_id)
    assert parent is not None
    assert session.last_seen_at == parent.last_seen_at == world.clock()


@asynchronous
async def test_a_client_cannot_refresh_once_the_browsers_session_has_expired(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    sid = claims_of(first.access_token)["sid"]
    session = await world.storage.records.find_session(sid)
    assert session is not None
    world.clock.advance(session.idle_timeout - 10)
    # Used by itself, as no refresh does: then the one above it has expired, and this one has not.
    await world.storage.records.touch_session(sid, world.clock())
    world.clock.advance(20)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(first.refresh_token)


@asynchronous
async def test_an_offline_session_lives_by_the_policy_of_refresh_tokens(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered, offline=True)
    session = await world.storage.records.find_session(claims_of(first.access_token)["sid"])
    assert session is not None
    limits = world.context.refresh
    assert session.parent_id is None
    assert session.expires_at == world.clock() + limits.lifetime.total_seconds()
    assert session.idle_timeout == limits.idle_timeout.total_seconds()


@asynchronous
async def test_a_session_without_a_grant_gives_nothing(world: World) -> None:
    registered = await Registered.laid(world)
    first = await granted(registered)
    records = world.storage.records
    session = await records.find_session(claims_of(first.access_token)["sid"])
    assert session is not None
    await records.delete_sessions([session.id])
    with pytest.raises(InvalidGrantError):
        await registered.refresh(first.refresh_token)
    await records.add_session(session)
    bare = await first_token(world.context, records, session, client=HOME)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(bare)


@asynchronous
async def test_what_is_malformed_is_told_by_its_name(world: World) -> None:
    registered = await Registered.laid(world)
    with pytest.raises(InvalidRequestError):
        await registered.ask("refresh_token")
    with pytest.raises(UnsupportedGrantTypeError):
        await registered.ask("password", username="ada", password="x")
    with pytest.raises(InvalidGrantError):
        await registered.refresh("never made here")
    endpoint = world.flows.provider.token_endpoint
    with pytest.raises(InvalidRequestError):
        await endpoint.answer(TokenRequest(parameters={}))
    for grant_type in ("authorization_code", "client_credentials"):
        with pytest.raises(InvalidClientError):
            await endpoint.answer(TokenRequest(parameters={"grant_type": grant_type, "code": "x"}))
    assert repr(TokenRequest(parameters={"code": "secret"})) == "<TokenRequest>"


@asynchronous
async def test_a_user_with_tokens_of_the_sites_own_can_grant_too(world: World) -> None:
    registered = await Registered.laid(world)
    ada = await world.signed_up(credential="tokens")
    answer = await registered.exchange(await registered.code(ada))
    assert claims_of(access_token(ada))["sid"] != claims_of(answer.access_token)["sid"]


@asynchronous
async def test_attack_a_scope_granted_at_one_api_is_not_granted_at_another_that_has_one_of_that_name(
    world: World,
) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    for audience in (FILES, MAIL):
        scopes = tuple(APIScope(name=each, for_everybody=True) for each in ("read", "write"))
        name = f"{audience}/both"
        await world.storage.records.add_api(API(audience=name, name=name, scopes=scopes, created_at=0.0))
    harmless, other = f"{FILES}/both", f"{MAIL}/both"
    sid = new_identifier()
    code = await registered.code(ada, session_id=sid, scope="write", audiences=(harmless,))
    first = await registered.exchange(code)
    # In the same browser, and so in the same session.
    code = await registered.code(ada, session_id=sid, scope="openid read", audiences=(other,))
    await registered.exchange(code)
    for audience, scope in ((other, "openid read"), (harmless, "openid write")):
        answer = await registered.refresh(first.refresh_token, resources=(audience,))
        claims = claims_of(answer.access_token)
        assert sorted(claims["scope"].split()) == scope.split()
