"""What tests of tokens for clients share: a client, its session below a user's, a grant, and tokens from it."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from coatcheck._core.secrets import new_identifier
from coatcheck.accounts.model import User
from coatcheck.flows.authentication import Known
from coatcheck.flows.provider.issuing import TokenIssuer
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.flows.provider.subjects import subject_of
from coatcheck.identity import Client
from coatcheck.jose.hazmat import read_unverified
from coatcheck.oauth.model import API, APIScope, Grant, OAuthClient
from coatcheck.sessions.model import Session
from tests.flows.world import ISSUER, NOW, World

SECRET: Final = "a secret of 43 characters that nobody guesses"
ORDERS: Final = "https://orders.example"


def an_api(audience: str = ORDERS, **changes: Any) -> API:
    return API(audience=audience, name="Orders", scopes=(APIScope(name="read"),), created_at=NOW, **changes)


def built_in_api(**changes: Any) -> API:
    return an_api(ISSUER, **changes)


def a_client(**changes: Any) -> OAuthClient:
    given: dict[str, Any] = {
        "id": "app",
        "name": "App",
        "created_at": NOW,
        "id_token_signed_response_alg": "ES256",
    } | changes
    return OAuthClient(**given)


@dataclass(frozen=True)
class Granted:
    """A client with a session of its own, below the one in which a user granted it."""

    world: World
    client: OAuthClient
    user: User
    parent: Session
    session: Session
    grant: Grant

    @property
    def issuer(self) -> TokenIssuer:
        return self.world.flows.provider.issuer

    @property
    def subject(self) -> str:
        return subject_of(self.world.sealer, self.client, self.user.id)

    async def token(self, api: API | None = None, **changes: Any) -> str:
        given: dict[str, Any] = {
            "api": api or built_in_api(),
            "subject": self.subject,
            "client_id": self.client.id,
            "scope": self.grant.scope,
            "session": self.session,
            "ends_at": min(self.session.ends_at, self.parent.ends_at),
            "with_issuer": "openid" in self.grant.scope,
            "at": self.world.clock(),
        } | changes
        return (await self.issuer.access_token(**given)).token

    async def id_token(self, **changes: Any) -> str:
        given: dict[str, Any] = {
            "client": self.client,
            "user": self.user,
            "session": self.session,
            "grant": self.grant,
            "nonce": None,
            "at": self.world.clock(),
        } | changes
        return await self.issuer.id_token(**given)

    async def known(self, token: str) -> Known:
        return await self.world.flows.authentication.by_token(token, presented_as=token.encode())


async def granted(
    world: World, client: OAuthClient | None = None, *, offline: bool = False, **changes: Any
) -> Granted:
    """Sign a user up, register a client, and have the one grant something to the other."""
    signed_in = await world.signed_up()
    client = client or a_client()
    records = world.storage.records
    await records.add_client(client)
    parent = signed_in.session
    scope = ("openid", "profile", "email")
    session = msgspec.structs.replace(
        parent,
        id=new_identifier(),
        digest=None,
        client_id=client.id,
        parent_id=None if offline else parent.id,
        scope=" ".join(scope),
        client=Client(),
    )
    await records.add_session(session)
    given: dict[str, Any] = {
        "session_id": session.id,
        "user_id": signed_in.user.id,
        "client_id": client.id,
        "scope": scope,
        "audiences": (ISSUER,),
        "created_at": NOW,
    }
    grant = Grant(**(given | changes))
    await records.put_grant(grant)
    return Granted(world, client, signed_in.user, parent, session, grant)


async def machine_token(world: World, api: API, *, client_id: str = "app", **changes: Any) -> str:
    given: dict[str, Any] = {
        "api": api,
        "subject": client_id,
        "client_id": client_id,
        "scope": ["read"],
        "session": None,
        "ends_at": None,
        "with_issuer": False,
        "at": world.clock(),
    } | changes
    return (await world.flows.provider.issuer.access_token(**given)).token


def with_secret(world: World, api: API) -> API:
    """Return an API whose tokens a secret signs."""
    sealed = seal_secret(world.sealer, SECRET, owner="api")
    return msgspec.structs.replace(api, algorithm="HS256", sealed_secret=sealed)


def said(token: str) -> dict[str, Any]:
    """Return what a token says of itself."""
    return read_unverified(token).claims
