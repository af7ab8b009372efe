"""Development only: the token inspector.

What is pasted goes to this program on this machine, in the body of a request, and is forgotten with the answer: it is
in no address, no log and no storage.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from ..._core import json
from ...inspection import inspect, read
from ...jose import Key, jwt
from ...jose.algorithms import SIGNATURE
from ...jose.errors import MalformedTokenError
from ..exchange import Exchange
from ..pages.inspector_views import FilledView, InspectorView
from ..resource import Post, Resource, route
from ..site import Site
from ..token_verdict import Asked, OwnKeys, verify
from ..token_view import cleaned, show

__all__ = ["routes"]

_PATH: Final = "/dev/token"
_ALGORITHMS: Final = tuple(name for name, algorithm in SIGNATURE.items() if not algorithm.deprecated)
_OPAQUE: Final = (
    "If it is a session ID or another opaque token, there is nothing in it to read: that is its strength."
)


async def _start(exchange: Exchange) -> Response:
    return await exchange.page(_page(exchange))


async def _inspect(exchange: Exchange, asked: Asked) -> Response:
    now = exchange.clock()
    if asked.example:
        asked = _example(now)
    text = cleaned(asked.token)
    page = replace(_page(exchange), asked=_filled(asked))
    if not text:
        return await exchange.page(page)
    try:
        reading = read(text)
    except MalformedTokenError as error:
        trouble = error.message if "." in text or "{" in text else f"{error.message} {_OPAQUE}"
        return await exchange.page(replace(page, trouble=trouble))
    own = OwnKeys(page.issuer, await exchange.flows.context.access_tokens.keys.key_set())
    verified = verify(text, reading, asked, own=own, now=now)
    filled = replace(page.asked, key=asked.key if verified.key_is_public else "")
    token = show(text, reading=reading, report=inspect(text, now), verdict=verified.verdict)
    return await exchange.page(replace(page, asked=filled, token=token))


def _page(exchange: Exchange) -> InspectorView:
    return InspectorView(issuer=exchange.flows.context.access_tokens.issuer, algorithms=_ALGORITHMS)


def _filled(asked: Asked) -> FilledView:
    return FilledView(
        token=asked.token,
        alg=asked.alg,
        encoding=asked.encoding,
        issuer=asked.issuer,
        audience=asked.audience,
        typ=asked.typ,
    )


def _example(now: float) -> Asked:
    """Return a token to play with, and its key: both made now, and good for nothing."""
    key = Key.generate("ES256", kid="example")
    signer = jwt.Signer(
        key,
        issuer="https://id.example",
        audience="https://api.example",
        typ="at+jwt",
        lifetime=timedelta(minutes=15),
    )
    claims = {"sub": "ada", "scope": "orders:read", "roles": ["clerk"], "email": "ada@example.com"}
    return Asked(token=signer.sign(claims, now=now), key=json.encode(key.to_jwk()).decode())


def routes(site: Site) -> list[Route]:
    """Return the routes; none outside of development."""
    if not site.options.development:
        return []
    return [route(_PATH, Resource(site, get=_start, post=Post(Asked, _inspect)))]
