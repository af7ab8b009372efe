import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from coatcheck.web import bodies
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example"},
        {"forwarded": "host=evil.example;proto=http"},
        {"x-host": "evil.example", "x-forwarded-server": "evil.example", "x-original-url": "//evil.example"},
        {"host": "testserver:443@evil.example"},
        {"host": 'testserver"><a href="//evil.example'},
    ],
)
async def test_host_header_poisoning_in_reset_mails(site: Site, headers: dict[str, str]) -> None:
    await site.add_user()
    async with site.program() as program:
        sent = await program.post("/auth/forgotten", json={"email": EMAIL}, headers=headers)
        page = await program.get("/auth/account", headers={**headers, "accept": "text/html"})
    assert sent.status_code == 202
    assert page.headers["location"].startswith("/auth/sign-in")
    letter = (await site.letters())[-1]
    assert letter.links[0].startswith(f"{ORIGIN}/auth/reset?token=")
    assert "evil" not in letter.text + letter.html


@pytest.mark.parametrize(
    "email",
    [
        "ann@example.com\r\nBcc: evil@example.com",
        "ann@example.com\nSubject: x",
        "ann@example.com%0d%0aBcc: evil@example.com",
        "ann@example.com, evil@example.com",
        "ann@example.com\x00",
        "<ann@example.com>",
        "ann@example.com\u2028Bcc: x",
    ],
)
async def test_header_injection_through_an_address(site: Site, email: str) -> None:
    await site.add_user()
    async with site.program() as program:
        for path in ("/auth/forgotten", "/auth/sign-up"):
            response = await program.post(path, json={"email": email, "password": PASSWORD})
            assert response.status_code == 422
            assert "Bcc" not in str(response.headers)
    assert await site.letters() == []


async def test_script_injection_through_every_field(site: Site) -> None:
    evil = '"><script>alert(1)</script>'
    async with site.browser() as browser:
        pages = [
            await browser.post("/auth/sign-in", data={"email": evil, "password": evil, "next": evil}),
            await browser.post("/auth/sign-up", data={"email": evil, "password": evil, "next": evil}),
            await browser.post("/auth/forgotten", data={"email": evil}),
            await browser.get("/auth/sign-in", params={"next": evil, "done": evil}),
            await browser.get("/auth/reset", params={"token": evil}),
            await browser.get(f"/auth/{evil}"),
        ]
    for page in pages:
        assert "<script>alert" not in page.text


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/sign-up", "/auth/token", "/auth/forgotten"])
async def test_http_parameter_pollution(site: Site, path: str) -> None:
    await site.add_user()
    form = f"email={EMAIL}&email=evil%40example.com&password={PASSWORD}&grant_type=a&grant_type=b"
    async with site.program() as program:
        twice = await program.post(
            path, content=form, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert twice.status_code == 400
        text = '{"email": "ann@example.com", "email": "evil@example.com", "password": "x"}'
        again = await program.post(path, content=text, headers={"content-type": "application/json"})
        assert again.status_code == 400
    async with site.browser() as browser:
        assert (await browser.get("/auth/sign-in?next=/a&next=//evil.example")).status_code == 400


async def test_fields_in_the_query_are_not_fields_of_the_body(site: Site) -> None:
    await site.add_user()
    async with site.program() as program:
        response = await program.post("/auth/sign-in", params={"email": EMAIL, "password": PASSWORD}, json={})
    assert response.status_code == 400


BODIES = {
    "huge": (b"email=" + b"x" * 100_000, "application/x-www-form-urlencoded", 413),
    "huge JSON": (b'{"email": "' + b"x" * 100_000 + b'"}', "application/json", 413),
    "deep JSON": (b'{"email": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "application/json", 400),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "application/json", 400),
    "truncated JSON": (b'{"email": "ann@exam', "application/json", 400),
    "truncated form": (b"email=ann%4", "application/x-www-form-urlencoded", 400),
    "binary form": (bytes(range(256)), "application/x-www-form-urlencoded", 400),
    "binary JSON": (bytes(range(256)), "application/json", 400),
    "UTF-16": ('{"email": "a"}'.encode("utf-16"), "application/json", 400),
    "invalid UTF-8": (b"email=%ff%fe", "application/x-www-form-urlencoded", 400),
    "many fields": (
        b"&".join(b"a%d=b" % each for each in range(5000)),
        "application/x-www-form-urlencoded",
        400,
    ),
    "list": (b"[]", "application/json", 400),
    "huge number": (b'{"email": ' + b"9" * 5000 + b"}", "application/json", 400),
    "XML": (b"<?xml version='1.0'?><!DOCTYPE x>", "application/xml", 415),
    "multipart": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
    "plain text that is JSON": (b'{"email": "a"}', "text/plain", 415),
    "another charset": (b"email=a", "application/x-www-form-urlencoded; charset=utf-7", 415),
}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("body, content_type, status", BODIES.values(), ids=BODIES)
async def test_body_that_is(site: Site, accept: str, body: bytes, content_type: str, status: int) -> None:
    async with site.program() as program:
        program.headers["accept"] = accept
        for path in ("/auth/sign-in", "/auth/sign-up", "/auth/sign-out", "/auth/token"):
            response = await program.post(path, content=body, headers={"content-type": content_type})
            assert response.status_code == status
            assert "Traceback" not in response.text
            assert len(response.text) < 10_000
            if accept == "application/json":
                told = response.json()
                assert told.get("status", status) == status
                assert told.get("code") or told["error"]


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], ["x"], {}, {"x": 1}])
@pytest.mark.parametrize("field", ["email", "password", "next", "credential"])
async def test_body_with_a_field_of_the_wrong_type(site: Site, field: str, value: object) -> None:
    form = {"email": EMAIL, "password": PASSWORD, field: value}
    async with site.program() as program:
        response = await program.post(
            "/auth/sign-in", content=json.dumps(form), headers={"content-type": "application/json"}
        )
    if field == "credential" and value is None:
        assert response.status_code == 401
    else:
        assert (response.status_code, response.json()["field"]) == (400, field)
    assert PASSWORD not in response.text


async def test_body_that_never_ends_is_cut(site: Site) -> None:
    sent: list[Message] = []
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 4096, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/auth/sign-in",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "https",
        "client": ("192.0.2.1", 1),
        "http_version": "1.1",
    }
    await site.server.app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert received < 20


async def test_body_that_is_slow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "TIMEOUT", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        while True:
            await asyncio.sleep(0.005)
            yield b" "

    headers = {"content-type": "application/json"}

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        chunks = trickle()

        async def receive() -> Message:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}

        await site.server.app(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as program:
        response = await program.post("/auth/sign-in", headers=headers)
        assert (response.status_code, response.json()["code"]) == (408, "body_timeout")
        refused = await program.post("/auth/token", headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (408, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/html;q=" + "9" * 5000},
        {"accept": "," * 5000},
        {"cookie": "=;" * 5000},
        {"cookie": "__Host-coatcheck=" + "x" * 8000},
        {"authorization": "Bearer " + "x" * 100_000},
        {"user-agent": "\x7f" * 5000},
        {"x-forwarded-for": "," * 5000},
        {"sec-fetch-site": "x" * 5000, "origin": "x" * 5000},
        {"content-length": "1e9"},
    ],
)
async def test_headers_out_of_range_are_survived(site: Site, headers: dict[str, str]) -> None:
    async with site.program() as program:
        for method, path in (("GET", "/auth/sign-in"), ("POST", "/auth/sign-in"), ("GET", "/auth/session")):
            response = await program.request(method, path, headers=headers)
            assert response.status_code < 500
