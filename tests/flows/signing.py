"""What tests of the signing keys share: a user, tokens for them, and short names."""

import json
from typing import Any, Final

from coatcheck.accounts.model import User
from coatcheck.flows.access_tokens import facts_of
from coatcheck.flows.key_rotation import KeyRotation
from coatcheck.flows.key_schedule import RotationPolicy
from coatcheck.flows.signing_keys import SigningKeys
from coatcheck.identity import Client
from coatcheck.jose import TokenError
from coatcheck.jose.hazmat import read_unverified
from coatcheck.sessions.model import Session
from tests.flows.world import NOW, World

LEAD: Final = RotationPolicy().lead.total_seconds()
TAIL: Final = RotationPolicy().tokens.until(0)
DAY: Final = 86_400.0
CACHE: Final = 900.0  # a verifier's copy of the keys: a cache's 300 seconds, and 600 until it asks again

USER = User(
    id="ada",
    email="ada@example.com",
    email_key="ada@example.com",
    password_hash=None,
    created_at=NOW,
    password_changed_at=NOW,
)
SESSION = Session(
    id="session",
    user_id="ada",
    digest=None,
    profile="relaxed",
    created_at=NOW,
    authenticated_at=NOW,
    methods=("pwd",),
    last_seen_at=NOW,
    idle_timeout=1e9,
    expires_at=NOW + 1e9,
    client=Client(),
)


def keys(world: World) -> SigningKeys:
    return world.context.access_tokens.keys


def rotation(world: World) -> KeyRotation:
    return world.flows.key_rotation


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(read_unverified(token).payload or b"")
    return claims


def kid_of(token: str) -> str:
    kid = read_unverified(token).header["kid"]
    assert isinstance(kid, str)
    return kid


async def published(world: World) -> set[str]:
    return {str(key.kid) for key in await keys(world).key_set()}


async def issued(world: World) -> str:
    """Return a token of the longest kind."""
    world.context.access_tokens.lifetime = 3600
    return await world.context.access_tokens.issue(USER, SESSION, at=world.clock())


async def verifies(world: World, token: str) -> bool:
    """Tell whether a process takes a token, as far as keys and ledger are concerned."""
    try:
        claims, kid = await world.context.access_tokens.verify(token)
    except TokenError:
        return False
    return world.context.ledger.registry.void(facts_of(claims, kid)) is None
