"""What the type checkers must infer from ``coatcheck.integrations.fastapi``. Checked, never run.

Each ignored error marks a misuse; both checkers complain when it is no longer an error.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, assert_type

from fastapi import FastAPI, WebSocket
from starlette.requests import Request

from coatcheck.integrations.fastapi import Auth, CurrentUser, Identity, OptionalUser, RecentUser, requires
from coatcheck.server import Server, Settings, load_settings

app = FastAPI()
auth = Auth(app, name="Example")


def made_of_settings() -> None:
    settings = load_settings(name="Example")
    assert_type(settings, Settings)
    assert_type(Auth(app, settings=settings).server, Server)


@app.get("/me")
async def me(user: CurrentUser) -> str:
    assert_type(user, Identity)
    assert_type(user.email, str)
    assert_type(user.scopes, frozenset[str])
    assert_type(user.authenticated_at, datetime)
    assert_type(user.via, Literal["cookie", "bearer"])
    return user.email


@app.get("/")
async def home(user: OptionalUser) -> str:
    assert_type(user, Identity | None)
    return "nobody" if user is None else user.email


@app.delete("/me")
async def leave(user: RecentUser) -> None:
    assert_type(user, Identity)


@app.post("/orders", dependencies=[requires("orders:write", recent=True)])
async def order(user: Annotated[Identity, requires("orders:write")]) -> None:
    assert_type(user, Identity)


async def data(user: Identity) -> None:
    assert_type(await auth.session_data.read(user), Mapping[str, Any])
    async with auth.session_data.edit(user) as value:
        assert_type(value, dict[str, Any])


async def by_hand(request: Request, websocket: WebSocket) -> None:
    assert_type(await auth.identify(request), Identity | None)
    assert_type(await auth.identify(websocket), Identity | None)


async def misuse(user: Identity, optional: OptionalUser) -> None:
    str(user.e_mail)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    user.email = "other@example.com"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    str(optional.email)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    requires(scope="orders:write")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    requires("orders:write", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Auth()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    auth.protect(auth)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
