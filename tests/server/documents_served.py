"""Somebody's web server, as a real one on this machine, that answers as it is told."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is answered."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    announced: bool = True  # whether its length is said before
    hold: threading.Event | None = None  # until which the rest of it is not sent


@dataclass
class Web:
    """What was asked for, and what is answered."""

    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0


@contextmanager
def web(*, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> Iterator[Web]:
    """Serve pages on this machine."""
    known = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = known.pages.get(self.path, Page(status=404))
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.announced:
                self.send_header("Content-Length", str(len(page.body)))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(page.body)
            self.wfile.flush()
            if page.hold is not None:
                page.hold.wait(30)
            self.close_connection = not page.announced

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that goes away, or does not trust the certificate

    with Server((address, 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        known.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield known
        finally:
            server.shutdown()
            thread.join()
