"""What both drivers have in common: how a request is made of an action, and an answer of a response.

This is where ``httpx`` is imported, and it is imported only when something is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from .actions import Answer, Fetch, Open
from .errors import ConnectionFailedError, UnexpectedAnswerError

__all__ = [
    "AGENT",
    "FAILURES",
    "Body",
    "client_options",
    "failed",
    "fetch_options",
    "open_options",
    "without_body",
]

AGENT: Final = "coatcheck-verifier"

FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
"""Whatever can go wrong on the way."""


def failed(error: BaseException) -> ConnectionFailedError:
    """Return what stands for a failure. Its text may name the address, and never the key."""
    return ConnectionFailedError(
        "The server could not be reached, or the connection broke.",
        detail=f"{type(error).__name__}: {str(error)[:200]}",
    )


def client_options() -> dict[str, Any]:
    """Return what to give to ``httpx`` for a client.

    Plain http goes to the server itself, whatever proxy the environment names: a proxy would be given the service key,
    and could declare any key to be the issuer's. Over https it only passes on what it cannot read.
    """
    return {"follow_redirects": False, "mounts": {"http://": None}}


def fetch_options(action: Fetch) -> dict[str, Any]:
    """Return what to give to ``httpx`` for a request whose answer is read at once."""
    headers = {"accept-encoding": "identity", "user-agent": AGENT, **action.headers}
    options: dict[str, Any] = {"headers": headers, "timeout": action.timeout, "follow_redirects": False}
    if action.form is not None:
        options["data"] = dict(action.form)
    return {"method": "GET" if action.form is None else "POST", "url": action.url, **options}


def open_options(action: Open) -> dict[str, Any]:
    """Return what to give to ``httpx`` for a stream."""
    timeout = httpx.Timeout(action.timeout, read=action.silence)
    headers = {"user-agent": AGENT, **action.headers}
    return {
        "method": "GET",
        "url": action.url,
        "headers": headers,
        "timeout": timeout,
    }


def without_body(response: httpx.Response) -> Answer:
    """Return the answer without its content."""
    return Answer(status=response.status_code, headers=_plain(response.headers))


class Body:
    """Collects the content of an answer, up to a limit."""

    __slots__ = ("_action", "_chunks", "_size")

    def __init__(self, action: Fetch) -> None:
        self._action = action
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes, response: httpx.Response) -> None:
        """Take more of it. Raises ``UnexpectedAnswerError`` if it is too much."""
        self._size += len(chunk)
        if self._size > self._action.limit:
            raise UnexpectedAnswerError(
                f"The answer is longer than {self._action.limit} octets.", answer=response.status_code
            )
        self._chunks.append(chunk)

    def answer(self, response: httpx.Response) -> Answer:
        """Return the answer."""
        return Answer(
            status=response.status_code, headers=_plain(response.headers), body=b"".join(self._chunks)
        )


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
