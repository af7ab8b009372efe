"""Requests to an application in the same process: no network, no server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
HeaderList = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: HeaderList = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Collect what the application sends."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


def get_scope(headers: HeaderList) -> dict[str, Any]:
    """A request for the protected route, as uvicorn would hand it over. To be copied for each call."""
    return _scope("GET", "/me", [(b"host", b"127.0.0.1:8000"), *headers])


async def post(app: Application, path: str, body: bytes, *, content_type: str = "application/json") -> Answer:
    """Send a body and return what came back; an answer that is no success raises."""
    answer = Answer()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [
        (b"host", b"127.0.0.1:8000"),
        (b"accept", b"application/json"),
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await app(_scope("POST", path, headers), receive, answer.take)
    if answer.status >= 300:
        raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:200]!r}")
    return answer


async def post_json(app: Application, path: str, body: Mapping[str, object]) -> Answer:
    """Send JSON."""
    return await post(app, path, json.dumps(body).encode())


def _scope(method: str, path: str, headers: HeaderList) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
