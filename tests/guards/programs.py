"""The programs of docs/services.md, as they stand there but for the ports, each on a real server."""

import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

PAGE = Path(__file__).parents[2] / "docs" / "services.md"
_FENCE = re.compile(r"^```python\n# (orders_\w+)\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCES = {match[1]: match[2] for match in _FENCE.finditer(PAGE.read_text(encoding="utf-8"))}


ISSUER = "http://localhost:8000"
AUDIENCE = "http://localhost:8001"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def load(name: str, *, issuer: str) -> ModuleType:
    """Execute a program of the page, as a module."""
    module = ModuleType(name)
    sys.modules[name] = module  # where frameworks look their applications up
    source = SOURCES[name].replace(ISSUER, issuer)
    exec(compile(source, f"{PAGE}: {name}", "exec"), module.__dict__)  # noqa: S102
    return module


@contextmanager
def uvicorn_server(application: Any, *, port: int = 0) -> Iterator[str]:
    """Serve an ASGI application, lifespan and all, in an event loop of its own."""
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_config=None, loop="asyncio")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def startup_and_tell(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        started.set()

    server.startup = startup_and_tell  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


class ThreadingWSGIServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _in_thread(server: Any) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


def wsgi_server(application: Any) -> Any:
    """Serve a WSGI application, each request in a thread."""
    made = make_server("127.0.0.1", 0, application, server_class=ThreadingWSGIServer, handler_class=Quiet)
    return _in_thread(made)


def http_server(handler: Any) -> Any:
    """Serve with what the standard library has for it."""
    quiet = type("Quiet", (handler,), {"log_message": lambda *_: None})
    return _in_thread(ThreadingHTTPServer(("127.0.0.1", 0), quiet))


FRAMEWORKS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "fastapi": ("orders_fastapi", uvicorn_server, "app"),
    "starlette": ("orders_starlette", uvicorn_server, "app"),
    "litestar": ("orders_litestar", uvicorn_server, "app"),
    "django-asgi": ("orders_django", uvicorn_server, "asgi_application"),
    "django-wsgi": ("orders_django", wsgi_server, "application"),
    "flask": ("orders_flask", wsgi_server, "app"),
    "asgi": ("orders_asgi", uvicorn_server, "app"),
    "wsgi": ("orders_wsgi", wsgi_server, "application"),
    "plain": ("orders_plain", http_server, "Orders"),
}
"""By name: the program, how it is served, and what of it."""


class Programs:
    """Runs programs when they are asked for, and each once."""

    def __init__(self, *, issuer: str) -> None:
        self._issuer = issuer
        self._modules: dict[str, ModuleType] = {}
        self._urls: dict[str, str] = {}
        self._running = ExitStack()

    def module(self, name: str) -> ModuleType:
        """Return a program of the page."""
        if name not in self._modules:
            self._modules[name] = load(name, issuer=self._issuer)
        return self._modules[name]

    def url(self, framework: str) -> str:
        """Return where the program of a framework is served."""
        if framework not in self._urls:
            name, serve, attribute = FRAMEWORKS[framework]
            served = serve(getattr(self.module(name), attribute))
            self._urls[framework] = self._running.enter_context(served)
        return self._urls[framework]

    def close(self) -> None:
        """Stop all of them."""
        self._running.close()
