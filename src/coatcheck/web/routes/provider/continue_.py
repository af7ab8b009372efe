"""Where users of an authorization request come back to, and say whether a client may have what it asks for."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.authorization import Go, Outcome
from ...exchange import Exchange
from ...interactions import answer, browser_session
from ...requests import Decision
from ...resource import Post, Resource, route
from ...site import Site

__all__ = ["routes"]


async def _resume(exchange: Exchange) -> Response:
    handle = exchange.path_param("handle")
    outcome = await exchange.flows.provider.authorization.resume(
        handle, session_id=await browser_session(exchange)
    )
    return await answer(exchange, outcome, handle=handle)


async def _decide(exchange: Exchange, decision: Decision) -> Response:
    handle = exchange.path_param("handle")
    return await answer(exchange, await _outcome(exchange, decision, handle), handle=handle)


async def _outcome(exchange: Exchange, decision: Decision, handle: str) -> Outcome:
    authorization = exchange.flows.provider.authorization
    session_id = await browser_session(exchange)
    match decision.decision:
        case "allow":
            return await authorization.allow(
                handle,
                session_id=session_id,
                shown_session=decision.session_id,
                shown_scope=decision.scope,
            )
        case "deny":
            return await authorization.deny(handle)
        case "select":
            return await authorization.select(
                handle, session_id=session_id, shown_session=decision.session_id
            )
        case "other":
            return Go(page="sign-in", handle=handle, other=True)
    return Go(page="sign-up", handle=handle, other=True)


def routes(site: Site) -> list[Route]:
    """Return the route. There is no HEAD: to come back may be to be answered, which happens once."""
    resource = Resource(site, others={"GET": _resume}, post=Post(Decision, _decide))
    return [route("/continue/{handle}", resource)]
