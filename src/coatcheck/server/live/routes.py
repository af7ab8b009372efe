"""The page of the demonstration, and what its script asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from ..._core.clock import Clock
from ...flows.model import SignedIn
from ...web.exchange import Exchange
from ...web.pages.views import LiveView
from ...web.requests import Nothing
from ...web.resource import Post, Resource, route
from ...web.site import Site
from .observation import Observed
from .stage import EMAIL, Stage

__all__ = ["live_routes"]


class _Live:
    def __init__(self, stage: Stage, services: Sequence[str], clock: Clock) -> None:
        self._stage = stage
        self._services = tuple(services)
        self._clock = clock

    async def show(self, exchange: Exchange) -> Response:
        return await exchange.page(LiveView(services=self._services, email=EMAIL))

    async def state(self, exchange: Exchange) -> Response:
        answers = await self._stage.answers()
        browser, phone = self._stage.browser, self._stage.phone
        return exchange.json(
            {
                "answers": answers,
                "sessions": [_session(each) for each in (browser, phone) if each is not None],
                "token_good_for": self._token_good_for(),
            }
        )

    async def sign_in(self, exchange: Exchange, _: Nothing) -> Response:
        return await exchange.signed_in(await self._stage.sign_in(exchange.client), then="/")

    async def sign_out(self, exchange: Exchange, _: Nothing) -> Response:
        observed = await self._stage.sign_out_everywhere()
        exchange.signed_out()
        return exchange.json(
            {"observed": [_observed(each) for each in observed], "token_good_for": self._token_good_for()}
        )

    def _token_good_for(self) -> int:
        """Return for how many seconds a verifier would go on accepting the token if it looked at nothing else."""
        phone = self._stage.phone
        if phone is None or phone.tokens is None:
            return 0
        issued = phone.session.authenticated_at
        return max(0, int(issued + phone.tokens.expires_in - self._clock()))


def _session(signed_in: SignedIn) -> dict[str, Any]:
    return {"id": signed_in.session.id, "kind": signed_in.session.kind}


def _observed(observed: Observed) -> dict[str, Any]:
    refused = observed.refused_after
    return {
        "service": observed.service,
        "credential": observed.credential,
        "refused_after_ms": None if refused is None else round(refused * 1000, 2),
        "accepted_before": observed.accepted_before,
        "accepted_after": observed.accepted_after,
    }


def live_routes(site: Site, stage: Stage, services: Sequence[str]) -> list[BaseRoute]:
    """Return the routes of the live demonstration."""
    live = _Live(stage, services, site.flows.context.clock)
    return [
        route("/", Resource(site, get=live.show)),
        route("/live/state", Resource(site, get=live.state, always_json=True)),
        route("/live/sign-in", Resource(site, post=Post(Nothing, live.sign_in), back="/")),
        route(
            "/live/sign-out-everywhere",
            Resource(site, post=Post(Nothing, live.sign_out), always_json=True),
        ),
    ]
