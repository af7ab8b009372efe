"""A receiver of pushed events, as a real server of its own that behaves as it is told."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt


@dataclass
class Answer:
    """What a receiver says. By default, that it has the event."""

    status: int = 202
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


class Receiver:
    """What was received, and what is said to it."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answers: list[Answer] = []
        self.lasting: Answer = Answer()
        self._changed = threading.Condition()

    def take(self, headers: dict[str, str], body: str) -> Answer:
        with self._changed:
            self.requests.append((headers, body))
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else self.lasting

    def wait_for(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, seconds), self.seen

    def wait(self, count: int, seconds: float = 30.0) -> None:
        """Wait until there were so many requests."""
        self.wait_for(lambda: len(self.requests) >= count, seconds)

    @property
    def claims(self) -> list[dict[str, Any]]:
        return [jwt.decode(body, options={"verify_signature": False}) for _, body in self.requests]

    @property
    def seen(self) -> list[str]:
        """The sessions that it was told of, or the kind of event where it was something else."""
        return [
            each["sub_id"].get("session", {}).get("id") or next(iter(each["events"])).rpartition("/")[2]
            for each in self.claims
        ]


@contextmanager
def receiving(
    *, port: int = 0, receiver: Receiver | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[Receiver, int]]:
    """Serve a receiver on this machine; give it and its port."""
    known = Receiver() if receiver is None else receiver

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode("ascii")
            headers = {name.lower(): value for name, value in self.headers.items()} | {":path": self.path}
            answer = known.take(headers, body)
            if answer.hold is not None:
                answer.hold.wait(30)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a sender that goes away, or does not trust the certificate

    with Server(("127.0.0.1", port), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield known, server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def refusal(err: str, description: str = "no") -> Answer:
    body = json.dumps({"err": err, "description": description}).encode()
    return Answer(status=400, body=body, headers={"Content-Type": "application/json"})
