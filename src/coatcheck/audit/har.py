"""HTTP archives (HAR 1.2) as Chrome, Firefox, Safari and proxies write them. Nothing in them is taken for granted."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from .addresses import parse_address
from .bodies import body_text, form_fields
from .errors import UnreadableRecordingError
from .recording import Exchange, Headers, Message, Recording
from .set_cookie import SetCookie, parse_cookies, parse_date, parse_set_cookie, split_set_cookies

__all__ = ["read_har"]

_MOST_ENTRIES = 100_000
_MOST_FIELDS = 512
_LONGEST_FIELD = 65_536
_LONGEST_NUMBER = 18
_SENSITIVE = frozenset({"cookie", "set-cookie", "authorization"})


def read_har(text: str) -> Recording:
    """Read a HAR.

    Raises:
        UnreadableRecordingError: If it is no JSON that can be read, or holds no list of entries.
    """
    log, repeats = _log(text)
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise UnreadableRecordingError("This is JSON, but no HAR: it has no list log.entries.")
    creator = _creator(log)
    listed = " webkit" in f" {creator.lower()}"
    read = [
        _exchange(entry, number, listed=listed) for number, entry in enumerate(entries[:_MOST_ENTRIES], 1)
    ]
    exchanges = [exchange for exchange in read if exchange is not None]
    notes = [
        f"{count} {words}"
        for count, words in (
            (len(read) - len(exchanges), "of the entries have no form that a HAR has: passed over."),
            (len(entries) - len(read), f"entries after the first {_MOST_ENTRIES:,} were not looked at."),
            (repeats, "objects repeat a name: the last of equal names was taken."),
        )
        if count
    ]
    if exchanges and not any(_is_sensitive(entry) for entry in entries):
        notes.append(
            "No request or answer has a cookie or an Authorization header. If the site uses any, the file was"
            " sanitized when it was exported: cookies, sign-in and CSRF could not be judged. In Chrome, allow"
            " 'HAR (with sensitive data)' in the settings of the developer tools, and export again."
        )
    return Recording(kind="HAR", creator=creator, exchanges=_in_order(exchanges), notes=tuple(notes))


def _log(text: str) -> tuple[dict[str, Any], int]:
    repeats = 0

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats
        members = dict(pairs)
        repeats += len(members) != len(pairs)
        return members

    try:
        document = json.loads(
            text, object_pairs_hook=collect, parse_int=_integer, parse_constant=lambda _: None
        )
    except RecursionError:
        raise UnreadableRecordingError("The JSON is nested deeper than any HAR.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        cut = " It seems to be cut off." if error.pos >= len(text.rstrip()) - 1 else ""
        raise UnreadableRecordingError(f"This begins like JSON, but is none: {where}.{cut}") from None
    log = document.get("log") if isinstance(document, dict) else None
    if not isinstance(log, dict):
        raise UnreadableRecordingError("This is JSON, but no HAR: it has no object 'log'.")
    return log, repeats


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _creator(log: dict[str, Any]) -> str:
    named = [_dict(log.get(member)) for member in ("browser", "creator")]
    words = [f"{_text(each.get('name'))} {_text(each.get('version'))}".strip() for each in named]
    return next((word[:80] for word in words if word), "")


def _is_sensitive(entry: Any) -> bool:
    for side in ("request", "response"):
        message = _dict(_dict(entry).get(side))
        if message.get("cookies"):
            return True
        if any(
            _text(_dict(field).get("name")).lower() in _SENSITIVE for field in _list(message.get("headers"))
        ):
            return True
    return False


def _exchange(entry: Any, number: int, *, listed: bool) -> Exchange | None:
    """Read an entry; ``None`` if it has no request with an address."""
    request, response = _dict(_dict(entry).get("request")), _dict(_dict(entry).get("response"))
    url = _text(request.get("url"))
    if not url:
        return None
    started = _moment(entry.get("startedDateTime"))
    duration = entry.get("time")
    known = isinstance(duration, int | float) and not isinstance(duration, bool) and math.isfinite(duration)
    asked, answered = _headers(request), _headers(response)
    status = response.get("status")
    return Exchange(
        entry=number,
        method=_text(request.get("method"))[:20].upper(),
        address=parse_address(url),
        request=_request(asked, _dict(request.get("postData"))),
        response=_response(answered, _dict(response.get("content"))),
        status=status if type(status) is int and 0 <= status <= 999 else 0,
        cookies_sent=_sent(asked, request),
        cookies_set=_set(answered, response, listed=listed),
        started=started,
        ended=started + max(0.0, duration / 1000) if started is not None and known else started,
        by_script=_by_script(entry, asked),
    )


def _headers(message: dict[str, Any]) -> Headers:
    fields: list[tuple[str, str]] = []
    for each in _list(message.get("headers"))[:_MOST_FIELDS]:
        name, value = _text(_dict(each).get("name")).strip().lower(), _text(_dict(each).get("value"))
        if name:
            fields.extend((name, line.strip()[:_LONGEST_FIELD]) for line in value.split("\n"))
    return Headers(tuple(fields))


def _request(headers: Headers, data: dict[str, Any]) -> Message:
    content_type = _media_type(_text(data.get("mimeType")) or headers.get("content-type"))
    body = body_text(data.get("text"), content_type) or _text(data.get("text"))[:_LONGEST_FIELD]
    pairs = [_dict(each) for each in _list(data.get("params"))[:_MOST_FIELDS]]
    fields = tuple((_text(each.get("name")), _text(each.get("value"))) for each in pairs)
    return Message(
        headers=headers,
        content_type=content_type,
        body=body,
        fields=form_fields(body, content_type) or fields,
    )


def _response(headers: Headers, content: dict[str, Any]) -> Message:
    content_type = _media_type(_text(content.get("mimeType")) or headers.get("content-type"))
    body = body_text(content.get("text"), content_type, content.get("encoding"))
    return Message(headers=headers, content_type=content_type, body=body)


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()[:100]


def _sent(headers: Headers, request: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the cookies of the header; where it was left out, those of the list."""
    if lines := headers.all("cookie"):
        return tuple(pair for line in lines for pair in parse_cookies(line))
    cookies = [_dict(each) for each in _list(request.get("cookies"))[:_MOST_FIELDS]]
    return tuple((_text(each.get("name")), _text(each.get("value"))) for each in cookies if each.get("name"))


def _set(headers: Headers, response: dict[str, Any], *, listed: bool) -> tuple[SetCookie, ...]:
    lines = headers.all("set-cookie")
    if listed:  # Safari writes all of them as one
        lines = [cookie for line in lines for cookie in split_set_cookies(line)]
    if lines:
        cookies = (parse_set_cookie(line) for line in lines)
        return tuple(cookie for cookie in cookies if cookie is not None)
    return tuple(
        SetCookie(
            name=_text(each.get("name")),
            value=_text(each.get("value")),
            domain=_text(each.get("domain")).lstrip(".").lower()[:255] if _is_wide(each) else "",
            path=_text(each.get("path")),
            secure=each.get("secure") is True,
            http_only=each.get("httpOnly") is True,
            same_site=_text(each.get("sameSite")).lower(),
            expires=_moment(each.get("expires")) or parse_date(_text(each.get("expires"))),
        )
        for each in map(_dict, _list(response.get("cookies"))[:_MOST_FIELDS])
        if each.get("name")
    )


def _is_wide(cookie: dict[str, Any]) -> bool:
    """Tell whether the list of cookies, which names a domain for all, means one with its subdomains."""
    return _text(cookie.get("domain")).startswith(".")


def _by_script(entry: dict[str, Any], headers: Headers) -> bool | None:
    kind = _text(entry.get("_resourceType"))
    if kind:
        return kind in {"xhr", "fetch"}
    destination = headers.get("sec-fetch-dest")
    return destination == "empty" if destination else None


def _in_order(exchanges: list[Exchange]) -> tuple[Exchange, ...]:
    if any(exchange.started is None for exchange in exchanges):
        return tuple(exchanges)
    return tuple(sorted(exchanges, key=lambda exchange: (exchange.started or 0.0, exchange.entry)))


def _moment(value: Any) -> float | None:
    """Read a time of ISO 8601, in seconds since 1970; what names no zone is taken for UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value[:64])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
