"""Lines for the application, in the words of its framework. Every one of them runs in the tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import credentials as carry
from .model import Code, Framework
from .planning import Plan

__all__ = ["code_lines"]

_EMBEDDED = """\
from coatcheck.integrations.fastapi import Auth, CurrentUser, RecentUser
from fastapi import FastAPI

app = FastAPI()
auth = Auth(app)  # pages at /auth, settings from coatcheck.toml


@app.get("/me")
async def me(user: CurrentUser) -> str:
    return user.email


@app.delete("/everything")
async def delete_everything(user: RecentUser) -> None:
    ...  # only who proved lately who they are gets here
"""

_GATEWAY = """\
import httpx
from coatcheck.integrations.fastapi import Auth, CurrentUser
from fastapi import FastAPI, Response

app = FastAPI()
auth = Auth(app)
api = httpx.AsyncClient(base_url="{api}")


# A route for each path that the page needs: nothing else is handed on.
@app.get("/api/orders")
async def orders(user: CurrentUser) -> Response:
    token = await auth.server.flows.tokens.of_session(user.session_id, kind="access-token")
    if token is None:
        return Response(status_code=401)  # the session has just ended
    answer = await api.get("/orders", headers={{"Authorization": f"Bearer {{token}}"}})
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
"""

_GUARDS: Mapping[Framework, str] = {
    "fastapi": """\
from typing import Annotated

from coatcheck.guards.fastapi import Guard
from coatcheck.verifier import Principal, Verifier
from fastapi import FastAPI

app = FastAPI()
verifier = Verifier({verifier})
guard = Guard(app, verifier)


@app.get("/orders")
async def orders(principal: Annotated[Principal, guard.require({scope})]) -> str:
    return principal.subject
""",
    "starlette": """\
from coatcheck.guards.starlette import Guard
from coatcheck.verifier import Verifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

app = Starlette()
verifier = Verifier({verifier})
guard = Guard(app, verifier)


@guard.require({scope})
async def orders(request: Request) -> JSONResponse:
    return JSONResponse(request.state.principal.subject)


app.add_route("/orders", orders)
""",
    "litestar": """\
from coatcheck.guards.litestar import Guard
from coatcheck.verifier import Principal, Verifier
from litestar import Litestar, get
from litestar.di import NamedDependency

verifier = Verifier({verifier})
guard = Guard(None, verifier)


@get("/orders", guards=[guard.require({scope})])
async def orders(principal: NamedDependency[Principal]) -> str:
    return principal.subject


app = Litestar([orders], on_app_init=[guard.protect])
""",
    "django": """\
from coatcheck.guards.django import Guard
from coatcheck.verifier import Verifier
from django.http import HttpRequest, JsonResponse
from django.urls import path

urlpatterns = []
verifier = Verifier({verifier})
guard = Guard(urlpatterns, verifier)


@guard.require({scope})
def orders(request: HttpRequest) -> JsonResponse:
    return JsonResponse({{"subject": request.principal.subject}})


urlpatterns += [path("orders", orders)]
""",
    "flask": """\
from coatcheck.guards.flask import Guard
from coatcheck.verifier import Verifier
from flask import Flask, g

app = Flask(__name__)
verifier = Verifier({verifier})
guard = Guard(app, verifier)


@app.get("/orders")
@guard.require({scope})
def orders() -> str:
    return g.principal.subject
""",
    "other": """\
from coatcheck.verifier import VerificationError, Verifier
from coatcheck.verifier.refusals import refusal

verifier = Verifier({verifier})


def orders(headers, method):  # the headers as pairs of names and values
    try:
        principal = verifier.require(headers, method=method{scopes})
    except VerificationError as error:
        refused = refusal(error)
        return refused.status, refused.headers, refused.body
    return 200, [("Content-Type", "text/plain")], principal.subject.encode()
""",
}

_AGENTS = """\
from coatcheck.guards.asgi import Guard
from coatcheck.verifier import Verifier


async def mcp_app(scope, receive, send):
    ...  # instead of this, what the MCP library makes: mcp.streamable_http_app()


verifier = Verifier({verifier})
app = Guard(mcp_app, verifier).require({scope})
"""

_WITH_THE_KEYS = """\
from pathlib import Path

from coatcheck.jose import KeySet, TokenError, jwt

# From {server}/auth/.well-known/jwks.json, as often as there is a connection.
keys = KeySet.from_jwks(Path("jwks.json").read_bytes(), algorithms=["ES256"])
verifier = jwt.Verifier(
    keys, issuer="{server}", audience="{api}", typ="at+jwt", require=("exp", "sub")
)


def subject_of(token: str) -> str | None:
    try:
        return verifier.verify(token).claims.sub
    except TokenError:
        return None
"""

_OF_A_PROVIDER = """\
from pathlib import Path

from coatcheck.jose import KeySet, TokenError, jwt

# The provider's jwks_uri and issuer are in its /.well-known/openid-configuration.
keys = KeySet.from_jwks(Path("jwks.json").read_bytes(), algorithms=["RS256", "ES256"], ignore_invalid=True)
verifier = jwt.Verifier(
    keys, issuer="https://provider.example", audience="{api}", typ="at+jwt", require=("exp", "sub")
)


def subject_of(token: str) -> str | None:
    try:
        return verifier.verify(token).claims.sub
    except TokenError:
        return None
"""

_ENCRYPTED = """\
from coatcheck.jose import Key, jwt

signing_key = Key.generate("ES256")  # yours: keep it
gate_key = Key.generate("ECDH-ES+A256KW", crv="X25519")  # the verifier's: you have only its public half

signer = jwt.Signer(signing_key, issuer="{app}", audience="{api}", encrypt_to=gate_key.public())
token = signer.sign({{"sub": "ada", "ward": "7B"}})
"""

_ASK = """\
curl -s -H "Authorization: Bearer $COATCHECK_VERIFIER_KEY" -d token="$TOKEN" {server}/auth/introspect
"""


def code_lines(plan: Plan) -> Iterator[Code]:
    """Yield what to write.

    Args:
        plan: The case, with what follows from it.
    """
    yield from _app(plan)
    if plan.has_verifier and not _is_told_by_the_app(plan):
        text = _guard(plan, scope="" if plan.takes_cookies else _scope(plan))
        yield Code(title="The API, and each service", language="python", text=text)
    if carry.AGENT_TOKENS in plan.held:
        verifier = _verifier(plan, cookies=False)
        text = _importing(verifier, _AGENTS.format(verifier=verifier, scope=_scope(plan)))
        yield Code(title="The server that agents call", language="python", text=text)
    if carry.PROVIDER_TOKENS in plan.held:
        text = _OF_A_PROVIDER.format(api=plan.at.api)
        yield Code(title="Your API verifies the provider's tokens", language="python", text=text)
    if plan.has_people:
        yield from _others(plan)


def _app(plan: Plan) -> Iterator[Code]:
    if plan.embedded and carry.SESSION_COOKIE in plan.held:
        yield Code(title="The application, with sign-in inside", language="python", text=_EMBEDDED)
    if plan.has_own_api:
        text = _GATEWAY.format(api=plan.at.api)
        yield Code(title="The backend of the single-page app", language="python", text=text)
    if carry.SESSION_COOKIE in plan.held and not plan.embedded:
        title = "The application, on the same host as coatcheck serve (the proxy sends /auth there)"
        yield Code(title=title, language="python", text=_guard(plan, scope=""))


def _is_told_by_the_app(plan: Plan) -> bool:
    """Tell whether the lines for a service would be those of the application again, or of what agents call."""
    return (plan.takes_cookies and not plan.embedded) or plan.held == {carry.AGENT_TOKENS}


def _others(plan: Plan) -> Iterator[Code]:
    case, at = plan.case, plan.at
    offline = case.offline == "verifiers"
    if offline or ("third-parties" in case.verifiers and case.sign_out in {"minutes", "an-hour"}):
        text = _WITH_THE_KEYS.format(server=at.server, api=at.api)
        yield Code(title="Whoever verifies with the public keys alone", language="python", text=text)
    if offline and case.hidden:
        text = _ENCRYPTED.format(app=at.app, api=at.api)
        yield Code(title="Data for an offline verifier alone", language="python", text=text)
    if "third-parties" in case.verifiers and case.sign_out == "at-once":
        yield Code(title="A partner asks about a token", language="sh", text=_ASK.format(server=at.server))


def _scope(plan: Plan) -> str:
    # The scopes of the server's own API are set for each user, not offered to clients.
    return "" if plan.has_own_api or plan.puts_token_beside_cookie else '"api:read"'


def _verifier(plan: Plan, *, cookies: bool) -> str:
    arguments = [f'"{plan.at.server}"', f'audience="{plan.at.api}"']
    if cookies:
        arguments.append('cookies="session"')
    has_ours = plan.case.sign_in == "here" or carry.MACHINE_KEY in plan.held
    if plan.case.sign_out == "at-once" and has_ours:
        arguments.append("max_staleness=timedelta(seconds=10)")
    return ", ".join(arguments)


def _guard(plan: Plan, *, scope: str) -> str:
    verifier = _verifier(plan, cookies=plan.takes_cookies)
    scopes = f", scopes=[{scope}]" if scope else ""
    text = _GUARDS[plan.case.framework].format(verifier=verifier, scope=scope, scopes=scopes)
    return _importing(verifier, text)


def _importing(verifier: str, text: str) -> str:
    if "timedelta(" not in verifier:
        return text
    gap = "" if text.startswith("from typing ") else "\n"
    return f"from datetime import timedelta\n{gap}{text}"
