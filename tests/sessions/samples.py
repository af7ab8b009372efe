"""Sessions to plan with."""

from typing import Any

from msgspec.structs import replace

from coatcheck.identity import Client
from coatcheck.sessions.lifecycle import begin
from coatcheck.sessions.model import Session
from coatcheck.sessions.policy import SessionPolicy

NOW = 1_800_000_000.0
CLIENT = Client(address="192.0.2.1", user_agent="Firefox/150.0")


def session(
    name: str = "one", *, policy: SessionPolicy | None = None, secret: str | None = "secret", **changes: Any
) -> Session:
    fresh = begin(
        policy or SessionPolicy(),
        session_id=name,
        user_id="ada",
        secret=secret,
        methods=["pwd"],
        client=CLIENT,
        scope=None,
        binding=None,
        now=NOW,
    )
    return replace(fresh, **changes)
