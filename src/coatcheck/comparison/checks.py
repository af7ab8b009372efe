"""How long it takes to find out whom a credential stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .._core.secrets import new_token
from ..flows.authentication import Authentication
from ..sessions.cookie import find_cookie
from ..verifier import Verifier
from .credentials import Issuance
from .designs import CREDENTIALS, OPAQUE, OWN_COOKIE, OWN_TOKEN
from .ground import Ground
from .model import Check, Load
from .new_process import Beginning
from .sizes import COOKIE_NAME
from .stores.base import Line, look_up, sessions_for
from .timing import Contender, Raced

__all__ = ["FIRST", "Cookies", "checks_of", "contenders"]

FIRST: Final = " (first seen)"
"""Behind the name of a contender whose credentials are new to the process each time."""

_RING: Final = 16
_NEW: Final = 8

_HOW: Final = {
    OPAQUE: "the cookie is found in the header, hashed, and looked up in a dictionary of this process",
    OWN_COOKIE: "Authentication of the server: recall if remembered, by_cookie from SQLite if not",
    OWN_TOKEN: "Verifier.verify of a service that follows the ledger",
}
_HOW_TOKEN: Final = "jwt.Verifier.verify: form, header, signature and claims"  # noqa: S105 - no secret


class Cookies:
    """Session cookies of the real server, and its memory of them."""

    def __init__(self, ground: Ground, secrets: Sequence[str]) -> None:
        """Take the server and what cookies of it carry."""
        self._context = ground.flows.context
        self._known = [(f"{ground.cookie_name}={secret}".encode(), secret) for secret in secrets]
        self._warm = Authentication(self._context)
        self._fresh = self._warm
        self._next = 0

    def __repr__(self) -> str:
        return f"<Cookies of {len(self._known)} sessions>"

    async def remembered(self) -> list[bytes]:
        """Return headers that the server remembers."""
        chosen = self._known[:_RING]
        for header, secret in chosen:
            await self._warm.by_cookie(secret, presented_as=header)
        return [header for header, _ in chosen]

    def recall(self, header: bytes) -> object:
        """Check one that is remembered."""
        known = self._warm.recall(header, "cookie")
        assert known is not None  # noqa: S101 - or something else was measured
        return known

    async def unseen(self) -> list[tuple[bytes, str]]:
        """Return headers that a memory which was just made has not seen."""
        self._fresh = Authentication(self._context)
        header, secret = self._known[0]
        await self._fresh.by_cookie(secret, presented_as=header)
        self._next = (self._next + _NEW) % max(1, len(self._known) - _NEW)
        return self._known[1 + self._next : 1 + self._next + _NEW]

    async def look_up(self, presented: tuple[bytes, str]) -> object:
        """Check one that is not."""
        header, secret = presented
        return await self._fresh.by_cookie(secret, presented_as=header)


def contenders(
    issuance: Issuance,
    *,
    memory: Line,
    cookies: Cookies,
    verifier: Verifier,
    own_tokens: Callable[[int], Any],
) -> list[Contender]:
    """Return who is raced: each design with credentials that are known, and with new ones.

    Args:
        issuance: Makes tokens of each design.
        memory: A store in this process.
        cookies: Cookies of the real server.
        verifier: Follows that server.
        own_tokens: A coroutine function that makes so many of its tokens.
    """
    known = _Opaque(memory)

    async def warm_tokens() -> list[str]:
        tokens = await ring()
        for token in (*tokens, *tokens):  # what was seen again is found sooner
            verifier.verify(token)
        return tokens

    made: list[str] = []

    async def ring() -> list[str]:
        if not made:
            made.extend(await own_tokens(_RING))
        return made

    return [
        Contender(name=OPAQUE, call=known.check, inputs=known.again),
        Contender(name=OPAQUE + FIRST, call=known.check, inputs=known.new, each=True),
        *(each for design in issuance.tokens for each in _of_token(issuance, design)),
        Contender(name=OWN_COOKIE, call=cookies.recall, inputs=cookies.remembered),
        Contender(name=OWN_COOKIE + FIRST, call=cookies.look_up, inputs=cookies.unseen, each=True),
        Contender(name=OWN_TOKEN, call=verifier.verify, inputs=warm_tokens),
        Contender(name=OWN_TOKEN + FIRST, call=verifier.verify, inputs=lambda: own_tokens(_NEW), each=True),
    ]


class _Opaque:
    """Opaque identifiers, and sessions in a dictionary."""

    def __init__(self, memory: Line) -> None:
        self._memory = memory
        self._ring = self.new(_RING)

    def new(self, count: int = _NEW) -> list[bytes]:
        secrets = [new_token() for _ in range(count)]
        for key, record in sessions_for(secrets):
            self._memory.put(key, record)
        return [f"{COOKIE_NAME}={secret}".encode() for secret in secrets]

    def again(self) -> list[bytes]:
        return self._ring

    def check(self, header: bytes) -> object:
        secret = find_cookie(header, COOKIE_NAME)
        assert secret is not None  # noqa: S101 - it was put there
        found = look_up(self._memory, secret)
        assert found is not None  # noqa: S101 - likewise
        return found


def _of_token(issuance: Issuance, design: str) -> list[Contender]:
    verify = issuance.tokens[design].verifier.verify
    ring = [issuance.token(design) for _ in range(_RING)]
    return [
        Contender(name=design, call=verify, inputs=lambda: ring),
        Contender(
            name=design + FIRST,
            call=verify,
            inputs=lambda: [issuance.token(design) for _ in range(_NEW)],
            each=True,
        ),
    ]


def checks_of(
    raced: Mapping[str, Raced], beginnings: Mapping[str, Beginning], load: Load
) -> tuple[Check, ...]:
    """Put together what was measured of each design."""
    return tuple(_check(design.id, raced, beginnings.get(design.id), load=load) for design in CREDENTIALS)


def _check(design: str, raced: Mapping[str, Raced], beginning: Beginning | None, *, load: Load) -> Check:
    warm, first = raced[design].wall, raced[design + FIRST].wall
    return Check(
        design=design,
        how=_HOW.get(design, _HOW_TOKEN),
        warm=warm,
        first_seen=first,
        new_process=None if beginning is None else beginning.check,
        import_seconds=None if beginning is None else beginning.loading,
        per_second_per_core=1 / warm.median,
        cores=load.requests_per_second * warm.median,
        first_seen_cores=load.requests_per_second * first.median,
    )
