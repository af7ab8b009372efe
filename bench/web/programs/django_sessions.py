"""Django with its session middleware, sessions in SQLite: no other middleware, connections kept open."""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench.web.programs.person import EMAIL

_DATABASE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "django.db",
    "CONN_MAX_AGE": None,
    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
}


def sign_in(request: HttpRequest) -> JsonResponse:
    """Put the person into the session."""
    request.session["email"] = EMAIL
    return JsonResponse({})


def me(request: HttpRequest) -> JsonResponse:
    """Answer from the session."""
    email = request.session.get("email")
    return JsonResponse({"email": email}, status=200 if email else 401)


def anybody(request: HttpRequest) -> JsonResponse:
    """Answer without a session."""
    return JsonResponse({"email": EMAIL})


async def sign_in_async(request: HttpRequest) -> JsonResponse:
    """Put the person into the session."""
    await request.session.aset("email", EMAIL)
    return JsonResponse({})


async def me_async(request: HttpRequest) -> JsonResponse:
    """Answer from the session."""
    email = await request.session.aget("email")
    return JsonResponse({"email": email}, status=200 if email else 401)


async def anybody_async(request: HttpRequest) -> JsonResponse:
    """Answer without a session."""
    return JsonResponse({"email": EMAIL})


def alone() -> WSGIHandler:
    """Make an application without sessions, for a WSGI server."""
    _configure([path("me", anybody)], [])
    return WSGIHandler()


def with_sessions() -> WSGIHandler:
    """Make an application with sessions, for a WSGI server."""
    _configure([path("me", me), path("sign-in", sign_in)], ["sessions"])
    return WSGIHandler()


def alone_async() -> ASGIHandler:
    """Make an application without sessions, for an ASGI server."""
    _configure([path("me", anybody_async)], [])
    return ASGIHandler()


def with_sessions_async() -> ASGIHandler:
    """Make an application with sessions, for an ASGI server."""
    _configure([path("me", me_async), path("sign-in", sign_in_async)], ["sessions"])
    return ASGIHandler()


def _configure(routes: list[Any], parts: list[str]) -> None:
    sys.modules[__name__].urlpatterns = routes  # type: ignore[attr-defined]  # Django looks for this name
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": _DATABASE},
        INSTALLED_APPS=[f"django.contrib.{part}" for part in parts],
        MIDDLEWARE=[f"django.contrib.{part}.middleware.SessionMiddleware" for part in parts],
        ROOT_URLCONF=__name__,
        SECRET_KEY="a secret of the benchmark, 32 characters",
    )
    django.setup()
    if parts:
        with ThreadPoolExecutor(1) as pool:  # Django refuses to touch a database where an event loop runs
            pool.submit(call_command, "migrate", verbosity=0).result()
