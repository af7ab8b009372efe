"""A real server that serves the samples, and a real browser to look at them."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
import uvicorn
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coatcheck.web.headers import security_headers
from coatcheck.web.pages import Brand, Pages
from tests.chromium import launched

from .samples import SAMPLES


@dataclass
class Received:
    """A form that arrived at the server."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]


@dataclass
class Site:
    """The server: where it is, and what was posted to it."""

    origin: str
    brand: Brand
    received: list[Received] = field(default_factory=list)

    def url(self, sample: str) -> str:
        return f"{self.origin}/sample/{sample}"


def make_application(site: Site) -> Starlette:
    pages = Pages(site.brand, prefix="/auth", secure=False)

    def sample(request: Request) -> Response:
        return pages.render(SAMPLES[request.path_params["name"]], status=200)

    def static(request: Request) -> Response:
        response = pages.static_response(request.path_params["name"])
        assert response is not None
        return response

    async def receive(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), strict_parsing=True))
        site.received.append(Received(request.url.path, fields, dict(request.headers)))
        response = Response("received", media_type="text/plain", status_code=200)
        response.raw_headers += security_headers(nonce=None, https=False, document=True)
        return response

    return Starlette(
        routes=[
            Route("/sample/{name}", sample),
            Route("/auth/static/{name}", static),
            Route("/auth/{path:path}", receive, methods=["POST"]),
        ]
    )


@pytest.fixture(scope="module")
def running_site() -> Iterator[Site]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        site = Site(f"http://127.0.0.1:{listening.getsockname()[1]}", Brand())
        config = uvicorn.Config(make_application(site), log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield site
        server.should_exit = True
        thread.join()


@pytest.fixture
def site(running_site: Site) -> Site:
    running_site.received.clear()
    return running_site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser
