"""Who takes part, how each is served, and how one signs in to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.web.bootstrap import create_account
from bench.web.client import post_form, post_json
from bench.web.programs.person import EMAIL, PASSWORD

Headers = Mapping[str, str]
SignIn = Callable[[int], Headers]
"""From a port to the headers that carry the credential."""

BARE = "FastAPI, no dependency"
LINE = "FastAPI, empty dependency"
COOKIE = "coatcheck, cookie"
BEARER = "coatcheck, bearer"
SERVICE = "coatcheck, a service"
_STARLETTE, _DJANGO, _FLASK = "Starlette", "Django", "Flask"


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program under test."""

    name: str
    factory: str
    """``module:function`` in ``bench.web.programs``."""
    distribution: str = ""
    """The peer's distribution, in the peers' environment; empty for what the project's own environment has."""
    server: Literal["uvicorn", "waitress"] = "uvicorn"
    line: str = LINE
    """The program with the same framework and nobody to recognise."""
    prepare: Callable[[Path], None] | None = None
    """What has to be done in the program's directory before it starts."""
    sign_up: Callable[[int], object] | None = None
    sign_in: SignIn | None = None


def _with_cookie(port: int) -> Headers:
    return post_json(port, "/sign-in", {}).cookies()


def _better_auth_sign_up(port: int) -> None:
    post_json(port, "/api/auth/sign-up/email", {"name": "Ada", "email": EMAIL, "password": PASSWORD})


def _better_auth_sign_in(port: int) -> Headers:
    return post_json(port, "/api/auth/sign-in/email", {"email": EMAIL, "password": PASSWORD}).cookies()


def _fastapi_users_sign_up(port: int) -> None:
    post_json(port, "/sign-up/register", {"email": EMAIL, "password": PASSWORD})


def _fastapi_users_sign_in(port: int) -> Headers:
    answer = post_form(port, "/sign-in/login", {"username": EMAIL, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def coatcheck_cookie(port: int) -> Headers:
    """Sign in to coatcheck as a browser."""
    person = {"email": EMAIL, "password": PASSWORD, "credential": "cookie"}
    return post_json(port, "/auth/sign-in", person).cookies()


def coatcheck_bearer(port: int) -> Headers:
    """Sign in to coatcheck as a client that keeps tokens."""
    answer = post_json(port, "/auth/sign-in", {"email": EMAIL, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _coatcheck(name: str, sign_in: SignIn) -> Program:
    return Program(name=name, factory="coatcheck_app:protected", prepare=create_account, sign_in=sign_in)


def _fastapi_users(strategy: str, factory: str) -> Program:
    return Program(
        name=f"fastapi-users, {strategy}",
        factory=f"fastapi_users_app:{factory}",
        distribution="fastapi-users",
        sign_up=_fastapi_users_sign_up,
        sign_in=_fastapi_users_sign_in,
    )


def _better_auth(variant: str, factory: str) -> Program:
    return Program(
        name=f"better-auth-server, {variant}",
        factory=f"better_auth_app:{factory}",
        distribution="better-auth-server",
        sign_up=_better_auth_sign_up,
        sign_in=_better_auth_sign_in,
    )


def _with_sessions(name: str, factory: str, *, line: str, distribution: str) -> Program:
    return Program(
        name=name,
        factory=factory,
        distribution=distribution,
        server="uvicorn" if line == _STARLETTE else "waitress",
        line=line,
        sign_in=_with_cookie,
    )


PROGRAMS: Sequence[Program] = (
    Program(name=BARE, factory="fastapi_alone:without_dependency"),
    Program(name=LINE, factory="fastapi_alone:with_empty_dependency"),
    _coatcheck(COOKIE, coatcheck_cookie),
    _coatcheck(BEARER, coatcheck_bearer),
    Program(
        name=SERVICE,
        factory="coatcheck_service_app:beside_its_issuer",
        prepare=create_account,
        sign_in=coatcheck_bearer,
    ),
    _fastapi_users("JWT strategy", "with_jwt"),
    _fastapi_users("database strategy", "with_database"),
    _better_auth("database", "with_database"),
    _better_auth("cookie cache", "with_cookie_cache"),
    Program(
        name=_STARLETTE, factory="starlette_sessions:alone", distribution="itsdangerous", line=_STARLETTE
    ),
    _with_sessions(
        "Starlette, signed cookie",
        "starlette_sessions:with_signed_cookie",
        line=_STARLETTE,
        distribution="itsdangerous",
    ),
    Program(
        name=_DJANGO,
        factory="django_sessions:alone",
        distribution="django",
        server="waitress",
        line=_DJANGO,
    ),
    _with_sessions("Django, sessions", "django_sessions:with_sessions", line=_DJANGO, distribution="django"),
    Program(
        name=_FLASK,
        factory="flask_sessions:alone",
        distribution="flask-session",
        server="waitress",
        line=_FLASK,
    ),
    _with_sessions(
        "Flask-Session, write on change",
        "flask_sessions:with_sessions",
        line=_FLASK,
        distribution="flask-session",
    ),
    _with_sessions(
        "Flask-Session, defaults",
        "flask_sessions:with_sliding_sessions",
        line=_FLASK,
        distribution="flask-session",
    ),
)
