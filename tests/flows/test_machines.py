"""Tokens that machines get in their own name, and how they show who they are."""

import hmac
from typing import Any

import pytest

from coatcheck._core import base64url, json
from coatcheck._core.secrets import digest, new_token
from coatcheck.flows.provider.grants.machine_tokens import MachineTokens
from coatcheck.flows.provider.grants.model import TokenRequest
from coatcheck.jose import Key
from coatcheck.oauth.client_authentication.model import Credentials
from coatcheck.oauth.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    OAuthError,
    UnauthorizedClientError,
)
from coatcheck.oauth.vocabulary import JWT_BEARER_ASSERTION
from tests.flows.registered import (
    FILES,
    MAIL,
    PUBLIC,
    SECRET,
    Registered,
    at_once,
    basic,
    claims_of,
    jwks_of,
)
from tests.flows.world import ISSUER, World, asynchronous


def signed_by_secret(token: str, secret: bytes) -> str:
    """Return a token with an HMAC in the place of its signature, by whatever octets."""
    header = base64url.encode(b'{"alg":"HS256","typ":"JWT"}')
    message = f"{header}.{token.split('.')[1]}"
    return f"{message}.{base64url.encode(hmac.digest(secret, message.encode(), 'sha256'))}"


BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ENDPOINT = "http://localhost:8000/auth/token"


@asynchronous
async def test_a_machine_gets_a_token_in_its_own_name(world: World) -> None:
    registered = await Registered.laid(world)
    answer = await registered.ask("client_credentials")
    claims = claims_of(answer.access_token)
    assert claims["sub"] == claims["client_id"] == "web"
    assert claims["aud"] == FILES  # the only one that it has any business with
    assert claims["scope"] == answer.scope == "files:admin files:read"
    assert "sid" not in claims
    assert not isinstance(answer.refresh_token, str)
    assert not isinstance(answer.id_token, str)


@asynchronous
async def test_a_machine_gets_what_it_asks_for_and_may(world: World) -> None:
    registered = await Registered.laid(world)
    answer = await registered.ask("client_credentials", scope="files:read", resources=(FILES,))
    assert answer.scope == "files:read"
    for scope in ("files:write", "files:read files:write", "openid", "nonsense", "a\tb"):
        with pytest.raises(InvalidScopeError):
            await registered.ask("client_credentials", scope=scope, resources=(FILES,))
    with pytest.raises(InvalidScopeError):
        await registered.ask("client_credentials", scope="files:read mail:read")
    with pytest.raises(InvalidTargetError):
        await registered.ask("client_credentials", resources=("https://elsewhere.example",))
    assert (await registered.ask("client_credentials", resources=(ISSUER,))).scope == ""
    assert (await registered.ask("client_credentials", scope="files:read")).scope == "files:read"


@asynchronous
async def test_a_machine_that_is_registered_for_some_apis_and_scopes_gets_no_others(world: World) -> None:
    registered = await Registered.laid(world)
    await registered.change("web", audiences=(MAIL,), scope=("mail:read",))
    with pytest.raises(InvalidTargetError):
        await registered.ask("client_credentials", resources=(FILES,))
    assert claims_of((await registered.ask("client_credentials")).access_token)["aud"] == MAIL
    await registered.change("web", audiences=None, scope=("files:read",))
    assert (await registered.ask("client_credentials")).scope == "files:read"


@asynchronous
async def test_what_a_machine_may_do_is_looked_up_again_when_it_changed(world: World) -> None:
    registered = await Registered.laid(world)
    first = await registered.ask("client_credentials")
    permissions = world.flows.provider.permissions
    await permissions.withdraw("client", "web", FILES, scopes=["files:admin"], actor="x")
    assert not await registered.is_good(first)
    second = await registered.ask("client_credentials", resources=(FILES,))
    assert second.scope == "files:read"
    assert await registered.is_good(second)


@asynchronous
async def test_a_public_client_cannot_ask_in_its_own_name(world: World) -> None:
    registered = await Registered.laid(world)
    with pytest.raises(UnauthorizedClientError):
        await registered.ask("client_credentials", credentials=PUBLIC)


@asynchronous
async def test_a_client_uses_the_grants_that_it_is_registered_for(world: World) -> None:
    registered = await Registered.laid(world)
    await registered.change("web", grant_types=("authorization_code",))
    with pytest.raises(UnauthorizedClientError):
        await registered.ask("client_credentials")
    await registered.change("machine", grant_types=("client_credentials",))
    with pytest.raises(UnauthorizedClientError):
        await registered.ask(BEARER, credentials=Credentials(), assertion=registered.assertion())


# --- how a client shows who it is ---------------------------------------------------------------------------


@asynchronous
async def test_a_key_of_its_own_is_proof(world: World) -> None:
    registered = await Registered.laid(world)
    stated: tuple[dict[str, Any], ...] = ({}, {"aud": [ISSUER]}, {"typ": "client-authentication+jwt"})
    for claims in stated:
        by = registered.by_assertion(registered.assertion(**claims))
        assert claims_of((await registered.ask("client_credentials", credentials=by)).access_token)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": ENDPOINT},
        {"aud": ISSUER + "/"},
        {"aud": "https://other.example"},
        {"aud": []},
        {"aud": None},
        {"iss": "web"},
        {"sub": "web"},
        {"iss": None},
        {"exp": None},
        {"exp": 10**400},
        {"exp": 1},
        {"exp": 1_800_000_311 + 1},
        {"nbf": 1_800_000_100},
        {"iat": 1_800_000_100},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 513},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "authorization-grant+jwt"},
    ],
    ids=lambda claims: next(f"{name}={str(value)[:20]}" for name, value in claims.items()),
)
@asynchronous
async def test_attack_an_assertion_that_says_anything_else_is_no_proof(
    world: World, claims: dict[str, Any]
) -> None:
    registered = await Registered.laid(world)
    by = registered.by_assertion(registered.assertion(**claims))
    with pytest.raises(InvalidClientError) as refused:
        await registered.ask("client_credentials", credentials=by)
    assert refused.value.message == "The client is unknown, or did not show that it is the one."


@asynchronous
async def test_the_longest_time_of_an_assertion_is_the_policys(world: World) -> None:
    registered = await Registered.laid(world)
    longest = int(world.clock() + world.context.provider.assertion.total_seconds())
    by = registered.by_assertion(registered.assertion(exp=longest))
    await registered.ask("client_credentials", credentials=by)


@asynchronous
async def test_attack_assertion_replay_under_contention_works_for_exactly_one(world: World) -> None:
    registered = await Registered.laid(world)
    by = registered.by_assertion()
    came = await at_once(*(registered.ask("client_credentials", credentials=by) for _ in range(8)))
    assert sum(isinstance(each, InvalidClientError) for each in came) == 7
    # Of another client, the same jti is another assertion.
    other = Key.generate("ES256")
    await registered.add("second", token_endpoint_auth_method="private_key_jwt", jwks=jwks_of(other))
    for client_id, key in (("machine", registered.key), ("second", other)):
        token = registered.assertion(key, client_id=client_id, jti="one")
        await registered.ask("client_credentials", credentials=registered.by_assertion(token))


@asynchronous
async def test_attack_assertion_replay_at_another_grant_is_a_replay(world: World) -> None:
    registered = await Registered.laid(world)
    token = registered.assertion()
    await registered.ask(BEARER, credentials=Credentials(), assertion=token)
    with pytest.raises(InvalidClientError):
        await registered.ask("client_credentials", credentials=registered.by_assertion(token))


@asynchronous
async def test_attack_alg_confusion_a_public_key_is_never_a_secret(world: World) -> None:
    registered = await Registered.laid(world)
    public = registered.key.public()
    for octets in (json.encode(public.to_jwk()), public.to_pem(), jwks_of(public)):
        forged = signed_by_secret(registered.assertion(), octets)
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=registered.by_assertion(forged))
    header, payload, _ = registered.assertion().split(".")
    for token in (
        f"{header}.{payload}.",
        "eyJhbGciOiJub25lIn0." + payload + ".x",
        "x",
        "a.b.c",
        "ü.b.c",
        "x" * 17_000,
    ):
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=registered.by_assertion(token))


@asynchronous
async def test_the_algorithm_is_the_registered_one(world: World) -> None:
    registered, other = await Registered.laid(world), Key.generate("Ed25519")
    await registered.change(
        "machine", jwks=jwks_of(registered.key, other), token_endpoint_auth_signing_alg="Ed25519"
    )
    with pytest.raises(InvalidClientError):
        await registered.ask("client_credentials", credentials=registered.by_assertion())
    by = registered.by_assertion(registered.assertion(other))
    await registered.ask("client_credentials", credentials=by)
    for stranger in (Key.generate("Ed25519"), Key.generate("ES384")):
        by = registered.by_assertion(registered.assertion(stranger))
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=by)


@asynchronous
async def test_a_secret_can_sign_too_where_that_is_registered(world: World) -> None:
    registered = await Registered.laid(world)
    key = Key.from_secret(SECRET.encode(), "HS256")
    await registered.add(
        "signing",
        token_endpoint_auth_method="client_secret_jwt",
        secret_digest=digest(SECRET),
        sealed_secret=registered.seal(SECRET),
    )
    token = registered.assertion(key, client_id="signing")
    await registered.ask("client_credentials", credentials=registered.by_assertion(token))
    for refused in (
        registered.by_assertion(token),
        registered.by_assertion(registered.assertion(client_id="signing")),
        registered.by_assertion(
            registered.assertion(Key.from_secret(new_token().encode(), "HS256"), client_id="signing")
        ),
        basic("signing"),
    ):
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=refused)
    # Too short for that algorithm, expired, not known here, or another algorithm than registered.
    longer = Key.from_secret(b"x" * 64, "HS512")
    for changed, signed in (
        ({}, longer),
        ({"secret_expires_at": world.clock()}, key),
        ({"secret_expires_at": None, "token_endpoint_auth_signing_alg": "HS384"}, key),
        ({"token_endpoint_auth_signing_alg": None, "sealed_secret": None}, key),
    ):
        await registered.change("signing", **changed)
        token = registered.assertion(signed, client_id="signing")
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=registered.by_assertion(token))
    with pytest.raises(InvalidGrantError):
        await registered.ask(BEARER, credentials=Credentials(), assertion=token)


@asynchronous
async def test_attack_no_method_but_the_registered_one_is_proof(world: World) -> None:
    registered = await Registered.laid(world)
    posted = Credentials(client_id="web", client_secret=SECRET)
    for refused in (
        Credentials(client_id="web", client_secret="wrong"),
        Credentials(client_id="machine", client_secret=SECRET),
        Credentials(client_id="spa", client_secret=SECRET),
        Credentials(client_id="web"),
        Credentials(client_id="machine"),
        basic("spa"),
        basic("machine"),
        registered.by_assertion(registered.assertion(client_id="web")),
        basic("web", "wrong"),
        basic("web", ""),
        basic("web", SECRET + " "),
        basic("nobody"),
        basic("x" * 3000),
    ):
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=refused)
    # A secret may stand in the header or in the body, whichever of the two was registered.
    for method in ("client_secret_basic", "client_secret_post"):
        await registered.change("web", token_endpoint_auth_method=method)
        await registered.ask("client_credentials", credentials=posted)
        await registered.ask("client_credentials")
    await registered.change("web", disabled_at=1.0)
    with pytest.raises(InvalidClientError):
        await registered.ask("client_credentials", credentials=posted)
    await registered.change("web", disabled_at=None, secret_expires_at=world.clock())
    with pytest.raises(InvalidClientError):
        await registered.ask("client_credentials", credentials=posted)


@asynchronous
async def test_attack_a_secret_in_header_and_body_is_refused(world: World) -> None:
    registered = await Registered.laid(world)
    header = basic("web").authorization
    token = registered.assertion()
    for refused in (
        Credentials(authorization=header, client_secret=SECRET, client_id="web"),
        Credentials(authorization=header, client_assertion=token, client_assertion_type=JWT_BEARER_ASSERTION),
        Credentials(client_id="web", client_secret=SECRET, client_assertion=token),
        Credentials(authorization=header, client_id="spa"),
        Credentials(client_id="spa", client_assertion=token, client_assertion_type=JWT_BEARER_ASSERTION),
    ):
        with pytest.raises(InvalidRequestError):
            await registered.ask("client_credentials", credentials=refused)
    await registered.ask("client_credentials", credentials=Credentials(authorization=header, client_id="web"))


# --- a machine that signs its own JWT -----------------------------------------------------------------------


@asynchronous
async def test_a_machine_gets_a_token_for_a_jwt_that_it_signed(world: World) -> None:
    registered = await Registered.laid(world)
    stated: tuple[dict[str, Any], ...] = ({}, {"aud": ENDPOINT}, {"typ": "authorization-grant+jwt"})
    for claims in stated:
        token = registered.assertion(**claims)
        answer = await registered.ask(BEARER, credentials=Credentials(), assertion=token, scope="files:read")
        assert claims_of(answer.access_token)["sub"] == "machine"
        assert answer.scope == "files:read"
    by = registered.by_assertion()
    await registered.ask(BEARER, credentials=by, assertion=registered.assertion())


@asynchronous
async def test_the_url_of_the_endpoint_is_an_audience_of_this_grant_alone_whichever_came_first(
    world: World,
) -> None:
    registered = await Registered.laid(world)
    for _ in range(2):
        await registered.ask("client_credentials", credentials=registered.by_assertion())
        token = registered.assertion(aud=ENDPOINT)
        await registered.ask(BEARER, credentials=Credentials(), assertion=token)
        refused = registered.by_assertion(aud=ENDPOINT)
        with pytest.raises(InvalidClientError):
            await registered.ask("client_credentials", credentials=refused)


@asynchronous
async def test_attack_a_jwt_that_is_not_the_machines_own_word_gives_nothing(world: World) -> None:
    registered = await Registered.laid(world)
    ada = await world.signed_up()
    used = registered.assertion()
    await registered.ask(BEARER, credentials=Credentials(), assertion=used)
    for token in (
        used,
        registered.assertion(sub=ada.user.id),
        registered.assertion(iss=ada.user.id),
        registered.assertion(client_id="nobody"),
        registered.assertion(Key.generate("ES256")),
        registered.assertion(aud=[ISSUER, ENDPOINT]),
        registered.assertion(aud="https://testserver.evil/auth/token"),
        registered.assertion(exp=int(world.clock()) + 4000),
        registered.assertion(typ="client-authentication+jwt"),
        "nonsense",
    ):
        with pytest.raises(InvalidGrantError):
            await registered.ask(BEARER, credentials=Credentials(), assertion=token)
    with pytest.raises(InvalidGrantError):
        # Somebody else's, by who has shown to be another client.
        await registered.ask(BEARER, assertion=registered.assertion())
    with pytest.raises(InvalidRequestError):
        await registered.ask(BEARER, credentials=Credentials())


@asynchronous
async def test_every_refusal_of_a_client_is_one_that_the_specification_names(world: World) -> None:
    registered = await Registered.laid(world)
    for credentials in (
        Credentials(),
        Credentials(client_assertion="x"),
        Credentials(authorization="Basic ?"),
    ):
        with pytest.raises(OAuthError):
            await registered.ask("client_credentials", credentials=credentials)


@asynchronous
async def test_attack_a_machine_that_is_switched_off_while_its_keys_are_fetched_gets_no_token(
    world: World,
) -> None:
    """It could have that take as long as it likes, and its token would be younger than what voids the others."""
    await Registered.laid(world)
    client = await world.storage.records.find_client("machine")
    assert client is not None  # as it began to show who it is
    await world.flows.provider.clients.disable("machine", actor="administrator")
    tokens = MachineTokens(world.context, world.flows.provider.issuer)
    with pytest.raises(InvalidClientError):
        await tokens.issue(client, TokenRequest(parameters={}))
    await world.flows.provider.clients.enable("machine")
    await tokens.issue(client, TokenRequest(parameters={}))
