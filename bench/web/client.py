"""Single requests to a program under test: to sign in, and to see that it does what is timed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlencode

_TIMEOUT = 30.0


class UnexpectedAnswerError(Exception):
    """A program did not answer as it should: it is not timed."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def cookies(self) -> dict[str, str]:
        """The header that sends the cookies of this answer back."""
        pairs = [value.partition(";")[0] for value in self.headers.get_all("Set-Cookie", [])]
        return {"Cookie": "; ".join(pair for pair in pairs if not pair.endswith("="))}


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Fetch something, as a client of an API would."""
    return _exchange(port, "GET", path, b"", {"Accept": "application/json"} | dict(headers or {}))


def post_json(port: int, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Send JSON; an answer that is no success raises."""
    sent = {"Content-Type": "application/json", "Accept": "application/json"} | dict(headers or {})
    return _successful(path, _exchange(port, "POST", path, json.dumps(body).encode(), sent))


def post_form(
    port: int, path: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a form; an answer that is no success raises."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | dict(headers or {})
    return _successful(path, _exchange(port, "POST", path, urlencode(fields).encode(), sent))


def _exchange(port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def _successful(path: str, answer: Answer) -> Answer:
    if answer.status >= 300:
        raise UnexpectedAnswerError(f"{path} answered {answer.status}: {answer.body[:200]!r}")
    return answer
