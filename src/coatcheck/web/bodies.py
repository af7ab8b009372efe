"""Reading what a request says: bounded in size and time, strict in form, decoded once into a typed value.

What two readers could understand differently is refused: repeated names, broken percent-encoding, text that is not
UTF-8, nested JSON. An error names the field, and never repeats what stood in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import ClientDisconnect, Request

from .._core.json import JSONError, decode_object
from .content_type import FORM, JSON, charset, media_type
from .errors import BodyTimeoutError, BodyTooLargeError, MalformedRequestError, UnsupportedContentError
from .requests import Fields

__all__ = [
    "MAX_FIELDS",
    "MAX_OCTETS",
    "TIMEOUT",
    "parse_json",
    "parse_pairs",
    "read_body",
    "read_document",
    "read_fields",
    "typed",
]

MAX_OCTETS = 65_536
"""Of a body. The longest password has at most a kilobyte."""

MAX_FIELDS = 32
"""In a form or a query."""

TIMEOUT = 10.0
"""Seconds until the whole body must have arrived."""

_MAX_DEPTH = 2  # the object, and a list in a field that is ignored
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MISSING_FIELD = re.compile(r"missing required field `(\w+)`")
_WRONG_FIELD = re.compile(r"at `\$\.(\w+)`")

AnyFields = TypeVar("AnyFields", bound=Fields)


async def read_fields(request: Request) -> dict[str, Any]:
    """Return the members of a request's body, form or JSON. An empty body without a content type has none.

    Raises:
        BodyTooLargeError: If it has more than ``MAX_OCTETS``.
        BodyTimeoutError: If it does not arrive within ``TIMEOUT`` seconds.
        UnsupportedContentError: If it is neither a form nor JSON, not in UTF-8, or compressed.
        MalformedRequestError: If it breaks its format.
        ClientDisconnect: If the client has gone.
    """
    kind, body = await read_body(request)
    return parse_json(body) if kind == JSON else dict(parse_pairs(body))


async def read_body(request: Request) -> tuple[str, bytes]:
    """Return a request's body, and which of the two kinds it is of. One without a content type is an empty form.

    Raises:
        BodyTooLargeError: As ``read_fields``.
        BodyTimeoutError: As ``read_fields``.
        UnsupportedContentError: As ``read_fields``.
        MalformedRequestError: If it has two content types.
        ClientDisconnect: If the client has gone.
    """
    content_type = request.headers.getlist("content-type")
    if len(content_type) > 1:
        raise MalformedRequestError("The request has more than one Content-Type.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedContentError("The body is compressed. Send it as it is.")
    if not content_type:
        if await _read(request):
            raise UnsupportedContentError(f"The request does not say what it sends. Send {FORM} or {JSON}.")
        return FORM, b""
    return _supported(content_type[0]), await _read(request)


async def read_document(request: Request, *, max_depth: int) -> dict[str, Any]:
    """Return the members of a body that is a JSON object, and may nest. Without a content type it is taken for JSON.

    For routes whose power does not come from a cookie: a page elsewhere can have a browser send JSON, too, if it need
    not say so.

    Raises:
        BodyTooLargeError: As ``read_fields``.
        BodyTimeoutError: As ``read_fields``.
        UnsupportedContentError: If it is of another kind, not in UTF-8, or compressed.
        MalformedRequestError: If it is none.
        ClientDisconnect: If the client has gone.
    """
    content_type = request.headers.getlist("content-type") or [JSON]
    if len(content_type) > 1:
        raise MalformedRequestError("The request has more than one Content-Type.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedContentError("The body is compressed. Send it as it is.")
    if _supported(content_type[0]) != JSON:
        raise UnsupportedContentError(f"Bodies of this kind are not read here. Send {JSON}.")
    try:
        return decode_object(await _read(request), max_depth=max_depth)
    except JSONError:
        raise MalformedRequestError(
            "The body is not a JSON object in UTF-8 that names each member once."
        ) from None


def _supported(content_type: str) -> str:
    kind = media_type(content_type)
    if kind not in {FORM, JSON}:
        raise UnsupportedContentError(f"Bodies of this kind are not read here. Send {FORM} or {JSON}.")
    if charset(content_type) not in {None, "utf-8", "utf8"}:
        raise UnsupportedContentError("Bodies in this charset are not read here. Send UTF-8.")
    return kind


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    # A number that is none is the server's to refuse. int() would read hundreds of digits, slowly.
    if len(announced) > 9 or (announced.isdecimal() and int(announced) > MAX_OCTETS):
        raise _too_large()
    chunks, octets = list[bytes](), 0
    try:
        async with asyncio.timeout(TIMEOUT):
            # Not Request.stream(): nearly always all comes at once, and a generator around it costs more than that.
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                octets += len(chunks[-1])
                if octets > MAX_OCTETS:
                    raise _too_large()
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyTimeoutError("The request did not arrive in time.") from None
    return b"".join(chunks)


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"The request is too large: at most {MAX_OCTETS} bytes are read.")


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the members of a flat JSON object.

    Raises:
        MalformedRequestError: If it is none, nests, or names a member twice.
    """
    try:
        return decode_object(body, max_depth=_MAX_DEPTH)
    except JSONError:
        raise MalformedRequestError(
            "The body is not a JSON object in UTF-8 that is flat and names each member once."
        ) from None


def parse_pairs(text: bytes) -> Mapping[str, str]:
    """Return the fields of a form, or of a query, which is written in the same way (WHATWG URL section 5.1).

    Raises:
        MalformedRequestError: If there are too many, one is there twice, has no ``=``, or is not UTF-8.
    """
    if not text:
        return {}
    pairs = text.split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise MalformedRequestError(f"The request has more than {MAX_FIELDS} fields.")
    if _BROKEN_ESCAPE.search(text):
        raise MalformedRequestError(
            "A percent sign in the request is not followed by two hexadecimal digits."
        )
    fields: dict[str, str] = {}
    for pair in pairs:
        name, mark, value = pair.partition(b"=")
        key = _text(name)
        if not mark:
            raise MalformedRequestError("The request has a field without a value.")
        if key in fields:
            raise MalformedRequestError("The request has a field twice.")
        fields[key] = _text(value)
    return fields


def _text(encoded: bytes) -> str:
    try:
        return unquote_plus(encoded.decode("utf-8"), encoding="utf-8", errors="strict")
    except UnicodeDecodeError:
        raise MalformedRequestError("The request is not in UTF-8.") from None


def typed(fields: Mapping[str, Any], kind: type[AnyFields]) -> AnyFields:
    """Return the fields as a value of that kind.

    Raises:
        MalformedRequestError: If one is missing or of the wrong type. It says which.
    """
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        if missing := _MISSING_FIELD.search(text):
            name = missing.group(1)
            raise MalformedRequestError(f"The field {name} is missing.", field=name) from None
        wrong = _WRONG_FIELD.search(text)
        name = wrong.group(1) if wrong else ""
        raise MalformedRequestError(
            f"The field {name} is not what it should be." if name else "A field is not what it should be.",
            field=name,
        ) from None
