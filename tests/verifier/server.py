"""A server under the test's control: real sockets, and answers that a decent server would never give."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from coatcheck.revocation.model import Kind, Position
from tests.verifier.issuer import Issuer

BEAT = 0.1

Script = Callable[["Connection"], None]


class Connection:
    """A request, and how to answer it."""

    def __init__(self, server: Server, handler: BaseHTTPRequestHandler) -> None:
        self.server = server
        self.handler = handler
        parts = urlsplit(handler.path)
        self.path = parts.path
        self.nonce = parse_qs(parts.query).get("nonce", [""])[0]
        self.resumes = Position.parse(handler.headers.get("Last-Event-ID", ""))
        self.authorization = handler.headers.get("Authorization")
        length = int(handler.headers.get("Content-Length") or 0)
        self.body = handler.rfile.read(length) if length else b""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def begin(self, **headers: str) -> None:
        self.handler.send_response(200)
        for name, value in {"Content_Type": "text/event-stream", **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self.handler.wfile.write(frame)
        self.handler.wfile.flush()


def follow(connection: Connection) -> None:
    """Send the ledger as a decent server does, until the server is stopped."""
    server, issuer = connection.server, connection.server.issuer
    with server.lock:
        connection.begin()
        connection.send(*issuer.history(connection.nonce, connection.resumes))
        sent = issuer.position
    while not server.stopped.is_set():
        with server.lock:
            frames = []
            if issuer.position != sent:
                frames.append(issuer.entries_after(sent))
                sent = issuer.position
            if not server.quiet:
                frames.append(issuer.heartbeat(keys=server.digest))
        connection.send(*frames)
        server.changed.wait(BEAT)
        server.changed.clear()


class Server:
    """Answers at a port of this machine. Every route is a script that a test may replace."""

    def __init__(self, *, port: int = 0, issuer: Issuer | None = None) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Event()
        self.stopped = threading.Event()
        self.quiet = False
        self.digest: str | None = None
        self.requests: list[str] = []
        self.forms: list[bytes] = []
        self.authorizations: list[str | None] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self.scripts: dict[str, Script] = {}
        self.sockets: list[Any] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._serve(self)

            do_POST = do_GET  # noqa: N815 - the name is that of the base class

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Broken connections are what this is about."""

        self._http = Quiet(("127.0.0.1", port), Handler)
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = issuer or Issuer(self.url)
        self.issuer.url = self.url
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        connection = Connection(self, handler)
        self.sockets.append(handler.connection)
        self.requests.append(connection.path)
        if connection.path in {"/ledger", "/introspect"}:
            self.authorizations.append(connection.authorization)
        script = self.scripts.get(connection.path)
        if script is not None:
            script(connection)
        elif connection.path.startswith("/.well-known/oauth-authorization-server"):
            connection.answer(200, msgspec.json.encode(self.metadata()))
        elif connection.path == "/keys":
            connection.answer(200, self.issuer.jwks())
        elif connection.path == "/introspect":
            self.forms.append(connection.body)
            secret = parse_qs(connection.body.decode())["token"][0]
            connection.answer(200, msgspec.json.encode(self.sessions.get(secret, {"active": False})))
        elif connection.path == "/ledger":
            follow(connection)
        else:
            connection.answer(404)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "introspection_endpoint": f"{self.url}/introspect",
            "coatcheck_ledger_endpoint": f"{self.url}/ledger",
        }

    def revoke(self, kind: Kind, value: str = "", *, cutoff: float | None = None) -> None:
        with self.lock:
            self.issuer.revoke(kind, value, cutoff=cutoff)
        self.changed.set()

    def count(self, path: str) -> int:
        return self.requests.count(path)

    def stop(self) -> None:
        """Go away as if killed: all connections break."""
        self.stopped.set()
        self.changed.set()
        self._http.shutdown()
        self._http.server_close()
        for each in self.sockets:
            try:
                each.shutdown(2)
            except OSError:
                continue
        self._thread.join()


def eventually(condition: Callable[[], Any], *, within: float = 10.0) -> None:
    """Wait until something holds that comes about elsewhere."""
    ends_at = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends_at, "it did not come about"
        time.sleep(0.005)


def serving() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()
