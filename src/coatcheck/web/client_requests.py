"""Requests by which clients ask for themselves: their parameters, read once, and what they say of the client.

Parameters are those of OAuth (RFC 6749 section 3.2): unknown ones are passed over, empty ones are as if they were not
there, and repeated ones are refused, but for ``resource`` (RFC 8707 section 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import Scope

from ..oauth.client_authentication.model import Credentials
from ..oauth.errors import InvalidRequestError
from .bodies import MAX_FIELDS, parse_json, read_body
from .content_type import JSON
from .exchange import Exchange

__all__ = ["ClientRequest", "parse_parameters", "read_client_request"]

_RESOURCE: Final = b"resource"
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class ClientRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request of a client.

    Attributes:
        parameters: What it says, each once; what is empty is not there. ``resource`` is in ``resources``.
        resources: The ``resource`` parameters, in their order.
        credentials: What it says of its client.
    """

    parameters: Mapping[str, str]
    resources: tuple[str, ...]
    credentials: Credentials

    def __repr__(self) -> str:
        return "<ClientRequest>"


async def read_client_request(exchange: Exchange) -> ClientRequest:
    """Return what the body of a request, a form or JSON, and its ``Authorization`` header say.

    Raises:
        InvalidRequestError: If a parameter is repeated or malformed.
        RequestError: What ``bodies.read_body`` raises.
        ClientDisconnect: If the client has gone.
    """
    kind, body = await read_body(exchange.request)
    parameters, resources = _members(parse_json(body)) if kind == JSON else parse_parameters(body)
    get = parameters.get
    credentials = Credentials(
        authorization=_authorization(exchange.request.scope),
        client_id=get("client_id"),
        client_secret=get("client_secret"),
        client_assertion=get("client_assertion"),
        client_assertion_type=get("client_assertion_type"),
    )
    return ClientRequest(parameters=parameters, resources=resources, credentials=credentials)


def parse_parameters(body: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parameters of a form, and its ``resource`` parameters.

    Raises:
        InvalidRequestError: If there are too many, one is repeated, or one is not UTF-8 in percent-encoding.
    """
    pairs = body.split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise InvalidRequestError(f"The request has more than {MAX_FIELDS} parameters.")
    if b"%" in body and _BROKEN_ESCAPE.search(body):
        raise InvalidRequestError("A percent sign is not followed by two hexadecimal digits.")
    parameters: dict[str, str] = {}
    resources: list[str] = []
    names: set[str] = set()
    for pair in pairs:
        encoded, _, value = pair.partition(b"=")
        if encoded == _RESOURCE:
            if value:
                resources.append(_text(value))
            continue
        name = _text(encoded)
        if name in names:
            raise InvalidRequestError("A parameter is there twice.")
        if name:
            names.add(name)
        if value:
            parameters[name] = _text(value)
    return parameters, tuple(resources)


def _text(encoded: bytes) -> str:
    try:
        if b"%" in encoded or b"+" in encoded:
            encoded = unquote_to_bytes(encoded.replace(b"+", b" "))
        return encoded.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequestError("The request is not in UTF-8.") from None


def _members(members: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the same of a JSON object, as this site's own scripts send it."""
    resource = members.pop("resource", ())
    resources = [resource] if isinstance(resource, str) else resource
    if not isinstance(resources, list | tuple) or not all(isinstance(each, str) for each in resources):
        raise InvalidRequestError("The parameter resource is not text.", field="resource")
    if not all(isinstance(value, str) or value is None for value in members.values()):
        raise InvalidRequestError("A parameter is not text.")
    given = {name: value for name, value in members.items() if value}
    return given, tuple(each for each in resources if each)


def _authorization(scope: Scope) -> str | None:
    """Return the header by which a client authenticates. A bearer token is no client's secret, and is passed over.

    Raises:
        InvalidRequestError: If there are several.
    """
    found: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not found:
        return None
    if len(found) > 1:
        raise InvalidRequestError("There is more than one Authorization header.")
    header = found[0].decode("latin-1")
    return None if header[:7].lower() == "bearer " else header
