"""Designs in which a lifetime decides: that of a token, or that of an answer that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

import msgspec

from ..._core.clock import system_clock
from ..._core.secrets import digest, new_token
from ...jose import Key, jwt
from ...jose.errors import ExpiredTokenError
from ..model import Event
from ..stores.base import Line, look_up, record_of
from .holders import Holder, moments

__all__ = [
    "ACCESS",
    "CACHED",
    "SIGNED_IN",
    "Asker",
    "Lifetime",
    "Tickets",
    "kept_answers",
    "refreshed",
    "until_expiry",
]

SIGNED_IN: Final = 86_400.0
"""For how many seconds somebody stays signed in: the life of a token where there is no other."""

ACCESS: Final = 300.0
"""The life of a short access token, in seconds; this library's own default."""

CACHED: Final = 60.0
"""For how many seconds an answer of the server is kept."""

_ROLE: Final = "customer"
_ISSUER: Final = "https://id.example.com"

Asker = Callable[[], Awaitable[bool]]
"""Asks the server once; tells whether the credential is good, or still carries the role."""


class Lifetime(msgspec.Struct, frozen=True, kw_only=True):
    """What is really run.

    Attributes:
        seconds: The short span that stands for the long ones.
        holders: How many credentials are watched for each design.
    """

    seconds: float
    holders: int

    def orders(self) -> list[float]:
        """Return when the orders are given: at moments that are evenly spread over the span."""
        return moments(self.holders, within=self.seconds)


class Tickets:
    """Signs and verifies tokens that live for fractions of a second."""

    def __init__(self, seconds: float) -> None:
        """Take how long they live."""
        key = Key.generate("HS256")
        self._seconds = seconds
        self._signer = jwt.Signer(key, issuer=_ISSUER, typ="at+jwt")
        self._verifier = jwt.Verifier(
            key, issuer=_ISSUER, audience=None, claims=dict[str, Any], typ="at+jwt", leeway=timedelta(0)
        )

    def issue(self, roles: tuple[str, ...] = (_ROLE,)) -> str:
        """Return a token with roles."""
        now = system_clock()
        return self._signer.sign({"sub": "ada", "roles": list(roles), "iat": now, "exp": now + self._seconds})

    def roles(self, token: str) -> list[str] | None:
        """Return the roles of a token that is good; ``None`` if it has expired."""
        try:
            claims: dict[str, Any] = self._verifier.verify(token).claims
        except ExpiredTokenError:
            return None
        roles: list[str] = claims["roles"]
        return roles


async def _nothing() -> None:
    """Give an order that nobody hears of."""


def until_expiry(tickets: Tickets, lifetime: Lifetime) -> list[Holder]:
    """Return holders of tokens that nobody can end: the order changes nothing."""

    def holder(after: float) -> Holder:
        token = ""

        def begin() -> None:
            nonlocal token
            token = tickets.issue()

        async def accepted() -> bool:
            return _ROLE in (tickets.roles(token) or ())

        return Holder(accepted=accepted, order=_nothing, after=after, begin=begin)

    return [holder(after) for after in lifetime.orders()]


def refreshed(tickets: Tickets, lifetime: Lifetime, *, line: Line, event: Event) -> list[Holder]:
    """Return holders of short tokens, who refresh them where the server looks into a store.

    Args:
        tickets: Makes the tokens.
        lifetime: Theirs.
        line: Where the server looks.
        event: What happens there.
    """
    return [_refreshing(tickets, after, line=line, event=event) for after in lifetime.orders()]


def _refreshing(tickets: Tickets, after: float, *, line: Line, event: Event) -> Holder:
    secret, token = new_token(), ""
    key = digest(secret)

    def begin() -> None:
        nonlocal token
        line.put(key, record_of(roles=(_ROLE,)))
        token = tickets.issue()

    async def accepted() -> bool:
        nonlocal token
        roles = tickets.roles(token)
        if roles is None:  # it has expired: a new one is asked for
            record = look_up(line, secret)
            if record is None:
                return False
            token = tickets.issue(record.roles)
            roles = tickets.roles(token)
        return _ROLE in (roles or ())

    async def order() -> None:
        if event == "revoked":
            line.remove(key)
        else:
            line.put(key, record_of(roles=()))

    return Holder(accepted=accepted, order=order, after=after, begin=begin)


def kept_answers(
    lifetime: Lifetime, askers: list[tuple[Asker, Callable[[], Awaitable[object]]]]
) -> list[Holder]:
    """Return holders of credentials about which a service asks the server, and keeps the answers.

    Args:
        lifetime: How long it keeps them.
        askers: For each holder how the server is asked, and the order. There are as many as holders.
    """

    def holder(after: float, ask: Asker, order: Callable[[], Awaitable[object]]) -> Holder:
        kept: tuple[bool, float] | None = None
        asking = asyncio.Lock()

        async def accepted() -> bool:
            nonlocal kept
            async with asking:
                if kept is None or perf_counter() >= kept[1]:
                    sent = perf_counter()
                    kept = (await ask(), sent + lifetime.seconds)
            return kept[0]

        return Holder(accepted=accepted, order=order, after=after)

    return [holder(after, ask, order) for after, (ask, order) in zip(lifetime.orders(), askers, strict=True)]
