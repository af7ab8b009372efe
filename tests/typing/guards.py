"""What the type checkers must infer from ``coatcheck.guards``. Checked, never run.

Each ignored error marks a misuse; both checkers complain when it is no longer an error.
"""

from datetime import timedelta
from typing import Annotated, assert_type

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from coatcheck.guards.fastapi import Guard
from coatcheck.guards.starlette import Guard as StarletteGuard
from coatcheck.verifier import Principal, Verifier

app = FastAPI()
verifier = Verifier("https://id.example", audience="https://api.example")
guard = Guard(app, verifier)
assert_type(guard.verifier, Verifier)


@app.get("/orders")
async def orders(principal: Annotated[Principal, guard.require("orders:read")]) -> str:
    assert_type(principal, Principal)
    assert_type(principal.subject, str)
    return principal.subject


@app.get("/")
async def home(principal: Annotated[Principal | None, guard.optional()]) -> str:
    assert_type(principal, Principal | None)
    return "nobody" if principal is None else principal.subject


@app.post("/refunds")
async def refund(
    principal: Annotated[Principal, guard.require("a", "b", acr="aal2", max_age=timedelta(minutes=5))],
) -> None:
    assert_type(principal, Principal)


started = StarletteGuard(Starlette(), verifier)


@started.require("orders:read", acr=["aal2", "aal3"])
async def by_decorator(request: Request) -> Response:
    return Response()


async def keeps_its_type(request: Request) -> None:
    assert_type(await by_decorator(request), Response)
    await by_decorator("request")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def misuse(principal: Principal, optional: Principal | None) -> None:
    str(principal.email)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    str(optional.subject)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    Guard(app)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    guard.require(scopes=("orders:read",))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    guard.require("orders:read", max_age=300)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    guard.require(["orders:read"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
