"""Paths are found at once where they are fixed, and lead to what the router would have found."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from coatcheck.web.paths import Paths

pytestmark = pytest.mark.anyio


class Says:
    """Answers every method."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(self.text)(scope, receive, send)


async def of_a_function(_: object) -> PlainTextResponse:
    return PlainTextResponse("function")


ROUTES = [
    Route("/one", Says("one")),
    Route("/{any}/two", Says("parameter")),
    Route("/x/two", Says("fixed, but second")),
    Route("/one", Says("one, but second")),
    Route("/function", of_a_function),
]


async def said(app: ASGIApp, path: str, *, method: str = "GET", root: str = "") -> tuple[int, str]:
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.request(method, path)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "path", ["/one", "/x/two", "/y/two", "/function", "/", "/one/", "/ONE", "/one%2F", "/one%0A", "/%6Fne"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_path_leads_to_what_the_router_finds(path: str, method: str) -> None:
    router = Router(ROUTES, redirect_slashes=False)
    found = await said(Paths(router), path, method=method)
    assert found == await said(router, path, method=method)


@pytest.mark.parametrize(
    "path, text",
    [("/auth/one", "one"), ("/one", "one"), ("/authone", "Not Found"), ("/auth", "Not Found")],
    ids=["below", "beside", "like-it", "itself"],
)
async def test_where_it_is_mounted_is_no_part_of_the_path(path: str, text: str) -> None:
    router = Router(ROUTES, redirect_slashes=False)
    found = await said(Paths(router), path, root="/auth")
    assert found == await said(router, path, root="/auth")
    assert found[1] == text
