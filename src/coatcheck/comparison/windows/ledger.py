"""This library's own designs: the ledger in the server's process, and in services that follow it; and introspection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx
import msgspec

from ...errors import CoatcheckError
from ...server.live.observation import Credential, observe
from ..errors import ComparisonError
from ..ground import ROLE, Ground
from ..model import Event
from .holders import Holder, in_turn

__all__ = ["Introspector", "across_services", "in_one_process"]

_BETWEEN: Final = 0.0002
_BEFORE: Final = 0.004


class _Answer(msgspec.Struct, frozen=True):
    active: bool
    scope: str = ""


async def in_one_process(ground: Ground, event: Event, *, rounds: int) -> list[float]:
    """Return the seconds from the order to the first refusal of a cookie, in the process that gives the order."""
    (email,) = await ground.add_users(1, name=f"process-{event[:4]}")
    authentication = ground.flows.authentication

    async def make() -> Holder:
        await ground.give_role(email)
        signed_in = await ground.sign_in(email, "cookie")
        secret = signed_in.secret or ""
        header = f"{ground.cookie_name}={secret}".encode()

        async def accepted() -> bool:
            known = authentication.recall(header, "cookie")
            if known is None:
                try:
                    known = await authentication.by_cookie(secret, presented_as=header)
                except CoatcheckError:
                    return False
            return ROLE in known.identity.scopes

        async def order() -> None:
            if event == "revoked":
                await ground.end([signed_in.session.id])
            else:
                await ground.take_role(email)

        return Holder(accepted=accepted, order=order, after=_BEFORE, between=_BETWEEN)

    return await in_turn(make, rounds=rounds)


async def across_services(
    ground: Ground,
    services: Sequence[tuple[str, int]],
    event: Event,
    *,
    rounds: int,
    on_round: Callable[[], None],
) -> list[list[float]]:
    """Return the same for services in processes of their own: a round has a figure for each service and credential.

    Args:
        ground: The server.
        services: Their names and ports.
        event: What happens.
        rounds: How often.
        on_round: Called after each.

    Raises:
        ComparisonError: If a service goes on accepting.
        CoatcheckError: If one does not answer.
    """
    (email,) = await ground.add_users(1, name=f"services-{event[:4]}")
    found = []
    for _ in range(rounds):
        await ground.give_role(email)
        browser = await ground.sign_in(email, "cookie")
        phone = await ground.sign_in(email, "tokens")
        assert phone.tokens is not None  # noqa: S101 - they were asked for
        credentials = [
            Credential(name="cookie", header="cookie", value=f"{ground.cookie_name}={browser.secret}"),
            Credential(name="token", header="authorization", value=f"Bearer {phone.tokens.access_token}"),
        ]
        ended = [browser.session.id, phone.session.id]

        async def end(ended: Sequence[str] = tuple(ended)) -> None:
            if event == "revoked":
                await ground.end(ended)
            else:
                await ground.take_role(email)

        observed = await observe(services, credentials, end, is_over=_knows_of_it)
        refused = [each.refused_after for each in observed if each.refused_after is not None]
        if len(refused) < len(observed):
            raise ComparisonError("A service has not heard of the end of a session.")
        found.append(refused)
        await ground.end(ended)
        on_round()
    return found


def _knows_of_it(status: int, body: bytes) -> bool:
    if status == 401:
        return True
    return status == 200 and ROLE not in msgspec.json.decode(body)["scopes"]


class Introspector:
    """Asks the server over HTTP what an access token is worth (RFC 7662)."""

    def __init__(self, ground: Ground, client: httpx.AsyncClient) -> None:
        """Take the server, and what asks it."""
        self._ground = ground
        self._client = client

    async def cases(
        self, count: int, event: Event
    ) -> list[tuple[Callable[[], Awaitable[bool]], Callable[[], Awaitable[object]]]]:
        """Return so many credentials: how to ask about each, and the order."""
        emails = await self._ground.add_users(count, name=f"introspected-{event[:4]}-{count}-")
        return [await self._case(email, event) for email in emails]

    async def each_time(self, event: Event, *, rounds: int) -> list[float]:
        """Return the seconds from the order to the first refusal, where the server is asked each time."""
        cases = iter(await self.cases(rounds, event))

        async def make() -> Holder:
            ask, order = next(cases)
            return Holder(accepted=ask, order=order, after=_BEFORE, between=_BETWEEN)

        return await in_turn(make, rounds=rounds)

    async def _case(
        self, email: str, event: Event
    ) -> tuple[Callable[[], Awaitable[bool]], Callable[[], Awaitable[object]]]:
        signed_in = await self._ground.sign_in(email, "tokens")
        assert signed_in.tokens is not None  # noqa: S101 - they were asked for
        token = signed_in.tokens.access_token

        async def order() -> None:
            if event == "revoked":
                await self._ground.end([signed_in.session.id])
            else:
                await self._ground.take_role(email)

        async def ask() -> bool:
            return await self._ask(token)

        return ask, order

    async def _ask(self, token: str) -> bool:
        answer = await self._client.post(
            self._ground.introspection_url,
            data={"token": token},
            headers={"authorization": f"Bearer {self._ground.key}"},
        )
        if answer.status_code != 200:
            raise ComparisonError(f"The server has answered an introspection with {answer.status_code}.")
        state = msgspec.json.decode(answer.content, type=_Answer)
        return state.active and ROLE in state.scope.split(" ")
