"""The routes by which the provider is administered: who asks, and what JSON they send.

A browser comes with its cookie, and proves where it comes from; a program of the site comes with a user's token; a
machine comes with a token of its own (client_credentials). One function finds who it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.routing import Route

from ..flows.errors import NotSignedInError
from ..flows.provider.administering import Administrator, administering_machine, administering_user
from .bodies import read_document, typed
from .exchange import Exchange
from .gate import bearer_token
from .requests import Fields
from .resource import Get, Resource, route
from .site import Site

__all__ = ["Handler", "administered", "administrator_of"]

AnyFields = TypeVar("AnyFields", bound=Fields)

Handler = Callable[[Exchange, AnyFields, Administrator], Awaitable[Response]]
"""What is done with a body; the last argument is who does it."""

_MAX_DEPTH = 8  # a key in a set of keys in metadata in the body


async def administrator_of(
    exchange: Exchange, *, scope: str, body: dict[str, Any] | None = None
) -> Administrator:
    """Return who asks, if they may administer.

    Args:
        exchange: The request.
        scope: What they need, if not ``coatcheck:admin``.
        body: What was sent with a request that changes something. The anti-forgery token is taken out of it.

    Raises:
        NotSignedInError: If nobody has shown who they are.
        CrossSiteRequestError: If something is to be changed by a cookie, and maybe not by its owner.
        CoatcheckError: What ``administering_machine`` and ``administering_user`` raise.
    """
    context, token = exchange.flows.context, bearer_token(exchange.request.scope["headers"])
    if token is not None:
        machine = await administering_machine(context, token, scope=scope)
        if machine is not None:
            return machine
    if body is not None:
        await exchange.check_same_site(body)
    known = await exchange.known()
    if known is None:
        raise NotSignedInError
    # A token that a client got is good here for what was granted to it: the scope is what counts.
    return administering_user(context, known.identity, scope=scope, changes=body is not None)


def administered(
    site: Site,
    path: str,
    *,
    scope: str,
    get: Callable[[Exchange], Awaitable[Response]] | None = None,
    post: tuple[type[AnyFields], Handler[AnyFields]] | None = None,
) -> Route:
    """Return a route that only administrators may use.

    Args:
        site: What routes hand requests on to.
        path: Where it is, below the prefix.
        scope: What they need, if not ``coatcheck:admin``.
        get: What answers GET.
        post: What a JSON body says, and what is done with it.
    """

    async def show(exchange: Exchange) -> Response:
        assert get is not None  # noqa: S101 - otherwise there is no such method
        await administrator_of(exchange, scope=scope)
        return await get(exchange)

    async def change(exchange: Exchange) -> Response:
        assert post is not None  # noqa: S101 - otherwise there is no such method
        kind, handler = post
        body = await read_document(exchange.request, max_depth=_MAX_DEPTH)
        administrator = await administrator_of(exchange, scope=scope, body=body)
        return await handler(exchange, typed(body, kind), administrator)

    others: dict[str, Get] = {} if post is None else {"POST": change}
    return route(path, Resource(site, get=None if get is None else show, others=others, always_json=True))
