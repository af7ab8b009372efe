"""APIs, permissions and roles as whoever runs this server manages them, and what comes of it for users and clients."""

from datetime import timedelta

import msgspec
import pytest

from coatcheck.accounts.errors import InvalidEmailError, UnknownUserError
from coatcheck.flows.errors import UnknownClientError
from coatcheck.flows.provider.apis import api_for, built_in_api, cached_api, is_built_in, resolve
from coatcheck.flows.provider.errors import (
    APITakenError,
    InvalidAPIError,
    InvalidPermissionError,
    InvalidRoleError,
    RoleTakenError,
    UnknownAPIError,
    UnknownRoleError,
)
from coatcheck.flows.provider.permissions import cached_client_scopes, client_scopes, user_scopes
from coatcheck.flows.provider.shared_secrets import open_secret
from coatcheck.oauth.errors import InvalidScopeError
from coatcheck.oauth.model import API, APIScope, HolderKind
from coatcheck.oauth.registration import ClientMetadata
from tests.flows.granting import a_client, granted
from tests.flows.world import ADA, EVE, ISSUER, World, asynchronous

ROOT = "user:root"
ORDERS = "https://orders.example"
FILES = "https://files.example/v1"
READ = APIScope(name="orders:read", description="Read your orders")
WRITE = APIScope(name="orders:write", description="Change your orders")
MACHINE = ClientMetadata(client_name="Robot", grant_types=("client_credentials",), response_types=())


async def orders(world: World, *scopes: APIScope) -> API:
    api, _ = await world.flows.provider.apis.add(ORDERS, scopes=scopes or (READ, WRITE))
    return api


async def a_machine(world: World) -> str:
    return (await world.flows.provider.clients.add(MACHINE, actor=ROOT))[0].id


# --- APIs ---------------------------------------------------------------------------------------------------


@asynchronous
async def test_an_api_is_registered_listed_changed_and_removed(world: World) -> None:
    apis = world.flows.provider.apis
    api, secret = await apis.add(ORDERS, scopes=[READ], token_lifetime=timedelta(minutes=5))
    assert secret is None
    assert (api.name, api.algorithm, api.token_lifetime, api.scopes) == (
        "orders.example",
        "ES256",
        300,
        (READ,),
    )
    assert await apis.get(ORDERS) == await apis.find(ORDERS) == api
    assert [each.audience for each in await apis.list()] == [ISSUER, ORDERS]
    changed, _ = await apis.change(ORDERS, name="Orders", scopes=[WRITE, READ], actor=ROOT)
    assert changed == msgspec.structs.replace(api, name="Orders", scopes=(WRITE, READ))
    changed, _ = await apis.change(ORDERS, token_lifetime=timedelta(hours=1), actor=ROOT)
    assert changed.token_lifetime == 3600
    changed, _ = await apis.change(ORDERS, usual_lifetime=True, actor=ROOT)
    assert changed.token_lifetime is None
    assert await world.flows.revoking.history() == []  # more is possible, not less
    await apis.remove(ORDERS, actor=ROOT)
    assert await apis.find(ORDERS) is None
    for attempt in (apis.get(ORDERS), apis.remove(ORDERS, actor=ROOT), apis.change(ORDERS, actor=ROOT)):
        with pytest.raises(UnknownAPIError):
            await attempt


@asynchronous
async def test_an_api_that_shares_a_secret_is_given_one_of_its_own(world: World) -> None:
    apis = world.flows.provider.apis
    api, secret = await apis.add(ORDERS, algorithm="HS256")
    assert secret is not None
    assert secret.startswith("cca_")
    assert api.sealed_secret is not None
    assert open_secret(world.sealer, api.sealed_secret, owner="api") == secret
    changed, other = await apis.new_secret(ORDERS)
    assert other != secret
    assert changed.sealed_secret is not None
    assert open_secret(world.sealer, changed.sealed_secret, owner="api") == other
    plain, none = await apis.change(ORDERS, algorithm="Ed25519", actor=ROOT)
    assert (plain.sealed_secret, none) == (None, None)
    assert "Ed25519" in {key.algorithm.name for key in await world.context.access_tokens.key_set()}
    again, third = await apis.change(ORDERS, algorithm="HS256", actor=ROOT)
    assert third not in {None, secret, other}
    same, none = await apis.change(ORDERS, algorithm="HS256", actor=ROOT)
    assert (same, none) == (again, None)
    await apis.change(ORDERS, algorithm="ES256", actor=ROOT)
    with pytest.raises(InvalidAPIError):
        await apis.new_secret(ORDERS)


@pytest.mark.parametrize(
    "audience",
    [
        *("", "orders", "/orders", "//orders.example", "https://", "https:orders", "https:///x", "urn:"),
        *(
            "https://orders.example/#x",
            "https://orders.example#",
            "https://ord ers.example",
            "https://örders.example",
        ),
        *(
            "https://ann@orders.example",
            "https://orders.example:port",
            "https://orders.example/\n",
            "https://[::1",
        ),
        *(f"https://orders.example/{'x' * 512}", "https://orders.example/<b>", "https://orders.example:0/"),
    ],
    ids=range(19),
)
@asynchronous
async def test_what_is_no_audience_is_refused(world: World, audience: str) -> None:
    with pytest.raises(InvalidAPIError) as refused:
        await world.flows.provider.apis.add(audience)
    assert refused.value.field == "audience"


@pytest.mark.parametrize(
    "audience",
    [
        "https://orders.example",
        "https://orders.example/v1?tenant=a",
        "urn:example:orders",
        "http://localhost:9000",
    ],
    ids=range(4),
)
@asynchronous
async def test_an_audience_is_any_absolute_uri(world: World, audience: str) -> None:
    await world.flows.provider.apis.add(audience)
    assert (await world.flows.provider.apis.get(audience)).audience == audience


@pytest.mark.parametrize(
    "members, field",
    [
        ({"name": "Ord\u202eers"}, "name"),
        ({"name": "\u041erders"}, "name"),
        ({"algorithm": "none"}, "algorithm"),
        ({"algorithm": "HS512"}, "algorithm"),
        ({"token_lifetime": timedelta(0)}, "token_lifetime"),
        ({"token_lifetime": timedelta(hours=2)}, "token_lifetime"),
        ({"scopes": [APIScope(name="")]}, "scopes"),
        ({"scopes": [APIScope(name="a b")]}, "scopes"),
        ({"scopes": [APIScope(name='a"b')]}, "scopes"),
        ({"scopes": [APIScope(name="x" * 129)]}, "scopes"),
        ({"scopes": [APIScope(name="openid")]}, "scopes"),
        ({"scopes": [APIScope(name="offline_access")]}, "scopes"),
        ({"scopes": [APIScope(name="coatcheck:admin")]}, "scopes"),
        ({"scopes": [APIScope(name="a", description="one\ntwo")]}, "scopes"),
        ({"scopes": [APIScope(name="a", description="x" * 256)]}, "scopes"),
        ({"scopes": [APIScope(name=f"s{number}") for number in range(201)]}, "scopes"),
    ],
    ids=range(16),
)
@asynchronous
async def test_what_no_api_can_be_like_is_refused(
    world: World, members: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidAPIError) as refused:
        await world.flows.provider.apis.add(ORDERS, **members)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert [each.audience for each in await world.flows.provider.apis.list()] == [ISSUER]


@asynchronous
async def test_an_audience_is_taken_once_with_and_without_a_slash(world: World) -> None:
    apis = world.flows.provider.apis
    await apis.add(ORDERS)
    await apis.add(FILES)
    for audience in (ORDERS, f"{ORDERS}/", FILES):
        with pytest.raises(APITakenError):
            await apis.add(audience)
    await apis.add(f"{FILES}/")  # with a path, it is another one


@asynchronous
async def test_attack_an_api_that_calls_itself_as_this_server_does_is_refused(world: World) -> None:
    for audience in (ISSUER, f"{ISSUER}/"):
        with pytest.raises(APITakenError):
            await world.flows.provider.apis.add(audience, algorithm="HS256")


@asynchronous
async def test_a_resource_is_found_by_either_spelling_of_a_bare_host_and_by_no_other(world: World) -> None:
    api = await orders(world)
    other, _ = await world.flows.provider.apis.add("https://mail.example/")
    records = world.storage.records
    for spelling, found in (
        (ORDERS, api),
        (f"{ORDERS}/", api),
        ("https://mail.example", other),
        ("https://mail.example/", other),
        (f"{ORDERS}//", None),
        ("HTTPS://orders.example", None),
        (f"{ORDERS}/v1", None),
        (f"{ORDERS}?", None),
        ("", None),
    ):
        assert await resolve(records, spelling) == found
        assert await cached_api(world.context, spelling) == found
    built_in = await built_in_api(world.context)
    assert await cached_api(world.context, f"{ISSUER}/") == built_in
    assert is_built_in(world.context, f"{ISSUER}/")


@asynchronous
async def test_scopes_say_which_api_is_meant_where_no_resource_does(world: World) -> None:
    api = await orders(world)
    files, _ = await world.flows.provider.apis.add(FILES, scopes=[APIScope(name="files"), READ])
    records, context = world.storage.records, world.context
    assert await api_for(context, records, ["openid", "orders:write"]) == api
    assert await api_for(context, records, ["orders:read", "orders:write"]) == api
    assert await api_for(context, records, ["files", "unknown"]) == files
    for scope in ([], ["openid"], ["unknown"], ["coatcheck:admin"]):
        assert is_built_in(context, (await api_for(context, records, scope)).audience)
    for scope in (["orders:read"], ["files", "orders:write"]):
        with pytest.raises(InvalidScopeError):
            await api_for(context, records, scope)


@asynchronous
async def test_the_built_in_api_has_other_scopes_but_nothing_else_of_its_own(world: World) -> None:
    apis = world.flows.provider.apis
    own = await apis.get(ISSUER)
    assert {each.name for each in own.scopes} == {"coatcheck:admin", "coatcheck:apis", "coatcheck:clients"}
    changed, _ = await apis.change(ISSUER, name="Shop", scopes=[APIScope(name="beta")], actor=ROOT)
    assert {each.name for each in changed.scopes} == {each.name for each in own.scopes} | {"beta"}
    assert [each.audience for each in await apis.list()] == [ISSUER]
    assert await built_in_api(world.context) == changed
    for attempt in (
        apis.remove(ISSUER, actor=ROOT),
        apis.change(ISSUER, algorithm="HS256", actor=ROOT),
        apis.change(ISSUER, token_lifetime=timedelta(hours=1), actor=ROOT),
        apis.change(ISSUER, scopes=[APIScope(name="beta", for_everybody=True)], actor=ROOT),
        apis.change(ISSUER, scopes=[APIScope(name="coatcheck:other")], actor=ROOT),
    ):
        with pytest.raises(InvalidAPIError):
            await attempt


@asynchronous
async def test_who_was_allowed_a_scope_that_goes_does_not_get_it_back_with_its_name(world: World) -> None:
    await world.signed_up()
    await orders(world)
    permissions, apis = world.flows.provider.permissions, world.flows.provider.apis
    both = ["orders:read", "orders:write"]
    await permissions.grant("user", ADA, ORDERS, scopes=both, actor=ROOT)
    await apis.change(ORDERS, scopes=[READ], actor=ROOT)
    await apis.change(ORDERS, scopes=[READ, WRITE], actor=ROOT)
    (left,) = await permissions.list()
    assert left.scopes == {"orders:read"}
    reasons = [(each.kind, each.reason) for each in await world.flows.revoking.history()]
    assert reasons == [("everything", "permissions-changed"), ("user", "permissions-changed")]


# --- who may do what ----------------------------------------------------------------------------------------


@asynchronous
async def test_a_user_may_what_they_and_their_roles_and_everybody_may(world: World) -> None:
    user = (await world.signed_up()).user
    await world.signed_up(EVE)
    everybody = APIScope(name="orders:list", for_everybody=True)
    api = await orders(world, READ, WRITE, everybody)
    provider, records, context = world.flows.provider, world.storage.records, world.context
    assert await user_scopes(context, records, user, api=api) == {"orders:list"}
    await provider.permissions.grant("user", ADA, ORDERS, scopes=["orders:read"], actor=ROOT)
    await provider.roles.add("clerk", description="Works here")
    await provider.permissions.grant("role", "clerk", ORDERS, scopes=["orders:write"], actor=ROOT)
    assert await user_scopes(context, records, user, api=api) == {"orders:list", "orders:read"}
    assert await provider.roles.give("clerk", user.id, actor=ROOT)
    assert await user_scopes(context, records, user, api=api) == {
        "orders:list",
        "orders:read",
        "orders:write",
    }
    assert [each.email for each in await provider.roles.members("clerk")] == [ADA]
    assert (await provider.roles.of(ADA), await provider.roles.of(EVE)) == (["clerk"], [])
    await provider.permissions.withdraw("user", ADA, ORDERS, actor=ROOT)
    assert await provider.roles.take("clerk", ADA, actor=ROOT)
    assert await user_scopes(context, records, user, api=api) == {"orders:list"}


@asynchronous
async def test_a_client_may_in_its_own_name_what_it_was_given_and_not_what_everybody_may(
    world: World,
) -> None:
    api = await orders(world, READ, APIScope(name="orders:list", for_everybody=True))
    client_id, records = await a_machine(world), world.storage.records
    assert await client_scopes(records, client_id, api) == frozenset()
    assert await cached_client_scopes(world.context, client_id, api) == frozenset()
    await world.flows.provider.permissions.grant(
        "client", client_id, ORDERS, scopes=["orders:read"], actor=ROOT
    )
    assert await client_scopes(records, client_id, api) == {"orders:read"}
    assert await cached_client_scopes(world.context, client_id, api) == {"orders:read"}


@asynchronous
async def test_a_permission_at_the_built_in_api_is_a_scope_of_the_user(world: World) -> None:
    user = (await world.signed_up()).user
    provider, records = world.flows.provider, world.storage.records
    own = await built_in_api(world.context)
    granted = await provider.permissions.grant(
        "user", ADA, f"{ISSUER}/", scopes=["coatcheck:clients"], actor=ROOT
    )
    assert granted.audience == ISSUER
    found = await records.find_user(user.id)
    assert found is not None
    assert found.scopes == {"coatcheck:clients"}
    assert await user_scopes(world.context, records, found, api=own) == {"coatcheck:clients"}
    assert await provider.permissions.list(kind="user", holder=ADA) == [granted]
    assert await provider.permissions.list() == []
    await provider.permissions.withdraw("user", ADA, ISSUER, scopes=["coatcheck:clients"], actor=ROOT)
    assert await provider.permissions.list(kind="user", holder=ADA, audience=ISSUER) == []
    # Clients have theirs beside those at other APIs; roles have none.
    client_id = await a_machine(world)
    await provider.permissions.grant("client", client_id, ISSUER, scopes=["coatcheck:apis"], actor=ROOT)
    assert await client_scopes(records, client_id, own) == {"coatcheck:apis"}
    await provider.roles.add("clerk")
    with pytest.raises(InvalidPermissionError):
        await provider.permissions.grant("role", "clerk", ISSUER, scopes=["coatcheck:apis"], actor=ROOT)


@asynchronous
async def test_what_cannot_be_granted_is_told(world: World) -> None:
    await world.signed_up()
    await orders(world)
    provider = world.flows.provider
    attempts: list[tuple[HolderKind, str, str, str, type[Exception]]] = [
        ("user", EVE, ORDERS, "orders:read", UnknownUserError),
        ("user", "nobody", ORDERS, "orders:read", UnknownUserError),
        ("user", "a@b@c", ORDERS, "orders:read", InvalidEmailError),
        ("role", "clerk", ORDERS, "orders:read", UnknownRoleError),
        ("client", "nobody", ORDERS, "orders:read", UnknownClientError),
        ("user", ADA, FILES, "orders:read", UnknownAPIError),
        ("user", ADA, ORDERS, "orders:delete", InvalidPermissionError),
        ("user", ADA, ORDERS, "openid", InvalidPermissionError),
        ("user", ADA, ISSUER, "openid", InvalidPermissionError),
        ("user", ADA, ISSUER, "a b", InvalidPermissionError),
        ("user", ADA, ISSUER, "é", InvalidPermissionError),
    ]
    for kind, holder, audience, scope, error in attempts:
        with pytest.raises(error):
            await provider.permissions.grant(kind, holder, audience, scopes=[scope], actor=ROOT)
    with pytest.raises(UnknownAPIError):
        await provider.permissions.list(audience=FILES)
    assert await world.flows.revoking.history() == []
    assert await provider.permissions.list() == []


@asynchronous
async def test_a_role_has_a_plain_name_once(world: World) -> None:
    roles = world.flows.provider.roles
    await roles.add("clerk")
    with pytest.raises(RoleTakenError):
        await roles.add("clerk")
    for name in ("", "a b", "-x", "x" * 65, "é"):
        with pytest.raises(InvalidRoleError):
            await roles.add(name)
    for description in ("x" * 256, "a\nb"):
        with pytest.raises(InvalidRoleError) as refused:
            await roles.add("other", description=description)
        assert refused.value.field == "description"
    assert [each.name for each in await roles.list()] == ["clerk"]
    for attempt in (
        roles.remove("other", actor=ROOT),
        roles.give("other", ADA, actor=ROOT),
        roles.take("other", ADA, actor=ROOT),
        roles.members("other"),
    ):
        with pytest.raises(UnknownRoleError):
            await attempt
    with pytest.raises(UnknownUserError):
        await roles.give("clerk", ADA, actor=ROOT)


@asynchronous
async def test_tokens_of_a_pairwise_client_are_void_too_when_the_user_may_something_else(
    world: World,
) -> None:
    given = await granted(world, a_client(subject_type="pairwise", sector="app.example"))
    token = await given.token()
    assert (await given.known(token)).user.id == given.user.id
    world.clock.advance(0.125)
    await world.flows.provider.permissions.grant("user", ADA, ISSUER, scopes=["beta"], actor=ROOT)
    entries = await world.flows.revoking.history()
    assert {(each.kind, each.value) for each in entries} == {
        ("user", given.user.id),
        ("session", given.session.id),
    }
    assert all(each.cutoff is not None for each in entries)
