"""Every way of ending access that there is, and what each of them ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from msgspec import structs

from coatcheck.flows.access_tokens import facts_of
from coatcheck.flows.ending import Reason
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.model import SignedIn
from coatcheck.revocation.model import Entry, Facts
from coatcheck.revocation.registry import Registry
from coatcheck.sessions.errors import InvalidRefreshTokenError, InvalidSessionError
from coatcheck.sessions.policy import NIST_AAL3, SessionPolicy
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

ALL = frozenset({"here", "there", "app"})
EVERYBODY = ALL | {"eve"}
BOB = "bob@example.com"


class Scene:
    """Somebody with a browser, another browser and a client with tokens; and Eve, who has to do with nothing.

    Each of their sessions has issued an access token.
    """

    def __init__(self, world: World, sign_ins: dict[str, SignedIn], tokens: dict[str, str]) -> None:
        self.world = world
        self.sign_ins = sign_ins
        self.here, self.there, self.app = (sign_ins[name] for name in ("here", "there", "app"))
        self.tokens = tokens

    @classmethod
    async def laid(cls, world: World) -> "Scene":
        sign_ins = {
            "here": await world.signed_up(ADA),
            "there": await world.signed_in(ADA),
            "app": await world.signed_in(ADA, credential="tokens"),
            "eve": await world.signed_up(EVE, credential="tokens"),
        }
        tokens = {
            name: await world.context.access_tokens.issue(each.user, each.session, at=world.clock())
            for name, each in sign_ins.items()
        }
        world.clock.advance(0.125)  # in the same second, but later
        return cls(world, sign_ins, tokens)

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


async def end_one(scene: Scene) -> None:
    identity = await scene.world.identity(scene.here)
    assert await scene.world.flows.ending.end(identity, scene.app.session.id)


async def end_others(scene: Scene) -> None:
    assert await scene.world.flows.ending.end_others(await scene.world.identity(scene.here)) == 2


async def end_everywhere(scene: Scene) -> None:
    assert await scene.world.flows.ending.end_everywhere(await scene.world.identity(scene.here)) == 3


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
    assert await scene.world.flows.administration.disable(ADA) == 3


async def administrator_deletes(scene: Scene) -> None:
    await scene.world.flows.administration.delete(ADA)


async def administrator_ends_one(scene: Scene) -> None:
    assert await scene.world.flows.administration.end_session(scene.app.session.id)
    assert not await scene.world.flows.administration.end_session(scene.app.session.id)


async def administrator_ends_all(scene: Scene) -> None:
    assert await scene.world.flows.administration.end_sessions(ADA) == 3


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
    assert await world.flows.session_policy.apply() == 3
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

WAYS: dict[str, Way] = {
    "Account.change_password": Way(
        change_password,
        {Reason.PASSWORD_CHANGED, Reason.RENEWED},
        ends=one("there", "app"),
        voids=one("here"),
    ),
    "Account.change_password, with tokens": Way(
        change_password_with_tokens,
        {Reason.PASSWORD_CHANGED, Reason.RENEWED},
        ends=one("here", "there"),
        voids=one("app"),
    ),
    "Account.confirm_email_change": Way(
        confirm_email_change, {Reason.EMAIL_CHANGED}, ends=one("there", "app"), voids=one("here")
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
    "Authentication.by_cookie": Way(
        show_cookie_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("there"), prepare=_BOUND
    ),
    "Authentication.by_token": Way(
        show_token_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("app"), prepare=_BOUND
    ),
    "Ending.end": Way(end_one, _BY_USER, ends=one("app")),
    "Ending.end_everywhere": Way(end_everywhere, _BY_USER, ends=ALL),
    "Ending.end_others": Way(end_others, _BY_USER, ends=one("there", "app")),
    "Ending.sign_out": Way(sign_out, {Reason.SIGNED_OUT}, ends=one("here")),
    "KeyRotation.rotate": Way(rotate_keys, {Reason.KEY_COMPROMISED}, "user:root", voids=EVERYBODY),
    "ReAuthentication.with_password": Way(re_authenticate, {Reason.RENEWED}, voids=one("here", "app")),
    "Recovery.reset": Way(reset, {Reason.PASSWORD_CHANGED}, ends=ALL),
    "Revoking.client": Way(revoke_client, _ADMINISTRATOR, "user:root", voids=EVERYBODY),
    "Revoking.everything": Way(revoke_everything, _ADMINISTRATOR, "user:root", ends=EVERYBODY),
    "Revoking.key": Way(revoke_key, {Reason.KEY_COMPROMISED}, "user:root", voids=EVERYBODY),
    "Revoking.one": Way(revoke_one_user, _ADMINISTRATOR, "user:root", ends=ALL, twice=ALL),
    "Revoking.session": Way(revoke_session, _ADMINISTRATOR, "user:root", ends=one("app")),
    "Revoking.token": Way(revoke_token, _ADMINISTRATOR, "user:root", voids=one("app")),
    # The cut-off of the user is for what has no name: credentials of sessions that a restored database lost.
    "Revoking.user": Way(revoke_user, _ADMINISTRATOR, "user:root", ends=ALL, twice=ALL),
    "SessionPolicyChange.apply": Way(
        policy_change, {Reason.POLICY_CHANGED}, "server", ends=one("there", "app", "eve"), voids=one("here")
    ),
    "SignIn.with_password": Way(sign_in_instead, {Reason.REPLACED}, ends=one("there")),
    "SignIn.with_password, beyond the limit": Way(too_many, {Reason.SESSION_LIMIT}, "server", ends=ALL),
    "SignUp.confirm": Way(sign_up_instead, {Reason.REPLACED}, ends=one("there")),
    "Tokens.refresh": Way(reuse, {Reason.REFRESH_REUSED}, "server", ends=one("app")),
    "Tokens.refresh, elsewhere": Way(
        refresh_elsewhere, {Reason.BOUND_ELSEWHERE}, "server", ends=one("app"), prepare=_BOUND
    ),
}
