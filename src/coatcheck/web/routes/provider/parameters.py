"""Reading the parameters of an authorization request, from the query or from a form.

Nothing is refused here but what cannot be read at all: whether a parameter may be there twice, or what it may say,
depends on where the error has to be told.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from ....oauth.errors import UnsafeRequestError
from ....oauth.parameters import Parameters
from ...bodies import read_body
from ...content_type import FORM
from ...exchange import Exchange

__all__ = ["MAX_OCTETS", "parse_parameters", "read_parameters"]

MAX_OCTETS: Final = 32_768
"""Of a query or a form."""

_MOST: Final = 64
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


async def read_parameters(exchange: Exchange) -> Parameters:
    """Return the parameters of a request, of the query for GET and of the form for POST.

    Raises:
        UnsafeRequestError: As ``parse_parameters``, or if the body is no form.
        RequestError: What ``bodies.read_body`` raises.
        ClientDisconnect: If the client has gone.
    """
    if exchange.request.method != "POST":
        return parse_parameters(exchange.request.scope["query_string"])
    kind, body = await read_body(exchange.request)
    if kind != FORM:  # OpenID Connect Core section 13.2
        raise UnsafeRequestError("The request is no form.")
    return parse_parameters(body)


def parse_parameters(text: bytes) -> Parameters:
    """Return the parameters of a query or a form (WHATWG URL section 5.1), without those that are empty.

    Raises:
        UnsafeRequestError: If it is too long, or cannot be read in one way only.
    """
    pairs = text.split(b"&", _MOST)
    if len(text) > MAX_OCTETS or len(pairs) > _MOST:
        raise UnsafeRequestError("The request is too long.")
    if _BROKEN_ESCAPE.search(text):
        raise UnsafeRequestError("The request cannot be read: a percent sign is not followed by two digits.")
    return Parameters.of(map(_decoded, pairs))


def _decoded(pair: bytes) -> tuple[str, str]:
    name, _, value = pair.partition(b"=")
    return _text(name), _text(value)


def _text(encoded: bytes) -> str:
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise UnsafeRequestError("The request cannot be read: it is not in UTF-8.") from None
