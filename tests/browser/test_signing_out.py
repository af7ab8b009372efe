"""Signing out of apps in a real browser: by redirect, by frames, and by the server itself."""

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_the_main_job import new_address, press, sign_up

People = Callable[..., Page]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class App:
    """An app on an origin of its own, which notes what it is asked."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._changed = threading.Condition()

    def note(self, method: str, path: str, fields: dict[str, str]) -> None:
        with self._changed:
            self.seen.append((method, path, fields))
            self._changed.notify_all()

    def wait_for(self, method: str, path: str) -> dict[str, str]:
        def found() -> list[dict[str, str]]:
            return [fields for each, at, fields in self.seen if (each, at) == (method, path)]

        with self._changed:
            assert self._changed.wait_for(lambda: bool(found()), 20), self.seen
            return found()[0]


@contextmanager
def running() -> Iterator[App]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            app.note("GET", parts.path, dict(parse_qsl(parts.query)))
            body = b"<!doctype html><title>app</title><h1>The app</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            app.note("POST", self.path, dict(parse_qsl(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        app = App(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield app
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(name="app")
def an_app() -> Iterator[App]:
    with running() as made:
        yield made


def register(site: str, app: App, *, framed: bool) -> str:
    metadata = {
        "client_name": "The app",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [f"{app.origin}/cb"],
        "post_logout_redirect_uris": [f"{app.origin}/bye"],
        "backchannel_logout_uri": f"{app.origin}/back",
        "id_token_signed_response_alg": "ES256",
        **({"frontchannel_logout_uri": f"{app.origin}/front"} if framed else {}),
    }
    answer = httpx.post(f"{site}/auth/register", json=metadata)
    assert answer.status_code == 201, answer.text
    client_id: str = answer.json()["client_id"]
    return client_id


def let_in(page: Page, site: str, app: App, client_id: str) -> str:
    """Let the app in, and return the ID token that it gets."""
    asked = {
        "client_id": client_id,
        "redirect_uri": f"{app.origin}/cb",
        "response_type": "code",
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page.goto(f"/auth/authorize?{urlencode(asked)}")
    press(page, "Allow")
    (code,) = parse_qs(urlsplit(page.url).query)["code"]
    exchange = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": f"{app.origin}/cb",
        "code_verifier": VERIFIER,
    }
    answer = httpx.post(f"{site}/auth/token", data=exchange)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["id_token"]
    return token


@pytest.mark.parametrize("framed", [True, False], ids=["frames", "redirect"])
def test_an_app_signs_its_user_out_and_gets_the_browser_back(
    person: People,
    site: str,
    app: App,
    framed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    page = person()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    sign_up(page, new_address())
    client_id = register(site, app, framed=framed)
    token = let_in(page, site, app, client_id)
    complaints.clear()
    asked = {"id_token_hint": token, "post_logout_redirect_uri": f"{app.origin}/bye", "state": "s"}
    page.goto(f"/auth/end-session?{urlencode(asked)}")
    expect(page).to_have_url(f"{app.origin}/bye?state=s")
    if framed:
        told = app.wait_for("GET", "/front")
        assert told.keys() == {"iss", "sid"}
    assert app.wait_for("POST", "/back").keys() == {"logout_token"}
    assert complaints == []
    page.goto("/protected")
    expect(page).to_have_url(re.compile("/auth/sign-in"))


def test_who_is_asked_and_says_yes_gets_back_to_the_app(person: People, site: str, app: App) -> None:
    page = person()
    sign_up(page, new_address())
    client_id = register(site, app, framed=False)
    let_in(page, site, app, client_id)
    asked = {"client_id": client_id, "post_logout_redirect_uri": f"{app.origin}/bye"}
    page.goto(f"/auth/end-session?{urlencode(asked)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign out?")
    with page.expect_navigation():
        page.locator("main button[type=submit]").click()
    expect(page).to_have_url(f"{app.origin}/bye")
    app.wait_for("POST", "/back")


def test_without_scripts_there_is_a_link_to_go_on(person: People, site: str, app: App) -> None:
    page = person(javascript=False)
    sign_up(page, new_address())
    token = let_in(page, site, app, register(site, app, framed=True))
    asked = {"id_token_hint": token, "post_logout_redirect_uri": f"{app.origin}/bye"}
    page.goto(f"/auth/end-session?{urlencode(asked)}")
    app.wait_for("GET", "/front")
    with page.expect_navigation():
        page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(f"{app.origin}/bye")


def test_an_app_is_told_when_its_access_is_removed_on_the_page(person: People, site: str, app: App) -> None:
    page = person()
    sign_up(page, new_address())
    let_in(page, site, app, register(site, app, framed=False))
    page.goto("/auth/account")
    page.get_by_role("link", name="See the apps with access").click()
    page.get_by_role("button", name="Remove access").click()
    with page.expect_navigation():
        page.locator("dialog[open] button[value=yes]").click()
    expect(page.get_by_role("status")).to_contain_text("no access any more")
    app.wait_for("POST", "/back")
