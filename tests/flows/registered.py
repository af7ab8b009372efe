"""Registered clients in a world, with APIs, and what a user granted to them."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import msgspec

from coatcheck._core import json
from coatcheck._core.secrets import digest, new_identifier, new_token
from coatcheck.flows.access_tokens import facts_of
from coatcheck.flows.model import SignedIn
from coatcheck.flows.provider.grants.model import TokenAnswer, TokenRequest
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.identity import Client
from coatcheck.jose import Key, jwt
from coatcheck.jose.hazmat import NO_EXPIRY, read_unverified
from coatcheck.oauth.client_authentication.model import Credentials
from coatcheck.oauth.grants.pkce import challenge_of
from coatcheck.oauth.model import (
    API,
    APIScope,
    AuthorizationCode,
    AuthorizationRequest,
    OAuthClient,
    Permission,
)
from coatcheck.oauth.vocabulary import JWT_BEARER_ASSERTION
from tests.flows.world import HOME, ISSUER, World

FILES = "https://files.example"
MAIL = "https://mail.example"
REDIRECT = "https://app.example/back"
VERIFIER = "v" * 43
SECRET = new_token()
ALL_GRANTS: tuple[Any, ...] = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
)
PUBLIC = Credentials(client_id="spa")


@dataclass
class Registered:
    """A world with two APIs, and clients of three kinds."""

    world: World
    key: Key

    @classmethod
    async def laid(cls, world: World) -> "Registered":
        records = world.storage.records
        for audience in (FILES, MAIL):
            name = audience.removeprefix("https://").partition(".")[0]
            scopes = (
                APIScope(name=f"{name}:read", for_everybody=True),
                APIScope(name=f"{name}:write", for_everybody=True),
                APIScope(name=f"{name}:admin"),
            )
            await records.add_api(API(audience=audience, name=name, scopes=scopes, created_at=0.0))
        self = cls(world, Key.generate("ES256"))
        await self.add("web", token_endpoint_auth_method="client_secret_basic", secret_digest=digest(SECRET))
        await self.add("spa", token_endpoint_auth_method="none")
        await self.add("machine", token_endpoint_auth_method="private_key_jwt", jwks=jwks_of(self.key))
        scopes_of_machine = frozenset({"files:read", "files:admin"})
        for each in ("web", "machine"):
            await records.put_permission(
                Permission(kind="client", holder=each, audience=FILES, scopes=scopes_of_machine)
            )
        return self

    async def add(self, client_id: str, **members: Any) -> OAuthClient:
        usual: dict[str, Any] = {
            "name": client_id,
            "created_at": self.world.clock(),
            "grant_types": ALL_GRANTS,
            "redirect_uris": (REDIRECT,),
            "id_token_signed_response_alg": "ES256",
        }
        client = OAuthClient(id=client_id, **(usual | members))
        assert await self.world.storage.records.add_client(client)
        return client

    async def change(self, client_id: str, **members: Any) -> OAuthClient:
        client = await self.world.storage.records.find_client(client_id)
        assert client is not None
        changed = msgspec.structs.replace(client, **members)
        assert await self.world.storage.records.replace_client(changed)
        return changed

    async def code(
        self,
        signed_in: SignedIn,
        *,
        client_id: str = "web",
        scope: str = "openid files:read files:write",
        audiences: tuple[str, ...] = (FILES,),
        offline: bool = False,
        session_id: str | None = None,
        challenge: str | None = challenge_of(VERIFIER),
        **members: Any,
    ) -> str:
        """Add a code, as an authorization request that was consented to leaves it."""
        code, now = new_token(), self.world.clock()
        request = AuthorizationRequest(
            client_id=client_id,
            redirect_uri=REDIRECT,
            scope=tuple(scope.split()),
            nonce="n-0S6",
            code_challenge=challenge,
        )
        usual: dict[str, Any] = {
            "digest": digest(code),
            "client_id": client_id,
            "user_id": signed_in.user.id,
            "parent_id": signed_in.session.id,
            "session_id": session_id or new_identifier(),
            "request": request,
            "scope": request.scope,
            "audiences": audiences,
            "offline": offline,
            "authenticated_at": signed_in.session.authenticated_at,
            "methods": signed_in.session.methods,
            "created_at": now,
            "expires_at": now + 60,
        }
        await self.world.storage.records.add_code(AuthorizationCode(**(usual | members)))
        return code

    async def ask(
        self,
        grant_type: str,
        *,
        credentials: Credentials | None = None,
        resources: tuple[str, ...] = (),
        sender: Client = HOME,
        **parameters: str,
    ) -> TokenAnswer:
        answer = await self.world.flows.provider.token_endpoint.answer(
            TokenRequest(
                parameters={"grant_type": grant_type} | parameters,
                resources=resources,
                credentials=basic("web") if credentials is None else credentials,
                sender=sender,
            )
        )
        assert isinstance(answer, TokenAnswer)
        return answer

    async def exchange(self, code: str, **asked: Any) -> TokenAnswer:
        usual = {"redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.ask("authorization_code", code=code, **(usual | asked))

    async def refresh(self, refresh_token: object, **asked: Any) -> TokenAnswer:
        assert isinstance(refresh_token, str)
        return await self.ask("refresh_token", refresh_token=refresh_token, **asked)

    async def is_good(self, answer: TokenAnswer) -> bool:
        """Tell whether an access token is void by the ledger."""
        await self.world.context.ledger.catch_up()
        found = await self.world.context.access_tokens.verify(answer.access_token, recipient="anybody")
        return self.world.context.ledger.registry.void(facts_of(*found)) is None

    def assertion(
        self, key: Key | None = None, *, typ: str = "JWT", client_id: str = "machine", **claims: Any
    ) -> str:
        """Return an assertion of the machine; ``None`` leaves a claim out."""
        now = self.world.clock()
        usual = {
            "iss": client_id,
            "sub": client_id,
            "aud": ISSUER,
            "exp": int(now) + 60,
            "jti": new_token(),
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        signer = jwt.Signer(key or self.key, issuer=None, typ=typ, lifetime=NO_EXPIRY, clock=self.world.clock)
        return signer.sign(said)

    def by_assertion(self, token: str | None = None, **claims: Any) -> Credentials:
        return Credentials(
            client_assertion=token or self.assertion(**claims), client_assertion_type=JWT_BEARER_ASSERTION
        )

    def seal(self, secret: str) -> bytes:
        return seal_secret(self.world.sealer, secret, owner="client")


def basic(client_id: str, secret: str = SECRET) -> Credentials:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return Credentials(authorization=f"Basic {base64.b64encode(pair).decode()}")


def jwks_of(*keys: Key) -> bytes:
    return json.encode({"keys": [each.public().to_jwk() for each in keys]})


def claims_of(token: object) -> dict[str, Any]:
    assert isinstance(token, str)
    return dict(read_unverified(token).claims)


async def at_once(*asked: Any) -> list[Any]:
    """Return what came of several at once, errors too."""
    return list(await asyncio.gather(*asked, return_exceptions=True))
