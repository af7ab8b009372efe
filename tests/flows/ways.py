"""Every way of ending access that there is, and what each of them ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from msgspec import structs

from coatcheck.flows.access_tokens import facts_of
from coatcheck.flows.ending import Reason
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.model import SignedIn, TokenResponse
from coatcheck.jose import Key
from coatcheck.oauth.errors import InvalidGrantError
from coatcheck.oauth.model import APIScope, HolderKind, Permission
from coatcheck.oauth.registration import ClientMetadata
from coatcheck.revocation.model import Entry, Facts
from coatcheck.revocation.registry import Registry
from coatcheck.sessions.errors import InvalidRefreshTokenError, InvalidSessionError
from coatcheck.sessions.policy import NIST_AAL3, SessionPolicy
from tests.flows.registered import FILES, PUBLIC, REDIRECT, Registered, claims_of
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    access_token,
    asks,
    cookie,
    refresh_token,
)

ALL = frozenset({"here", "there", "app", "granted"})
EVERYBODY = ALL | {"eve"}
BOB = "bob@example.com"


class Scene:
    """Somebody with a browser, another browser and a client with tokens; and Eve, who has to do with nothing.

    In the first browser they granted something to a registered client. Each of the sessions has issued an access token.
    """

    def __init__(
        self,
        world: World,
        sign_ins: dict[str, SignedIn],
        tokens: dict[str, str],
        registered: Registered,
    ) -> None:
        self.world = world
        self.registered = registered
        self.sign_ins = sign_ins
        self.here, self.there, self.app = (sign_ins[name] for name in ("here", "there", "app"))
        self.granted = sign_ins["granted"]
        self.tokens = tokens
        self.code = ""

    @classmethod
    async def laid(cls, world: World) -> "Scene":
        sign_ins = {
            "here": await world.signed_up(ADA),
            "there": await world.signed_in(ADA),
            "app": await world.signed_in(ADA, credential="tokens"),
            "eve": await world.signed_up(EVE, credential="tokens"),
        }
        registered = Registered(world, Key.generate("ES256"))
        await registered.add("spa", token_endpoint_auth_method="none")
        tokens = {
            name: await world.context.access_tokens.issue(each.user, each.session, at=world.clock())
            for name, each in sign_ins.items()
        }
        code = await registered.code(sign_ins["here"], client_id="spa", scope="openid", audiences=())
        sign_ins["granted"] = await granted(registered, sign_ins["here"], code)
        tokens["granted"] = access_token(sign_ins["granted"])
        world.clock.advance(0.125)  # in the same second, but later
        scene = cls(world, sign_ins, tokens, registered)
        scene.code = code
        return scene

    def named(self, names: frozenset[str]) -> set[str]:
        """Return the identifiers of sessions."""
        return {self.sign_ins[name].session.id for name in names}

    async def facts(self) -> dict[str, Facts]:
        """Return what the ledger may say of each of the tokens."""
        verify = self.world.context.access_tokens.verify
        return {name: facts_of(*await verify(token)) for name, token in self.tokens.items()}

    async def is_good(self, name: str) -> bool:
        """Tell whether the access token that a session issued is good for a request."""
        token = self.tokens[name]
        try:
            await self.world.flows.authentication.by_token(token, presented_as=token.encode())
        except InvalidTokenError:
            return False
        return True


async def granted(registered: Registered, signed_in: SignedIn, code: str) -> SignedIn:
    """Return what a client got for a code, in the form of a sign-in."""
    answer = await registered.exchange(code, credentials=PUBLIC)
    session = await registered.world.storage.records.find_session(claims_of(answer.access_token)["sid"])
    assert session is not None
    tokens = TokenResponse(
        access_token=answer.access_token,
        expires_in=answer.expires_in,
        refresh_token=str(answer.refresh_token),
        scope=answer.scope,
    )
    return structs.replace(signed_in, session=session, secret=None, tokens=tokens)


def concerns(entry: Entry, facts: Facts) -> bool:
    registry = Registry()
    registry.add([entry])
    return registry.void(facts) is not None


@dataclass(frozen=True)
class Way:
    """A way of ending access.

    Attributes:
        take: Takes it.
        ends: The sessions that it ends, with all that they have issued.
        voids: The sessions that live on, while what they have issued until then is void.
        reasons: What the ledger gives as the reasons.
        actor: What the ledger gives as the actor, ``user`` for Ada.
        twice: The tokens of which it says so in two entries, one by name and one by cut-off.
        prepare: What is done to the world before.
    """

    take: Callable[[Scene], Awaitable[None]]
    reasons: set[Reason]
    actor: str = "user"
    ends: frozenset[str] = frozenset()
    voids: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()
    prepare: Callable[[World], None] = field(default=lambda _: None)


def one(*names: str) -> frozenset[str]:
    return frozenset(names)


def with_sessions(policy: SessionPolicy) -> Callable[[World], None]:
    return lambda world: world.tune(replace(world.tunables, sessions=policy))


async def sign_out(scene: Scene) -> None:
    await scene.world.flows.ending.sign_out(await scene.world.identity(scene.here))


async def sign_out_by_app(scene: Scene) -> None:
    assert await scene.world.flows.provider.logout.end(await scene.world.identity(scene.here)) == ()


async def remove_application(scene: Scene) -> None:
    identity = await scene.world.identity(scene.there)
    assert await scene.world.flows.provider.applications.remove(identity, "spa")
    assert not await scene.world.flows.provider.applications.remove(identity, "spa")


async def end_one(scene: Scene) -> None:
    identity = await scene.world.identity(scene.here)
    assert await scene.world.flows.ending.end(identity, scene.app.session.id)


async def end_others(scene: Scene) -> None:
    assert await scene.world.flows.ending.end_others(await scene.world.identity(scene.here)) == 2


async def end_everywhere(scene: Scene) -> None:
    assert await scene.world.flows.ending.end_everywhere(await scene.world.identity(scene.here)) == 4


async def change_password(scene: Scene) -> None:
    identity = await scene.world.identity(scene.here)
    await scene.world.flows.account.change_password(
        identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None
    )


async def change_password_with_tokens(scene: Scene) -> None:
    identity = await scene.world.identity(scene.app)
    changed = await scene.world.flows.account.change_password(
        identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None
    )
    assert await scene.world.is_in(changed)


async def re_authenticate(scene: Scene) -> None:
    for each in (scene.here, scene.app):
        identity = await scene.world.identity(each)
        renewed = await scene.world.flows.re_authentication.with_password(
            identity, PASSWORD, client=HOME, device=None
        )
        assert await scene.world.is_in(renewed)
        assert not await scene.world.is_in(each)


async def confirm_email_change(scene: Scene) -> None:
    world, identity = scene.world, await scene.world.identity(scene.here)
    await world.post()
    await world.flows.account.request_email_change(identity, BOB, client=HOME)
    await world.flows.account.confirm_email_change(identity, await world.token(), client=HOME)
    assert await world.is_in(scene.here)


async def deactivate(scene: Scene) -> None:
    await scene.world.flows.account.deactivate(await scene.world.identity(scene.here))


async def delete(scene: Scene) -> None:
    await scene.world.flows.account.delete(await scene.world.identity(scene.here))


async def reset(scene: Scene) -> None:
    await scene.world.post()
    await scene.world.flows.recovery.request(ADA, client=ELSEWHERE)
    await scene.world.flows.recovery.reset(await scene.world.token(), OTHER_PASSWORD, client=ELSEWHERE)


async def administrator_disables(scene: Scene) -> None:
    assert await scene.world.flows.administration.disable(ADA) == 4


async def administrator_deletes(scene: Scene) -> None:
    await scene.world.flows.administration.delete(ADA)


async def administrator_ends_one(scene: Scene) -> None:
    assert await scene.world.flows.administration.end_session(scene.app.session.id)
    assert not await scene.world.flows.administration.end_session(scene.app.session.id)


async def administrator_ends_all(scene: Scene) -> None:
    assert await scene.world.flows.administration.end_sessions(ADA) == 4


async def set_scopes(scene: Scene) -> None:
    await scene.world.flows.administration.set_scopes(ADA, ["read"])
    assert await scene.world.is_in(await scene.world.refreshed(scene.app))


async def reuse(scene: Scene) -> None:
    token = refresh_token(scene.app)
    await scene.world.flows.tokens.refresh(token, client=HOME)
    scene.world.clock.advance(11)
    with pytest.raises(InvalidRefreshTokenError):
        await scene.world.flows.tokens.refresh(token, client=HOME)


async def refresh_elsewhere(scene: Scene) -> None:
    with pytest.raises(InvalidRefreshTokenError):
        await scene.world.flows.tokens.refresh(refresh_token(scene.app), client=ELSEWHERE)


async def show_cookie_elsewhere(scene: Scene) -> None:
    with pytest.raises(InvalidSessionError):
        await scene.world.flows.authentication.by_cookie(cookie(scene.there), client=ELSEWHERE)


async def show_token_elsewhere(scene: Scene) -> None:
    token = access_token(scene.app)
    with pytest.raises(InvalidTokenError):
        await scene.world.flows.authentication.by_token(token, presented_as=token.encode(), client=ELSEWHERE)


async def sign_in_instead(scene: Scene) -> None:
    await scene.world.signed_in(ADA, replaces=cookie(scene.there))


async def sign_up_instead(scene: Scene) -> None:
    world = scene.world
    await world.post()
    binding = await world.flows.sign_up.request(BOB, PASSWORD, client=HOME)
    await world.flows.sign_up.confirm(
        await world.token(), binding=binding, password=None, request=asks(replaces=cookie(scene.there))
    )


async def too_many(scene: Scene) -> None:
    world = scene.world
    world.clock.advance(1)
    world.tune(replace(world.tunables, sessions=SessionPolicy(max_sessions=1)))
    await world.signed_in(ADA)


async def policy_change(scene: Scene) -> None:
    world = scene.world
    world.clock.advance(200)
    await world.identity(scene.here)  # noted, as the interval has it, after a minute
    await world.storage.records.touch_session(scene.here.session.id, world.clock.now)
    profile = structs.replace(NIST_AAL3, idle_timeout=timedelta(minutes=3))
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=profile)))
    assert await world.flows.session_policy.apply() == 4
    assert await world.flows.session_policy.apply() == 0


async def revoke_session(scene: Scene) -> None:
    await scene.world.flows.revoking.session(scene.app.session.id, actor="user:root")


async def revoke_user(scene: Scene) -> None:
    await scene.world.flows.revoking.user(ADA, actor="user:root")
    assert await scene.world.is_in(await scene.world.signed_in(ADA, credential="tokens"))


async def revoke_one_user(scene: Scene) -> None:
    await scene.world.flows.revoking.one("user", ADA, actor="user:root")


async def revoke_token(scene: Scene) -> None:
    await scene.world.flows.revoking.token(scene.tokens["app"], actor="user:root")
    assert await scene.world.is_in(scene.app)  # by its other token


async def revoke_client(scene: Scene) -> None:
    await scene.world.flows.revoking.client("first-party", actor="user:root")
    assert await scene.world.is_in(await scene.world.refreshed(scene.app))


async def revoke_registered_client(scene: Scene) -> None:
    await scene.world.flows.revoking.client("spa", actor="user:root")
    answer = await scene.registered.refresh(refresh_token(scene.granted), credentials=PUBLIC)
    assert await scene.registered.is_good(answer)


async def replay_code(scene: Scene) -> None:
    with pytest.raises(InvalidGrantError):
        await scene.registered.exchange(scene.code, credentials=PUBLIC)


async def reuse_by_client(scene: Scene) -> None:
    token = refresh_token(scene.granted)
    await scene.registered.refresh(token, credentials=PUBLIC)
    scene.world.clock.advance(11)
    with pytest.raises(InvalidGrantError):
        await scene.registered.refresh(token, credentials=PUBLIC)


async def revoke_by_client(scene: Scene) -> None:
    revoke = scene.world.flows.provider.token_revocation.revoke
    await revoke(refresh_token(scene.granted), credentials=PUBLIC)


async def revoke_access_token_by_client(scene: Scene) -> None:
    revoke = scene.world.flows.provider.token_revocation.revoke
    await revoke(scene.tokens["granted"], credentials=PUBLIC)


async def disable_client(scene: Scene) -> None:
    clients = scene.world.flows.provider.clients
    assert await clients.disable("spa", actor="user:root") == 1
    assert await clients.cached("spa") is None
    await clients.enable("spa")


async def remove_client(scene: Scene) -> None:
    assert await scene.world.flows.provider.clients.remove("spa", actor="user:root") == 1


async def remove_client_named_by_its_document(scene: Scene) -> None:
    await scene.registered.change("spa", registered_by="metadata-document")
    await remove_client(scene)


async def narrow_client(scene: Scene) -> None:
    await scene.world.flows.provider.clients.change(
        "spa", {"scope": "openid", "grant_types": ["authorization_code", "refresh_token"]}, actor="user:root"
    )
    answer = await scene.registered.refresh(refresh_token(scene.granted), credentials=PUBLIC)
    assert await scene.registered.is_good(answer)


async def replace_client(scene: Scene) -> None:
    metadata = ClientMetadata(
        redirect_uris=(REDIRECT,), token_endpoint_auth_method="none", grant_types=("authorization_code",)
    )
    await scene.world.flows.provider.clients.replace("spa", metadata, actor="user:root")


async def add_api(scene: Scene) -> None:
    scopes = [APIScope(name="write"), APIScope(name="read", for_everybody=True)]
    await scene.world.flows.provider.apis.add(FILES, scopes=scopes)
    await scene.world.flows.provider.roles.add("editor")


async def change_api(scene: Scene) -> None:
    await add_api(scene)
    change = scene.world.flows.provider.apis.change
    await change(FILES, scopes=[APIScope(name="read")], actor="user:root")
    assert await scene.world.is_in(await scene.world.refreshed(scene.app))


async def remove_api(scene: Scene) -> None:
    await add_api(scene)
    await scene.world.flows.provider.apis.remove(FILES, actor="user:root")


def grant_to(kind: HolderKind, holder: str) -> Callable[[Scene], Awaitable[None]]:
    async def take(scene: Scene) -> None:
        await add_api(scene)
        if kind == "role":
            await scene.world.storage.records.add_member(holder, scene.here.user.id)
        permissions = scene.world.flows.provider.permissions
        for _ in range(2):  # the second time, nothing changes
            await permissions.grant(kind, holder, FILES, scopes=["write"], actor="user:root")

    return take


async def withdraw_permission(scene: Scene) -> None:
    await add_api(scene)
    permission = Permission(
        kind="user", holder=scene.here.user.id, audience=FILES, scopes=frozenset({"read", "write"})
    )
    await scene.world.storage.records.put_permission(permission)
    permissions = scene.world.flows.provider.permissions
    for _ in range(2):
        await permissions.withdraw("user", ADA, FILES, scopes=["write"], actor="user:root")


async def give_role(scene: Scene) -> None:
    await add_api(scene)
    assert await scene.world.flows.provider.roles.give("editor", ADA, actor="user:root")
    assert not await scene.world.flows.provider.roles.give("editor", ADA, actor="user:root")


async def take_role(scene: Scene) -> None:
    await add_api(scene)
    await scene.world.storage.records.add_member("editor", scene.here.user.id)
    assert await scene.world.flows.provider.roles.take("editor", ADA, actor="user:root")
    assert not await scene.world.flows.provider.roles.take("editor", ADA, actor="user:root")


async def remove_role(scene: Scene) -> None:
    await add_api(scene)
    await scene.world.storage.records.add_member("editor", scene.here.user.id)
    await scene.world.flows.provider.roles.remove("editor", actor="user:root")


async def revoke_key(scene: Scene) -> None:
    _, kid = await scene.world.context.access_tokens.verify(scene.tokens["app"])
    await scene.world.flows.revoking.key(kid, actor="user:root")
    assert await scene.world.is_in(await scene.world.refreshed(scene.app))


async def rotate_keys(scene: Scene) -> None:
    await scene.world.flows.key_rotation.rotate(compromised=True, actor="user:root")
    assert await scene.world.is_in(await scene.world.refreshed(scene.app))


async def revoke_everything(scene: Scene) -> None:
    await scene.world.flows.revoking.everything(actor="user:root")
    assert await scene.world.is_in(await scene.world.signed_in(ADA, credential="tokens"))


_BOUND = with_sessions(SessionPolicy(binding="address"))
_ADMINISTRATOR = {Reason.ENDED_BY_ADMINISTRATOR}
_BY_USER = {Reason.ENDED_BY_USER}
_CHANGED = {Reason.PERMISSIONS_CHANGED}

WAYS: dict[str, Way] = {
    "AuthorizationCodeGrant.__call__": Way(
        replay_code, {Reason.CODE_REPLAYED}, "server", ends=one("granted")
    ),
    "Account.change_password": Way(
        change_password,
        {Reason.PASSWORD_CHANGED, Reason.RENEWED},
        ends=one("there", "app", "granted"),
        voids=one("here"),
    ),
    "Account.change_password, with tokens": Way(
        change_password_with_tokens,
        {Reason.PASSWORD_CHANGED, Reason.RENEWED},
        ends=one("here", "there", "granted"),
        voids=one("app"),
    ),
    "Account.confirm_email_change": Way(
        confirm_email_change, {Reason.EMAIL_CHANGED}, ends=one("there", "app", "granted"), voids=one("here")
    ),
    "Account.deactivate": Way(deactivate, {Reason.DEACTIVATED}, ends=ALL),
    "Account.delete": Way(delete, {Reason.DELETED}, ends=ALL),
    "Administration.delete": Way(administrator_deletes, {Reason.DELETED}, "administrator", ends=ALL),
    "Administration.disable": Way(administrator_disables, {Reason.DEACTIVATED}, "administrator", ends=ALL),
    "Administration.end_session": Way(
        administrator_ends_one, _ADMINISTRATOR, "administrator", ends=one("app")
    ),
    "Administration.end_sessions": Way(administrator_ends_all, _ADMINISTRATOR, "administrator", ends=ALL),
    "Administration.set_scopes": Way(set_scopes, {Reason.PERMISSIONS_CHANGED}, "administrator", voids=ALL),
    "Applications.remove": Way(remove_application, {Reason.GRANT_REVOKED}, ends=one("granted")),
    "Authentication.by_cookie": Way(
        show_cookie_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("there"), prepare=_BOUND
    ),
    "Authentication.by_token": Way(
        show_token_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("app"), prepare=_BOUND
    ),
    "APIs.change": Way(change_api, _CHANGED, "user:root", voids=EVERYBODY),
    "APIs.remove": Way(remove_api, _CHANGED, "user:root", voids=EVERYBODY),
    "Clients.change": Way(narrow_client, _CHANGED, "user:root", voids=one("granted")),
    # The cut-off is for tokens that come from no session: a machine's.
    "Clients.disable": Way(
        disable_client, {Reason.DEACTIVATED}, "user:root", ends=one("granted"), twice=one("granted")
    ),
    "Clients.remove": Way(remove_client, {Reason.CLIENT_REMOVED}, "user:root", ends=one("granted")),
    "Clients.remove, one that may come back": Way(
        remove_client_named_by_its_document,
        {Reason.CLIENT_REMOVED},
        "user:root",
        ends=one("granted"),
        twice=one("granted"),
    ),
    "Clients.replace": Way(replace_client, _CHANGED, "user:root", voids=one("granted")),
    "Ending.end": Way(end_one, _BY_USER, ends=one("app")),
    "Ending.end_everywhere": Way(end_everywhere, _BY_USER, ends=ALL),
    "Ending.end_others": Way(end_others, _BY_USER, ends=one("there", "app")),
    "Ending.sign_out": Way(sign_out, {Reason.SIGNED_OUT}, ends=one("here", "granted")),
    "KeyRotation.rotate": Way(rotate_keys, {Reason.KEY_COMPROMISED}, "user:root", voids=EVERYBODY),
    "Permissions.grant": Way(grant_to("user", ADA), _CHANGED, "user:root", voids=ALL),
    "Permissions.grant, a client": Way(
        grant_to("client", "spa"), _CHANGED, "user:root", voids=one("granted")
    ),
    "Permissions.grant, a role": Way(grant_to("role", "editor"), _CHANGED, "user:root", voids=ALL),
    "Permissions.withdraw": Way(withdraw_permission, _CHANGED, "user:root", voids=ALL),
    "ReAuthentication.with_password": Way(re_authenticate, {Reason.RENEWED}, voids=one("here", "app")),
    "Recovery.reset": Way(reset, {Reason.PASSWORD_CHANGED}, ends=ALL),
    "Logout.end": Way(sign_out_by_app, {Reason.SIGNED_OUT}, ends=one("here", "granted")),
    "Revoking.client": Way(revoke_client, _ADMINISTRATOR, "user:root", voids=EVERYBODY - one("granted")),
    "Revoking.client, a registered one": Way(
        revoke_registered_client, _ADMINISTRATOR, "user:root", voids=one("granted")
    ),
    "RefreshTokenGrant.__call__": Way(
        reuse_by_client, {Reason.REFRESH_REUSED}, "server", ends=one("granted")
    ),
    "Revoking.everything": Way(revoke_everything, _ADMINISTRATOR, "user:root", ends=EVERYBODY),
    "Revoking.key": Way(revoke_key, {Reason.KEY_COMPROMISED}, "user:root", voids=EVERYBODY),
    "Revoking.one": Way(revoke_one_user, _ADMINISTRATOR, "user:root", ends=ALL, twice=ALL),
    "Revoking.session": Way(revoke_session, _ADMINISTRATOR, "user:root", ends=one("app")),
    "Revoking.token": Way(revoke_token, _ADMINISTRATOR, "user:root", voids=one("app")),
    # The cut-off of the user is for what has no name: credentials of sessions that a restored database lost.
    "Revoking.user": Way(revoke_user, _ADMINISTRATOR, "user:root", ends=ALL, twice=ALL),
    "Roles.give": Way(give_role, _CHANGED, "user:root", voids=ALL),
    "Roles.remove": Way(remove_role, _CHANGED, "user:root", voids=ALL),
    "Roles.take": Way(take_role, _CHANGED, "user:root", voids=ALL),
    "SessionPolicyChange.apply": Way(
        policy_change,
        {Reason.POLICY_CHANGED},
        "server",
        ends=one("there", "app", "eve", "granted"),
        voids=one("here"),
    ),
    "SignIn.with_password": Way(sign_in_instead, {Reason.REPLACED}, ends=one("there")),
    "SignIn.with_password, beyond the limit": Way(too_many, {Reason.SESSION_LIMIT}, "server", ends=ALL),
    "SignUp.confirm": Way(sign_up_instead, {Reason.REPLACED}, ends=one("there")),
    "TokenRevocation.revoke": Way(
        revoke_by_client, {Reason.GRANT_REVOKED}, "client:spa", ends=one("granted")
    ),
    "TokenRevocation.revoke, an access token": Way(
        revoke_access_token_by_client, {Reason.GRANT_REVOKED}, "client:spa", voids=one("granted")
    ),
    "Tokens.refresh": Way(reuse, {Reason.REFRESH_REUSED}, "server", ends=one("app")),
    "Tokens.refresh, elsewhere": Way(
        refresh_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("app"), prepare=_BOUND
    ),
}
