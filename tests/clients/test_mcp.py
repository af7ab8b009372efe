"""A client of the Model Context Protocol authorises itself with no help: it is told the address of its server only."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coatcheck.guards.starlette import Guard
from coatcheck.verifier import Verifier
from tests.clients.node import Node
from tests.clients.person import Person
from tests.clients.provider import Provider
from tests.guards.programs import free_port, uvicorn_server

CALLBACK = "http://localhost:7777/callback"


async def _speak(request: Request) -> Response:
    """Answer as a server with one tool does (Model Context Protocol, "Streamable HTTP")."""
    message: dict[str, Any] = json.loads(await request.body())
    match message["method"]:
        case "initialize":
            result: dict[str, Any] = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "umbrellas", "version": "1"},
            }
        case "tools/list":
            result = {"tools": [{"name": "fetch_umbrella", "inputSchema": {"type": "object"}}]}
        case _:
            return Response(status_code=202)
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})


@pytest.fixture
def server(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the tool at an address that is registered as an API, guarded like any other."""
    port = free_port()
    url = f"http://localhost:{port}/mcp"
    scope = ("--scope", "umbrellas:fetch=Fetch umbrellas", "--everybody", "umbrellas:fetch")
    provider.command("api", "add", url, "--name", "Umbrellas", *scope, "--json")
    key = provider.command("service", "add", f"mcp-{port}", "--audience", url, "--json")["key"]
    monkeypatch.setenv("SSL_CERT_FILE", str(provider.trusted))
    app = Starlette()
    guard = Guard(app, Verifier(provider.issuer, audience=url, key=key))
    app.router.routes.append(Route("/mcp", guard.require("umbrellas:fetch")(_speak), methods=["POST"]))
    with uvicorn_server(app, port=port):
        yield url


def test_an_agent_that_is_told_the_address_of_a_server_only_gets_in(
    server: str, node: Node, ada: Person
) -> None:
    result = node.run("mcp", {"server": server, "redirect_uri": CALLBACK}, browse=ada.browse)
    assert result["refused"] is True
    assert result["tools"] == ["fetch_umbrella"]
    assert result["tokens"]["scope"].split() == ["umbrellas:fetch"]
    assert (
        ">localhost:7777, a program on this device<" in ada.pages[-1]
    )  # the page of consent says where the answer goes
