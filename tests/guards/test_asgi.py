"""What of ASGI is not HTTP, and what no server is needed for: WebSockets, lifespans, paths."""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from coatcheck.guards import asgi, fastapi, starlette
from coatcheck.verifier import Principal, VerificationError
from tests.flows.world import asynchronous
from tests.guards.programs import AUDIENCE, ISSUER, Programs
from tests.guards.stand_in import StandIn

READER = (b"authorization", b"Bearer reader:orders.read")
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


def stand_in(audience: str = AUDIENCE) -> Any:
    return StandIn(ISSUER, audience=audience)


async def talk(app: Any, *headers: tuple[bytes, bytes], extensions: Any = None) -> list[dict[str, Any]]:
    """Open a WebSocket, and return what the application says."""
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": "/live",
        "raw_path": b"/live",
        "root_path": "",
        "query_string": b"",
        "headers": list(headers),
        "subprotocols": [],
        "extensions": extensions or {},
        "state": {},
    }
    incoming: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await app(scope, receive, send)
    return sent


def with_fastapi(verifier: Any) -> Any:
    app = FastAPI()
    guard = fastapi.Guard(app, verifier)

    @app.websocket("/live")
    async def live(
        websocket: WebSocket, principal: Annotated[Principal, guard.require("orders:read")]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(principal.subject)
        await websocket.close()

    return app


def with_starlette(verifier: Any) -> Any:
    app = Starlette()
    guard = starlette.Guard(app, verifier)

    @guard.require("orders:read")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.state.principal.subject)
        await websocket.close()

    app.router.routes.append(WebSocketRoute("/live", live))
    return app


def with_asgi(verifier: Any) -> Any:
    async def live(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_text(scope[asgi.PRINCIPAL].subject)
        await websocket.close()

    return asgi.Guard(live, verifier).require("orders:read")


KINDS = [with_fastapi, with_starlette, with_asgi]


@pytest.mark.parametrize("make", KINDS)
@asynchronous
async def test_a_websocket_with_a_good_token_is_accepted(make: Any) -> None:
    said = await talk(make(stand_in()), READER)
    assert [message["type"] for message in said] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert said[1]["text"] == "reader"


@pytest.mark.parametrize("make", KINDS)
@asynchronous
async def test_a_websocket_without_one_is_refused_before_the_handshake(make: Any) -> None:
    (said,) = await talk(make(stand_in()))
    assert said["type"] == "websocket.close"
    assert said["code"] == 1008


@pytest.mark.parametrize("make", KINDS)
@asynchronous
async def test_it_is_told_why_where_the_server_can(make: Any) -> None:
    start, body = await talk(make(stand_in()), extensions=DENIAL)
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == 401
    headers = dict(start["headers"])
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"www-authenticate"].startswith(b"Bearer resource_metadata=")
    assert b"not_authenticated" in body["body"]


@pytest.mark.parametrize("make", KINDS)
@asynchronous
async def test_cross_site_websocket_hijacking_is_looked_for_as_in_a_post(make: Any) -> None:
    # The handshake is a GET, which by its cookie alone would count as harmless.
    verifier = stand_in()
    await talk(make(verifier), READER)
    assert verifier.methods == ["CONNECT"]


async def live_once(app: Any) -> list[str]:
    """Let an application start and stop, and return what it says."""
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    said: list[str] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return said


@asynchronous
async def test_a_lifespan_runs_the_verifier_around_that_of_the_application() -> None:
    verifier = stand_in()
    followed = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        followed.append(verifier.followed)
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})

    app = asgi.Guard(inner, verifier).require()
    assert await live_once(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert followed == [1]
    assert verifier.followed == 0


def test_the_openapi_document_has_the_scheme_and_the_scopes(programs: Programs) -> None:
    document = programs.module("orders_fastapi").app.openapi()
    scheme = document["components"]["securitySchemes"]["Coatcheck"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["paths"]["/orders"]["get"]["security"] == [{"Coatcheck": ["orders:read"]}]
    assert "/.well-known/oauth-protected-resource" not in document["paths"]


@asynchronous
async def test_an_applications_own_handler_stays_as_it_is() -> None:
    async def own(*_: Any) -> None: ...

    app = Starlette(exception_handlers={VerificationError: own})
    starlette.Guard(app, stand_in())
    assert app.exception_handlers[VerificationError] is own
