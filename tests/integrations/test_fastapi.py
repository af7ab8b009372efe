"""What a FastAPI application gets: who asks is known to its routes, and who may not is told by the book."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from coatcheck.errors import CoatcheckError
from coatcheck.flows.errors import RecentSignInNeededError
from coatcheck.integrations.errors import NoAuthError, SecondAuthError
from coatcheck.integrations.fastapi import Auth, CurrentUser, Identity, OptionalUser, RecentUser, requires
from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import load_settings
from tests.integrations.applications import (
    EMAIL,
    PASSWORD,
    PROGRAM,
    QUICK,
    SESSION,
    Application,
    application,
    program_in_thread,
)

pytestmark = pytest.mark.anyio

README = Path(__file__).parents[2] / "README.md"


def add_me(site: Application) -> None:
    @site.app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.email

    @site.app.post("/me")
    async def change_me(user: CurrentUser) -> str:
        return user.email


async def test_the_program_of_the_readme_has_eight_lines_and_protects_its_route() -> None:
    source = re.search(r"```python\n(# main.py\n.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert source is not None
    assert len([line for line in source[1].splitlines() if line.strip()]) <= 8
    names: dict[str, Any] = {"__name__": "main"}
    exec(source[1], names)  # noqa: S102 - it is what readers are told to run
    site = Application(names["app"], names["auth"])
    async with site.browser() as browser:
        assert (await browser.get("/me")).headers["location"] == "/auth/sign-in?next=%2Fme"
        wish = {"email": EMAIL, "password": PASSWORD, "next": "/me"}
        assert (await browser.post("/auth/sign-up", data=wish)).status_code == 200
        mail = re.search(r"/auth/dev/mail/[\w-]+", (await browser.get("/auth/dev/mail")).text)
        assert mail is not None
        token = re.search(r"confirm\?token=([\w-]+)", (await browser.get(mail[0])).text)
        assert token is not None
        confirmed = await browser.post("/auth/sign-up/confirm", data={"token": token[1]})
        assert confirmed.status_code == 303
        assert (await browser.get("/me")).json() == EMAIL
    await site.auth.server.close()


async def test_a_browser_that_nobody_is_signed_in_with_is_sent_to_sign_in_and_comes_back(
    site: Application,
) -> None:
    add_me(site)
    await site.add_user()
    async with site.browser() as browser:
        sent = await browser.get("/me?tab=2")
        assert (sent.status_code, sent.headers["location"]) == (303, "/auth/sign-in?next=%2Fme%3Ftab%3D2")
        form = {"email": EMAIL, "password": PASSWORD, "next": "/me?tab=2"}
        back = await browser.post("/auth/sign-in", data=form)
        assert (back.status_code, back.headers["location"]) == (303, "/me?tab=2")


async def test_a_program_without_a_credential_is_challenged_without_an_error(site: Application) -> None:
    add_me(site)
    async with site.program() as program:
        answer = await program.get("/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"


async def test_a_cookie_and_a_bearer_token_are_as_good(site: Application) -> None:
    @site.app.get("/via")
    async def via(user: CurrentUser) -> dict[str, str]:
        return {"email": user.email, "via": user.via}

    await site.add_user()
    async with site.browser(cookies=await site.cookies()) as browser:
        assert (await browser.get("/via")).json() == {"email": EMAIL, "via": "cookie"}
    async with site.program() as program:
        answer = await program.get("/via", headers=await site.bearer())
        assert answer.json() == {"email": EMAIL, "via": "bearer"}


@pytest.mark.parametrize("token", ["no.such.token", "abc", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_bearer_token_that_is_not_good_is_an_invalid_token(site: Application, token: str) -> None:
    add_me(site)
    async with site.program() as program:
        answer = await program.get("/me", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="coatcheck", error="invalid_token"')
    assert token not in answer.text


async def test_a_malformed_authorization_header_is_an_invalid_request(site: Application) -> None:
    add_me(site)
    async with site.program() as program:
        answer = await program.get("/me", headers={"authorization": "Bearer two words"})
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_a_missing_scope_is_named(site: Application) -> None:
    @site.app.get("/orders")
    async def orders(user: Annotated[Identity, requires("orders:read", "orders:write")]) -> str:
        return user.id

    await site.add_user(scopes="orders:read")
    await site.add_user("bob@example.com", scopes="orders:read orders:write")
    async with site.program() as program:
        refused = await program.get("/orders", headers=await site.bearer())
        admitted = await program.get("/orders", headers=await site.bearer("bob@example.com"))
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert 'scope="orders:read orders:write"' in refused.headers["www-authenticate"]
    assert admitted.status_code == 200


async def test_a_requirement_needs_no_parameter(site: Application) -> None:
    @site.app.get("/orders", dependencies=[requires("orders:read")])
    async def orders() -> str:
        return "all"

    await site.add_user(scopes="orders:read")
    async with site.program() as program:
        assert (await program.get("/orders")).status_code == 401
        assert (await program.get("/orders", headers=await site.bearer())).json() == "all"


async def test_a_sign_in_of_long_ago_must_be_renewed(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    async with application(FastAPI()) as site:
        context = site.auth.server.flows.context

        @site.app.get("/delicate")
        async def delicate(user: RecentUser) -> str:
            return user.email

        await site.add_user()
        cookies = await site.cookies()
        async with site.browser(cookies=cookies) as browser, site.program(cookies=cookies) as program:
            assert (await browser.get("/delicate")).status_code == 200
            now[0] = context.clock() + context.policy.recent.total_seconds() + 1
            object.__setattr__(context, "clock", lambda: now[0])
            sent = await browser.get("/delicate")
            assert (sent.status_code, sent.headers["location"]) == (
                303,
                "/auth/re-authenticate?next=%2Fdelicate",
            )
            told = await program.get("/delicate")
    assert told.status_code == 401
    assert 'error="insufficient_user_authentication"' in told.headers["www-authenticate"]
    assert 'max_age="300"' in told.headers["www-authenticate"]
    assert told.json()["code"] == RecentSignInNeededError.code


async def test_an_optional_user_is_one_or_none(site: Application) -> None:
    @site.app.get("/")
    async def home(user: OptionalUser) -> str | None:
        return None if user is None else user.email

    await site.add_user()
    async with site.browser(cookies=await site.cookies()) as browser, site.browser() as stranger:
        assert (await browser.get("/")).json() == EMAIL
        assert (await stranger.get("/")).json() is None
        # Whoever shows a token means it: one that is not good is no anonymous visit.
        assert (await stranger.get("/", headers={"authorization": "Bearer abc"})).status_code == 401


async def test_a_change_by_cookie_from_another_site_is_refused(site: Application) -> None:
    add_me(site)
    await site.add_user()
    foreign = [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "https://sub.testserver"},
    ]
    cookies = await site.cookies()
    async with site.browser(cookies=cookies) as browser, site.program(cookies=cookies) as program:
        assert (await browser.post("/me")).json() == EMAIL
        for headers in foreign:
            refused = await browser.post("/me", headers=headers | {"accept": "application/json"})
            assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_request")
        for headers in ({}, {"origin": "null"}, {"origin": "https://evil.example"}):
            assert (await program.post("/me", headers=headers)).status_code == 403
        assert (await program.post("/me", headers=await site.bearer())).status_code == 200


async def test_session_data_is_edited_and_read_in_routes(site: Application) -> None:
    @site.app.post("/cart/{item}")
    async def add(item: str, user: CurrentUser) -> None:
        async with site.auth.session_data.edit(user) as data:
            data.setdefault("cart", {"items": []})["items"].append(item)

    @site.app.get("/cart")
    async def show(user: CurrentUser) -> list[str]:
        return list((await site.auth.session_data.read(user))["cart"]["items"])

    await site.add_user()
    async with site.browser(cookies=await site.cookies()) as browser:
        for item in ("umbrella", "hat"):
            assert (await browser.post(f"/cart/{item}")).status_code == 200
        assert (await browser.get("/cart")).json() == ["umbrella", "hat"]


async def test_two_applications_in_one_process_do_not_mix() -> None:
    async with (
        application(FastAPI(), database="one.db") as one,
        application(FastAPI(), database="two.db") as two,
    ):
        add_me(one)
        add_me(two)
        await one.add_user()
        cookies, bearer = await one.cookies(), await one.bearer()
        async with two.program(cookies=cookies) as program:
            assert (await program.get("/me")).status_code == 401
        async with two.program() as program:
            assert (await program.get("/me", headers=bearer)).status_code == 401
        async with one.program() as program:
            assert (await program.get("/me", headers=bearer)).status_code == 200


async def test_a_mounted_application_is_protected_too(site: Application) -> None:
    mounted = FastAPI()

    @mounted.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.email

    site.auth.protect(mounted)
    site.app.mount("/api", mounted)
    await site.add_user()
    async with site.browser() as browser:
        assert (await browser.get("/api/me")).headers["location"] == "/auth/sign-in?next=%2Fapi%2Fme"
        browser.cookies.update(await site.cookies())
        assert (await browser.get("/api/me")).json() == EMAIL


async def test_an_application_with_auth_may_itself_be_mounted(site: Application) -> None:
    add_me(site)
    outer = Application(FastAPI(), site.auth)
    outer.app.mount("/", site.app)
    await site.add_user()
    async with outer.browser() as browser:
        assert (await browser.get("/me")).headers["location"] == "/auth/sign-in?next=%2Fme"
        form = {"email": EMAIL, "password": PASSWORD, "next": "/me"}
        assert (await browser.post("/auth/sign-in", data=form)).headers["location"] == "/me"
        assert (await browser.get("/me")).json() == EMAIL


async def test_an_application_without_auth_is_told_what_to_do() -> None:
    bare = FastAPI()

    @bare.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.email

    transport = httpx.ASGITransport(bare)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        with pytest.raises(NoAuthError, match=r"Auth\(app\)") as told:
            await client.get("/me")
    assert told.value.code == "no_auth"


def test_an_application_has_one_auth(site: Application) -> None:
    with pytest.raises(SecondAuthError):
        Auth(site.app, **QUICK)


def test_settings_come_as_a_whole_or_one_by_one() -> None:
    with pytest.raises(TypeError):
        Auth(FastAPI(), settings=load_settings(), name="Example")
    with pytest.raises(SettingsError, match="no such setting"):
        Auth(FastAPI(), nmae="Example")


async def test_settings_as_a_whole_are_taken() -> None:
    app = FastAPI()
    auth = Auth(app, settings=load_settings(name="Example", prefix="/login"))
    async with Application(app, auth).browser() as browser:
        assert "Example" in (await browser.get("/login/sign-in")).text
    await auth.server.close()


async def test_handlers_of_the_application_go_on_working(site: Application) -> None:
    @site.app.exception_handler(ValueError)
    async def on_value_error(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("handled", 418)

    @site.app.get("/value/{number}")
    async def value(number: int, user: CurrentUser) -> None:
        if number:
            raise HTTPException(402, "pay first")
        raise ValueError

    await site.add_user()
    async with site.browser(cookies=await site.cookies()) as browser:
        assert (await browser.get("/value/0")).text == "handled"
        assert (await browser.get("/value/1")).json() == {"detail": "pay first"}
        assert (await browser.get("/value/x")).status_code == 422
        assert (await browser.get("/nowhere")).json() == {"detail": "Not Found"}


async def test_an_application_may_answer_refusals_itself() -> None:
    app = FastAPI()

    @app.exception_handler(CoatcheckError)
    async def refuse(request: Request, error: CoatcheckError) -> PlainTextResponse:
        return PlainTextResponse(error.code, 401)

    async with application(app) as site:
        add_me(site)
        async with site.browser() as browser:
            assert (await browser.get("/me")).text == "not_signed_in"


async def test_the_openapi_document_shows_what_is_protected(site: Application) -> None:
    add_me(site)

    @site.app.get("/open")
    async def open_to_all() -> None: ...

    async with site.program() as program:
        document = (await program.get("/openapi.json")).json()
    scheme = document["components"]["securitySchemes"]["Coatcheck"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["paths"]["/me"]["get"]["security"] == [{"Coatcheck": []}]
    assert "security" not in document["paths"]["/open"]["get"]
    assert not any(path.startswith("/auth") for path in document["paths"])


async def test_an_endpoint_need_not_be_a_coroutine(site: Application) -> None:
    @site.app.get("/plain")
    def plain(user: CurrentUser) -> str:
        return user.email

    await site.add_user()
    async with site.browser(cookies=await site.cookies()) as browser:
        assert (await browser.get("/plain")).json() == EMAIL


async def test_whoever_asks_is_known_outside_of_routes_as_well(site: Application) -> None:
    @site.app.get("/by-hand")
    async def by_hand(request: Request) -> str | None:
        identity = await site.auth.identify(request)
        return None if identity is None else identity.email

    await site.add_user()
    async with site.program() as program:
        assert (await program.get("/by-hand")).json() is None
        assert (await program.get("/by-hand", headers=await site.bearer())).json() == EMAIL


async def test_the_cookie_with_a_token_is_set_once_where_it_is_switched_on() -> None:
    async with application(FastAPI(), token_cookie="access-token") as site:
        add_me(site)

        @site.app.get("/")
        async def home(user: OptionalUser) -> None: ...

        await site.add_user()
        cookies = await site.cookies()
        for path in ("/me", "/"):
            async with site.browser(cookies=cookies) as browser:
                response = await browser.get(path)
                offered = response.headers["set-cookie"]
                assert response.headers["cache-control"] == "no-store"
                assert re.match(
                    r"__Host-coatcheck-token=[\w.-]+; Path=/; Max-Age=\d+; Secure; HttpOnly;", offered
                )
                assert "set-cookie" not in (await browser.get(path)).headers
        async with site.program() as program:
            assert "set-cookie" not in (await program.get("/me", headers=await site.bearer())).headers
            assert "set-cookie" not in (await program.get("/")).headers


async def test_the_lifespan_of_the_application_runs_inside_of_the_server() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        seen.append("start")
        yield {"said": "hello"}
        seen.append("end")

    async with application(FastAPI(lifespan=lifespan)) as site:

        @site.app.get("/state")
        async def state(request: Request) -> str:
            return str(request.state.said)

        with program_in_thread(site.app) as client:
            assert client.get("/state").json() == "hello"
            assert seen == ["start"]
        assert seen == ["start", "end"]


async def test_mail_is_delivered_without_a_lifespan(
    site: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site.program() as program:
        await program.post("/auth/sign-up", json={"email": EMAIL, "password": PASSWORD})
        assert EMAIL in capsys.readouterr().out
        assert EMAIL in (await program.get("/auth/dev/mail")).text


def test_a_lifespan_delivers_mail_and_may_run_again(
    site: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    add_me(site)
    for number in range(2):
        with program_in_thread(site.app) as client:
            wish = {"email": f"user{number}@example.com", "password": PASSWORD}
            assert client.post("/auth/sign-up", json=wish, headers=PROGRAM).status_code == 202
            assert client.get("/me", headers=PROGRAM).status_code == 401
        assert f"user{number}@example.com" in capsys.readouterr().out
    # Also without one, after all of them.
    assert program_in_thread(site.app).get("/me", headers=PROGRAM).status_code == 401


def test_a_server_that_was_made_before_a_fork_is_not_used_behind_it(
    site: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.auth.server
    monkeypatch.setattr("os.getpid", lambda: 1)
    with program_in_thread(site.app) as client:
        assert client.get("/auth/session", headers=PROGRAM).status_code == 401
        assert site.auth.server is not before
    asyncio.run(before.close())


def test_a_websocket_is_known_by_its_cookie_or_token_if_it_comes_from_the_site(site: Application) -> None:
    @site.app.websocket("/ws")
    async def echo(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(f"{user.email} {user.via}")
        await websocket.close()

    asyncio.run(site.add_user())
    cookie = f"{SESSION}={asyncio.run(site.cookies())[SESSION]}"
    client = program_in_thread(site.app)
    same = {"cookie": cookie, "origin": "https://testserver"}
    with client.websocket_connect("wss://testserver/ws", headers=same) as socket:
        assert socket.receive_text() == f"{EMAIL} cookie"
    with client.websocket_connect("wss://testserver/ws", headers=asyncio.run(site.bearer())) as socket:
        assert socket.receive_text() == f"{EMAIL} bearer"


@pytest.mark.asvs("4.4.2")
@pytest.mark.parametrize(
    "headers, reason",
    [
        ({}, "not_signed_in"),
        ({"cookie": "{cookie}"}, "cross_site_request"),
        ({"cookie": "{cookie}", "origin": "https://evil.example"}, "cross_site_request"),
        ({"cookie": "{cookie}", "origin": "http://testserver"}, "cross_site_request"),
        (
            {"cookie": "{cookie}", "origin": "https://testserver", "sec-fetch-site": "cross-site"},
            "cross_site_request",
        ),
        ({"authorization": "Bearer abc"}, "invalid_token"),
    ],
)
def test_a_websocket_of_another_site_is_refused_before_its_handshake(
    site: Application, headers: dict[str, str], reason: str
) -> None:
    @site.app.websocket("/ws")
    async def echo(websocket: WebSocket, user: CurrentUser) -> None:
        pytest.fail("it was let in")

    asyncio.run(site.add_user())
    cookie = f"{SESSION}={asyncio.run(site.cookies())[SESSION]}"
    given = {name: value.format(cookie=cookie) for name, value in headers.items()}
    with (
        pytest.raises(WebSocketDisconnect) as told,
        program_in_thread(site.app).websocket_connect("wss://testserver/ws", headers=given),
    ):
        pytest.fail("it was let in")
    assert (told.value.code, told.value.reason) == (1008, reason)


async def test_it_works_behind_a_real_server(site: Application) -> None:
    add_me(site)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(site.app, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=f"http://localhost:{port}", headers=PROGRAM) as client:
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            await site.add_user()
            assert (await client.get("/me")).status_code == 401
            signed_in = await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
            bearer = {"authorization": f"Bearer {signed_in.json()['access_token']}"}
            assert (await client.get("/me", headers=bearer)).json() == EMAIL
            assert (await client.post("/auth/sign-out", headers=bearer)).status_code == 204
            assert (await client.get("/me", headers=bearer)).status_code == 401
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    "referer, back",
    [
        ("https://testserver/basket?full=1", "%2Fbasket"),
        ("https://evil.example/basket", "%2F"),
        ("https://testserver//evil.example", "%2F"),
        ("", "%2F"),
    ],
)
async def test_who_sends_a_form_without_being_signed_in_comes_back_to_the_page_of_the_form(
    referer: str, back: str
) -> None:
    async with application(FastAPI()) as site:

        @site.app.post("/orders")
        async def order(user: CurrentUser) -> None: ...

        async with site.browser() as browser:
            response = await browser.post("/orders", headers={"Referer": referer, "Accept": "text/html"})
    assert response.headers["location"] == "/auth/sign-in" + (f"?next={back}" if back else "")
