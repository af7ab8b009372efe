import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Message

from coatcheck.flows.sign_in import SignIn
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

PAGES = ["/sign-in", "/sign-up", "/forgotten", "/sign-out", "/account", "/devices", "/re-authenticate"]
ACTIONS = [
    *("/sign-in", "/sign-up", "/sign-up/confirm", "/forgotten", "/reset", "/sign-out", "/re-authenticate"),
    *("/account/password", "/account/email", "/account/email/confirm", "/account/deactivate"),
    *(
        "/account/profile",
        "/account/delete",
        "/devices/end",
        "/devices/end-others",
        "/devices/end-all",
        "/token",
    ),
]
DATA = ["/session", "/.well-known/jwks.json"]


def visit(app: Any, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, **options)


async def test_it_answers_below_its_prefix_mounted_or_not(site: Site) -> None:
    mounted, outer = FastAPI(), Starlette(routes=[Mount("/shop", Mount("/auth", site.server.app))])
    mounted.mount("/auth", site.server.app)
    for app, path in (
        (site.server.app, "/auth/forgotten"),
        (mounted, "/auth/forgotten"),
        (outer, "/shop/auth/forgotten"),
    ):
        async with visit(app) as client:
            assert (await client.get(path)).status_code == 200
            assert (await client.get(path + "/")).status_code == 404
            assert (await client.get(path.replace("/auth", ""))).status_code == 404


async def test_it_answers_at_the_root_of_another_application(site: Site) -> None:
    app = Starlette(routes=[Mount("/", site.server.app)])
    async with visit(app) as client:
        assert (await client.get("/auth/forgotten")).status_code == 200
        assert (await client.get("/authx/forgotten")).status_code == 404


@pytest.mark.parametrize("root_path", ["", "/app"])
async def test_it_answers_behind_a_proxy_that_keeps_the_path(site: Site, root_path: str) -> None:
    transport = httpx.ASGITransport(site.server.app, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert (await client.get(f"{root_path}/auth/forgotten")).status_code == 200


async def test_nothing_is_at_other_paths(site: Site) -> None:
    async with site.browser() as browser, site.program() as program:
        for path in ("/", "/auth", "/auth/", "/auth/nothing", "/auth/static/nothing.css", "/auth/dev/mail"):
            page = await browser.get(path)
            assert page.status_code == 404
            assert page.headers["content-type"].startswith("text/html")
            problem = await program.get(path, headers={"accept": "application/json"})
            assert problem.json()["code"] == "not_found"


@pytest.mark.parametrize("page", PAGES + DATA)
async def test_head_is_get_without_the_content(site: Site, page: str) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        got, head = await browser.get(f"/auth{page}"), await browser.head(f"/auth{page}")
    assert head.status_code == got.status_code
    assert head.content == b""
    assert set(head.headers) == set(got.headers)
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize("page", PAGES + ACTIONS + DATA)
async def test_options_says_what_may_be_asked(site: Site, page: str) -> None:
    async with site.program() as program:
        response = await program.options(f"/auth{page}")
        assert response.status_code == 204
        assert "OPTIONS" in response.headers["allow"]
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            refused = await program.request(method, f"/auth{page}")
            assert (refused.status_code, refused.headers["allow"]) == (405, response.headers["allow"])


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_every_answer_has_its_headers(site: Site, accept: str) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        browser.headers["accept"] = accept
        requests = [("GET", f"/auth{each}") for each in PAGES + DATA]
        requests += [("POST", f"/auth{each}") for each in ACTIONS]
        requests += [
            ("GET", "/auth/nothing"),
            ("GET", "/"),
            ("PUT", "/auth/sign-in"),
            ("OPTIONS", "/auth/session"),
        ]
        for method, path in requests:
            headers = (await browser.request(method, path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
            assert headers["referrer-policy"] in {"strict-origin", "no-referrer"}
            open_to_all = headers.get("access-control-allow-origin") == "*"
            expected = "cross-origin" if open_to_all else "same-origin"
            assert headers["cross-origin-resource-policy"] == expected
            assert "Accept" in headers["vary"]
            assert "Cookie" in headers["vary"]
            if not path.endswith("jwks.json"):
                assert headers.get_list("cache-control") == ["no-store"]


async def test_static_files_are_kept_for_ever(site: Site) -> None:
    async with site.browser() as browser:
        response = await browser.get(site.server.pages.static_url("coatcheck.css"))
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert "vary" not in response.headers


async def test_a_failure_is_told_by_number_only_and_logged_with_its_cause(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("something private")

    monkeypatch.setattr(SignIn, "with_password", fail)
    form = {"email": EMAIL, "password": "not to be logged"}
    async with site.browser() as browser, site.program() as program:
        page = await browser.post("/auth/sign-in", data=form)
        problem = await program.post("/auth/sign-in?token=not-to-be-logged", json=form)
    request_id = problem.json()["request_id"]
    assert page.status_code == problem.status_code == 500
    assert problem.json()["code"] == "server_error"
    for shown in (page.text, problem.text):
        assert "private" not in shown
        assert "Zero" not in shown
        assert "Traceback" not in shown
    # Of what the product logs: where everything is logged, the client of this test tells its own URLs too.
    own = "\n".join(
        caplog.handler.format(each) for each in caplog.records if each.name.startswith("coatcheck")
    )
    assert request_id in own
    assert "ZeroDivisionError: something private" in own
    assert "not to be logged" not in own
    assert "not-to-be-logged" not in own


async def test_a_refusal_is_logged_with_its_detail(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="coatcheck.web")
    async with site.program() as program:
        await program.get("/auth/session", headers=bearer("x.y.z"))
        await program.get("/auth/nothing%0d%0aforged")
    assert "invalid_token (" in caplog.text
    assert "\nforged" not in caplog.text


async def test_a_client_that_goes_away_is_no_error(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"content-length", b"10")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/auth/sign-in",
        "query_string": b"",
        "headers": headers,
        "scheme": "https",
        "client": ("127.0.0.1", 1),
    }
    await site.server.app(scope, gone, send)
    assert sent == []
    assert caplog.records == []


async def test_a_websocket_is_closed(site: Site) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/auth/sign-in", "headers": [], "query_string": b""}
    await site.server.app(scope, receive, send)
    await site.server.app.nowhere(scope, receive, send)
    assert [each["type"] for each in sent] == ["websocket.close"] * 2


async def test_other_routes_of_a_site_answer_errors_in_the_same_way(site: Site) -> None:
    async def protected(request: Request) -> Response:
        try:
            identity = await site.server.gate.require(dict(request.scope))
        except Exception as error:  # noqa: BLE001 - as a framework's handler would
            return await site.server.app.answer(request, error)
        return Response(identity.email)

    app = Starlette(routes=[Route("/protected", protected), Mount("/", site.server.app.nowhere)])
    async with visit(app, headers={"accept": "text/html"}) as client:
        asked = await client.get("/protected?a=b&c=d")
        assert asked.headers["location"] == "/auth/sign-in?next=%2Fprotected%3Fa%3Db%26c%3Dd"
        missing = await client.get("/nothing")
        assert missing.status_code == 404
        assert missing.headers["content-type"].startswith("text/html")
    async with visit(app, headers=bearer("x")) as client:
        refused = await client.get("/protected")
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]


async def test_development_shows_its_mail_and_answers_this_machine_only() -> None:
    async with open_site(mode="development", base_url="http://localhost:8000", smtp_url=None) as site:
        kept = [
            type("Mail", (), {"to": EMAIL, "subject": "Hello", "text": "Body", "links": ("/x",), "at": 1.0})()
        ]
        mails = type("Mails", (), {"mails": kept})()
        from coatcheck.web.app import AuthApp

        app = AuthApp(
            site.server.flows,
            site.server.gate,
            site.server.pages,
            options=site.server.app.site.options,
            mails=mails,
        )
        base = {"accept": "text/html"}
        async with visit(app, headers=base) as client:
            client.base_url = httpx.URL("http://localhost:8000")
            sent = await client.post(
                "/auth/sign-up",
                data={"email": EMAIL, "password": PASSWORD},
                headers={"origin": "http://localhost:8000"},
            )
            assert "/auth/dev/mail" in sent.text
            listing = await client.get("/auth/dev/mail")
            assert "Hello" in listing.text
            link = listing.text.partition('href="/auth/dev/mail/')[2].partition('"')[0]
            assert "Body" in (await client.get(f"/auth/dev/mail/{link}")).text
            assert (await client.get("/auth/dev/mail/other")).status_code == 404
            for host in ("evil.example", "localhost.evil.example"):
                for path in ("/auth/dev/mail", "/auth/nothing", "/"):
                    refused = await client.get(path, headers={"host": host})
                    assert refused.status_code == 421
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            refused = await client.get("/auth/dev/mail", headers={"accept": "application/json"})
            assert (refused.status_code, refused.json()["code"]) == (403, "development_client")


async def test_with_anti_forgery_tokens_every_form_needs_the_pages_own() -> None:
    async with open_site(csrf="token") as site:
        await site.add_user()
        form = {"email": EMAIL, "password": PASSWORD}
        async with site.browser() as browser:
            assert (await browser.post("/auth/sign-in", data=form)).status_code == 403
            page = await browser.get("/auth/sign-in")
            token = browser.cookies["__Host-coatcheck-csrf"]
            assert token in page.text
            wrong = await browser.post("/auth/sign-in", data={**form, "csrf_token": token + "x"})
            assert wrong.status_code == 403
            done = await browser.post("/auth/sign-in", data={**form, "csrf_token": token})
            assert done.status_code == 303
            assert browser.cookies["__Host-coatcheck-csrf"] != token, "it is bound to the session"
            assert (await browser.post("/auth/sign-out", data={"csrf_token": token})).status_code == 403
            new = browser.cookies["__Host-coatcheck-csrf"]
            assert (await browser.get("/auth/session")).status_code == 200
            header = await browser.post("/auth/devices/end-others", headers={"x-csrf-token": new})
            assert header.status_code == 303
            assert (await browser.post("/auth/sign-out", data={"csrf_token": new})).status_code == 303
            assert SESSION not in browser.cookies


@pytest.mark.parametrize("kind", ["access-token", "id-token"])
async def test_a_token_cookie_goes_with_the_session_where_it_is_on(kind: str) -> None:
    async with open_site(token_cookie=kind) as site:
        await site.add_user()
        async with site.signed_in_browser() as browser:
            first = browser.cookies["__Host-coatcheck-token"]
            assert first.count(".") == 2
            browser.cookies.delete("__Host-coatcheck-token")
            await browser.get("/auth/session")
            assert browser.cookies["__Host-coatcheck-token"].count(".") == 2
            await browser.post("/auth/sign-out")
            assert "__Host-coatcheck-token" not in browser.cookies
