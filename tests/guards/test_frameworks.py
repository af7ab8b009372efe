"""What one framework has and another has not."""

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest
from django.middleware.csrf import CsrfViewMiddleware
from django.test import RequestFactory
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from flask import Flask, g
from litestar import Litestar, WebSocket, get, websocket
from litestar.di import NamedDependency
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coatcheck.guards import asgi, django, flask, litestar, starlette, wsgi
from coatcheck.verifier import Principal
from coatcheck.verifier.errors import VerifierConfigurationError
from tests.flows.world import asynchronous
from tests.guards.programs import AUDIENCE, ISSUER, Programs, wsgi_server
from tests.guards.stand_in import StandIn

READER = {"Authorization": "Bearer reader:orders.read"}
FRAMEWORKS = {"django", "fastapi", "flask", "grpc", "litestar", "starlette"}
OWNER = {"Authorization": "Bearer owner:orders.read:orders.write"}


@pytest.fixture
def verifier() -> Any:
    return StandIn(ISSUER, audience=AUDIENCE)


async def ask(
    app: Any, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await client.request(method, path, headers=headers)


# --- Starlette -----------------------------------------------------------------------------------------------


@asynchronous
async def test_methods_of_starlettes_classes_are_guarded() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    app = Starlette()
    guard = starlette.Guard(app, verifier)

    class Both(HTTPEndpoint):
        @guard.require("orders:read")
        async def get(self, request: Request) -> PlainTextResponse:
            return PlainTextResponse(request.state.principal.subject)

        @guard.require("orders:write")
        def post(self, request: Request) -> PlainTextResponse:
            return PlainTextResponse(request.state.principal.subject)

    app.router.routes.append(Route("/orders", Both))
    assert (await ask(app, "/orders", OWNER)).text == "owner"
    assert (await ask(app, "/orders", OWNER, "POST")).text == "owner"
    assert (await ask(app, "/orders", READER, "POST")).status_code == 403
    assert (await ask(app, "/orders")).status_code == 401


# --- Litestar ------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_litestar_route_that_asks_for_a_principal_and_has_no_guard_lets_nobody_in() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)

    @get("/forgotten")
    async def forgotten(principal: NamedDependency[Principal]) -> str:
        return principal.subject

    app = Litestar([forgotten], on_app_init=[litestar.Guard(None, verifier).protect], logging_config=None)
    answer = await ask(app, "/forgotten", READER)
    assert answer.status_code == 500


@asynchronous
async def test_litestars_websockets_are_refused_before_the_handshake() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    guard = litestar.Guard(None, verifier)

    @websocket("/live", guards=[guard.require()])
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()

    app = Litestar([live], on_app_init=[guard.protect], logging_config=None)
    scope: Any = {"type": "websocket", "path": "/live", "headers": [], "query_string": b"", "root_path": ""}
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    assert [message["type"] for message in said] == ["websocket.close"]
    assert verifier.methods == ["CONNECT"]


# --- Django --------------------------------------------------------------------------------------------------


def passes_djangos_check(view: Any, headers: dict[str, str]) -> bool:
    request = RequestFactory().post("/", headers=headers)
    middleware = CsrfViewMiddleware(view)
    middleware.process_request(request)
    return middleware.process_view(request, view, (), {}) is None


def test_django_lets_tokens_through_its_check_where_one_is_required(
    programs: Programs, verifier: Any
) -> None:
    programs.module("orders_django")  # has the settings
    guard = django.Guard(None, verifier)

    def view(request: Any) -> None: ...

    assert passes_djangos_check(guard.require()(view), READER)
    assert not passes_djangos_check(guard.optional()(view), READER)
    assert not passes_djangos_check(view, READER)
    assert passes_djangos_check(guard.optional()(csrf_exempt(view)), READER)


def test_views_in_classes_are_guarded_as_a_whole(programs: Programs, verifier: Any) -> None:
    programs.module("orders_django")
    guard = django.Guard(None, verifier)

    class InThread(View):  # type: ignore[misc]
        def get(self, request: Any) -> Any:
            return request.principal.subject

    class InLoop(View):  # type: ignore[misc]
        async def get(self, request: Any) -> Any:
            return request.principal.subject

    in_thread: Any = guard.require("orders:read")(InThread.as_view())
    in_loop: Any = guard.require("orders:read")(InLoop.as_view())
    factory = RequestFactory()
    assert in_thread(factory.get("/", headers=READER)) == "reader"
    assert asyncio.run(in_loop(factory.get("/", headers=READER))) == "reader"
    assert in_thread(factory.get("/")).status_code == 401
    assert asyncio.run(in_loop(factory.get("/"))).status_code == 401


# --- Flask ---------------------------------------------------------------------------------------------------


def test_flasks_coroutines_are_guarded(verifier: Any) -> None:
    app = Flask(__name__)
    guard = flask.Guard(app, verifier)

    @app.get("/orders")
    @guard.require("orders:read")
    async def orders() -> str:
        await asyncio.sleep(0)
        return str(g.principal.subject)

    assert app.test_client().get("/orders", headers=READER).text == "reader"
    assert app.test_client().get("/orders").status_code == 401


# --- ASGI and WSGI -------------------------------------------------------------------------------------------

WITH_PATH = "/.well-known/oauth-protected-resource/v1"


@asynchronous
async def test_an_audience_with_a_path_has_its_metadata_below_the_well_known_one() -> None:
    verifier: Any = StandIn(ISSUER, audience="https://api.example/v1")

    async def nothing(*_: Any) -> None: ...

    app = asgi.Guard(nothing, verifier).require()
    assert (await ask(app, WITH_PATH)).json()["resource"] == "https://api.example/v1"
    assert (await ask(app, "/.well-known/oauth-protected-resource")).status_code == 401
    challenge = (await ask(app, "/")).headers["www-authenticate"]
    assert f"https://api.example{WITH_PATH}" in challenge


def test_a_guard_below_a_prefix_knows_the_whole_path() -> None:
    verifier: Any = StandIn(ISSUER, audience="https://api.example/v1")
    app = wsgi.Guard(lambda *_: [], verifier).require()

    def mounted(environ: Any, start_response: Any) -> Any:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = (
            "/.well-known",
            environ["PATH_INFO"].removeprefix("/.well-known"),
        )
        return app(environ, start_response)

    with wsgi_server(mounted) as url:
        assert httpx.get(f"{url}{WITH_PATH}").json()["resource"] == "https://api.example/v1"


@pytest.mark.parametrize(
    "name", ["asgi", "django", "fastapi", "flask", "grpc", "litestar", "starlette", "wsgi"]
)
def test_a_framework_loads_no_other(name: str) -> None:
    belongs = {name} | ({"starlette"} if name == "fastapi" else set())
    program = f"import sys; import coatcheck.guards.{name}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert set(loaded.stdout.split()) & FRAMEWORKS == FRAMEWORKS & belongs


def test_a_route_in_flask_that_would_stay_open_is_refused_when_it_is_written() -> None:
    """The decorators in the wrong order: the route would be that of the view without its guard."""
    app = Flask(__name__)
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    guard = flask.Guard(app, verifier)

    def secret() -> str:
        return "secret"

    app.get("/secret")(secret)
    with pytest.raises(VerifierConfigurationError, match="below the route"):
        guard.require("orders:read")(secret)
