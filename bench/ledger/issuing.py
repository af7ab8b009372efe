"""An issuer in this process, for what needs no server: a verifier whose view is filled by hand.

Keys and ledger are put where the background would put them; what is called, and what it does, is the verifier's own.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence

from coatcheck._core.secrets import new_identifier
from coatcheck.jose import Key, KeySet, jws
from coatcheck.revocation.model import Draft
from coatcheck.revocation.registry import Registry
from coatcheck.verifier import Verifier

ISSUER = "https://id.example"
AUDIENCE = "https://api.example"
_LIFE = 3720.0
_BATCH = 1_000


def claims() -> dict[str, object]:
    """Return the claims of an access token, as the server makes them."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": new_identifier(),
        "iat": now,
        "exp": now + 3600,
        "jti": new_identifier(),
        "client_id": "first-party",
        "sid": new_identifier(),
        "scope": "orders:read orders:write",
        "auth_time": now - 60,
        "amr": ["pwd"],
        "acr": "aal1",
    }


def sign(key: Key) -> str:
    """Return an access token of its own session."""
    return jws.sign(json.dumps(claims(), separators=(",", ":")).encode(), key, typ="at+jwt")


def verifier(key: Key, *, entries: int) -> Verifier:
    """Return a verifier that has the key, and so many sessions in its view that have ended."""
    made = Verifier(ISSUER, audience=AUDIENCE)
    view = made._view  # noqa: SLF001 -- the background's, which does not run here
    view.install(KeySet([key.public()]))
    view.complete, view.as_of = True, math.inf
    fill(view.registry, entries)
    return made


def registry_of(made: Verifier) -> Registry:
    """Return what a verifier knows to be void."""
    return made._view.registry  # noqa: SLF001 -- as above


def forget_tokens(made: Verifier) -> None:
    """Let a verifier forget the tokens that it has verified."""
    made._core._cache.clear()  # noqa: SLF001 -- as above


def fill(registry: Registry, entries: int) -> None:
    """Let so many sessions have ended within the last hour."""
    for first in range(0, entries, _BATCH):
        registry.add(_drafts(min(_BATCH, entries - first), time.time() + _LIFE * (first / max(1, entries))))


def _drafts(count: int, until: float) -> Sequence[Draft]:
    return [
        Draft(
            kind="session",
            value=new_identifier(),
            cutoff=None,
            until=until,
            reason="",
            actor="",
            at=until - _LIFE,
            mark="",
        )
        for _ in range(count)
    ]
