"""A service that verifies by itself, by the programs in the docstrings of ``coatcheck.guards``.

Annotations are evaluated at once here: FastAPI must see the dependency that a function has made.
"""

import sys
from typing import Annotated, Any

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from bench.web.programs.person import EMAIL
from coatcheck.guards import asgi, starlette
from coatcheck.guards.fastapi import Guard
from coatcheck.integrations.fastapi import Auth
from coatcheck.verifier import Principal, Verifier

PEOPLE: dict[str, str] = {}
"""Their addresses, by subject. A token says no more of its user than that."""
_BODY = b'{"email":"%s"}' % EMAIL.encode("ascii")


def beside_its_issuer() -> FastAPI:
    """Make a service, and in the same process the server that it follows, over HTTP as any other.

    So the server is stopped whenever the service is, and takes nothing from other programs. While both run, the
    service's core bears the feed too, which looks for what other processes commit every 2 ms.
    """
    url = f"http://127.0.0.1:{sys.argv[-1]}"  # as bench.web.serve is told
    app = FastAPI()
    Auth(app, base_url=url)
    return _with_route(app, Verifier(url, audience=url))


def with_fastapi(issuer: str, key: str) -> FastAPI:
    """Make a service with FastAPI."""
    return _with_route(FastAPI(), Verifier(issuer, audience=issuer, key=key))


def with_starlette(issuer: str, key: str) -> Starlette:
    """Make a service with Starlette."""
    app = Starlette()
    guard = starlette.Guard(app, Verifier(issuer, audience=issuer, key=key))

    @guard.require()
    async def me(request: Request) -> JSONResponse:
        return JSONResponse({"email": PEOPLE.get(request.state.principal.subject, EMAIL)})

    app.add_route("/me", me)
    return app


def starlette_alone() -> Starlette:
    """Make the same without a guard."""
    app = Starlette()

    async def me(_: Request) -> JSONResponse:
        return JSONResponse({"email": PEOPLE.get("", EMAIL)})

    app.add_route("/me", me)
    return app


def with_asgi(issuer: str, key: str) -> asgi.ASGIApplication:
    """Make a service without any framework."""
    return asgi.Guard(asgi_alone(), Verifier(issuer, audience=issuer, key=key)).require()


def asgi_alone() -> asgi.ASGIApplication:
    """Make the same without a guard."""
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))],
    }

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(start)
        await send({"type": "http.response.body", "body": _BODY})

    return application


def _with_route(app: FastAPI, verifier: Verifier) -> FastAPI:
    guard = Guard(app, verifier)

    @app.get("/me")
    async def me(principal: Annotated[Principal, guard.require()]) -> dict[str, str]:
        return {"email": PEOPLE.get(principal.subject, EMAIL)}

    return app
