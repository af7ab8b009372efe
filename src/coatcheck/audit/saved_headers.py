"""Headers as people save them: ``curl -i``, ``curl --dump-header``, ``curl -v``, or copied from a browser."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec

from .addresses import Address, parse_address
from .bodies import body_text, form_fields
from .errors import UnreadableRecordingError
from .recording import Exchange, Headers, Message, Recording
from .set_cookie import parse_cookies, parse_date, parse_set_cookie

__all__ = ["looks_like_headers", "read_headers"]

_STATUS = re.compile(r"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?:[ \t].*)?")
_REQUEST = re.compile(r"([A-Z]{3,10})[ \t]+(\S+)(?:[ \t]+HTTP/\d(?:\.\d)?)?")
_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}):[ \t]*(.*)")
_NAME = re.compile(r":?[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}:")
_IN_TURN = 2
_PSEUDO = re.compile(r":(authority|method|path|scheme|status):?[ \t]+(.*)")
_TLS = re.compile(r"SSL connection|TLSv1|ALPN|OPENED stream .{0,20}https://|port 443", re.IGNORECASE)
_CONNECTED = re.compile(r"Connected to|Established connection|Trying ", re.IGNORECASE)
_MOST_MESSAGES = 10_000
_MOST_FIELDS = 512
_LONGEST_FIELD = 65_536
_PARTIAL = (
    "The file begins with fields, not with a request or a status: they were taken for those of an answer."
)


class _Block(msgspec.Struct):
    """A message as it stands there."""

    is_request: bool
    method: str = ""
    target: str = ""
    status: int = 0
    scheme: str = ""
    fields: list[tuple[str, str]] = msgspec.field(default_factory=list)
    body: list[str] = msgspec.field(default_factory=list)


def looks_like_headers(text: str) -> bool:
    """Tell whether a text begins with a message's first line, a field, or what ``curl -v`` says."""
    lines = [line for line in text[:65_536].splitlines() if line.strip()][:40]
    return any(
        _STATUS.fullmatch(bare := line.removeprefix("< ").removeprefix("> ").strip())
        or (_REQUEST.fullmatch(bare) and "HTTP/" in bare)
        or _FIELD.fullmatch(bare)
        or _PSEUDO.fullmatch(bare)
        for line in lines
    )


def read_headers(text: str) -> Recording:
    """Read saved headers.

    Raises:
        UnreadableRecordingError: If there is no message in them.
    """
    lines = text.splitlines()
    # Only what curl -v says itself, before any body: a body may say anything.
    head = itertools.takewhile(str.strip, itertools.dropwhile(lambda line: not line.strip(), lines))
    verbose = any(line.startswith(("< HTTP/", "> GET ", "> POST ")) for line in head)
    blocks = list(_verbose(lines) if verbose else _plain(_joined(lines)))[:_MOST_MESSAGES]
    if not blocks:
        raise UnreadableRecordingError("There is no request and no answer in this text.")
    exchanges = tuple(_exchange(number, *pair) for number, pair in enumerate(_pairs(blocks), 1))
    bare = any(not block.is_request and not block.status for block in blocks)
    return Recording(kind="headers", exchanges=exchanges, notes=(_PARTIAL,) if bare else ())


def _joined(lines: list[str]) -> list[str]:
    """Put names and values together where they are on lines in turn, as some browsers copy them."""
    bare = [_NAME.fullmatch(line.strip()) is not None for line in lines]
    if sum(bare) < _IN_TURN or sum(bare) < len(lines) // 3:
        return lines
    joined: list[str] = []
    rest = iter(enumerate(lines))
    for number, line in rest:
        has_value = bare[number] and number + 1 < len(lines) and not bare[number + 1]
        joined.append(f"{line.strip()} {next(rest)[1].strip()}" if has_value else line)
    return joined


def _plain(lines: list[str]) -> Iterator[_Block]:
    """Read messages one after the other, each with its body, if it has one."""
    block: _Block | None = None
    in_body = False
    for line in lines:
        first = _first_line(line)
        if first is not None:
            if block is not None:
                yield block
            block, in_body = first, False
        elif in_body and block is not None:
            block.body.append(line)
        elif not line.strip():
            in_body = block is not None
        elif (field := _FIELD.fullmatch(line.strip())) is not None:
            block = block or _Block(is_request=False)
            _add(block, field[1], field[2])
        elif (pseudo := _PSEUDO.fullmatch(line.strip())) is not None:
            block = block or _Block(is_request=pseudo[1] != "status")
            _add_pseudo(block, pseudo[1], pseudo[2])
    if block is not None:
        yield block


def _verbose(lines: list[str]) -> Iterator[_Block]:
    """Read what ``curl -v`` writes; the lines of the body have no mark."""
    block: _Block | None = None
    scheme = ""
    for line in lines:
        mark, content = line[:2], line[2:]
        if mark == "* ":
            if _CONNECTED.search(content):
                scheme = "https" if "port 443" in content else "http"
            elif _TLS.search(content):
                scheme = "https"
        elif mark in {"> ", "< "} and (first := _first_line(content)) is not None:
            if block is not None:
                yield block
            block = first
            block.scheme = scheme
        elif mark in {"> ", "< "} and block is not None and (field := _FIELD.fullmatch(content.strip())):
            _add(block, field[1], field[2])
        elif block is not None and mark not in {"> ", "< ", "* ", "{ ", "} "} and line not in {">", "<"}:
            block.body.append(line)
    if block is not None:
        yield block


def _first_line(line: str) -> _Block | None:
    bare = line.strip()
    if status := _STATUS.fullmatch(bare):
        return _Block(is_request=False, status=int(status[1]))
    if "HTTP/" in bare and (request := _REQUEST.fullmatch(bare)):
        return _Block(is_request=True, method=request[1], target=request[2])
    return None


def _add(block: _Block, name: str, value: str) -> None:
    if len(block.fields) < _MOST_FIELDS:
        block.fields.append((name.lower(), value.strip()[:_LONGEST_FIELD]))


def _add_pseudo(block: _Block, name: str, value: str) -> None:
    """Take what HTTP/2 writes in the place of a first line (RFC 9113 section 8.3)."""
    value = value.strip()
    if name == "method":
        block.method = value
    elif name == "path":
        block.target = value
    elif name == "scheme":
        block.scheme = value
    elif name == "authority":
        block.fields.append(("host", value))
    elif value.isascii() and value.isdigit() and len(value) == 3:
        block.status = int(value)


def _pairs(blocks: list[_Block]) -> Iterator[tuple[_Block | None, _Block | None]]:
    """Put each answer to the request before it."""
    request: _Block | None = None
    for block in blocks:
        if block.is_request:
            if request is not None:
                yield request, None
            request = block
        else:
            yield request, block
            # What only announces the real answer leaves the request open (RFC 9110 section 15.2).
            request = request if 100 <= block.status < 200 else None
    if request is not None:
        yield request, None


def _exchange(number: int, request: _Block | None, response: _Block | None) -> Exchange:
    asked = _message(request)
    answered = _message(response)
    now = parse_date(answered.headers.get("date"))
    set_cookies = (parse_set_cookie(line) for line in answered.headers.all("set-cookie"))
    return Exchange(
        entry=number,
        method=request.method[:20].upper() if request else "",
        address=_address(request, asked) if request else Address(),
        request=asked,
        response=answered,
        status=response.status if response else 0,
        cookies_sent=tuple(pair for line in asked.headers.all("cookie") for pair in parse_cookies(line)),
        cookies_set=tuple(cookie for cookie in set_cookies if cookie is not None),
        started=now,
        ended=now,
    )


def _message(block: _Block | None) -> Message:
    if block is None:
        return Message()
    headers = Headers(tuple(block.fields))
    content_type = headers.get("content-type").partition(";")[0].strip().lower()[:100]
    body = body_text("\n".join(block.body), content_type)
    return Message(
        headers=headers, content_type=content_type, body=body, fields=form_fields(body, content_type)
    )


def _address(request: _Block, message: Message) -> Address:
    if "://" in request.target[:12]:
        return parse_address(request.target)
    host = message.headers.get("host")
    address = parse_address(f"{request.scheme or 'https'}://{host}{request.target}")
    return address if request.scheme else msgspec.structs.replace(address, scheme="")
