"""Starlette with its own middleware: the whole session is in a signed cookie, so nothing on the server can end it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.web.programs.person import EMAIL


async def sign_in(request: Request) -> JSONResponse:
    """Put the person into the session."""
    request.session["email"] = EMAIL
    return JSONResponse({})


async def me(request: Request) -> JSONResponse:
    """Answer from the session."""
    email = request.session.get("email")
    return JSONResponse({"email": email}, status_code=200 if email else 401)


async def anybody(request: Request) -> JSONResponse:
    """Answer without a session."""
    return JSONResponse({"email": EMAIL})


def alone() -> Starlette:
    """Make an application without sessions."""
    return Starlette(routes=[Route("/me", anybody)])


def with_signed_cookie() -> Starlette:
    """Make an application with sessions."""
    middleware = [Middleware(SessionMiddleware, secret_key="a secret of the benchmark, 32 characters")]
    return Starlette(
        routes=[Route("/me", me), Route("/sign-in", sign_in, methods=["POST"])], middleware=middleware
    )
