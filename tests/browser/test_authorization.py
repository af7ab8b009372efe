"""Apps that send people here, in Chromium: the way there and back, with all that the browser may refuse on it."""

import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from .test_the_main_job import PASSWORD, fill, new_address, open_newest_mail_to, press, sign_up

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class App:
    """An app on another origin, which keeps the answers that it gets and sends browsers on from there."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.origin = f"http://127.0.0.1:{server.server_address[1]}"
        self.callback = f"{self.origin}/cb"
        self.answers: list[dict[str, str]] = []
        self.client_id = ""

    def asks(self, site: str, **changes: str) -> str:
        """Return the address that the app sends browsers to."""
        request = {
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": "openid profile email offline_access",
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{site}/auth/authorize?{urlencode(request | changes)}"


@pytest.fixture
def app(site: str) -> Iterator[App]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/cb":
                self._keep(parts.query)
            else:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<h1>Welcome to the album</h1>")

        def do_POST(self) -> None:
            self._keep(self.rfile.read(int(self.headers["content-length"])).decode())

        def _keep(self, answer: str) -> None:
            known.answers.append(dict(parse_qsl(answer)))
            self.send_response(303)
            self.send_header("Location", "/home")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = App(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        registered = {
            "client_name": "Photo Album",
            "redirect_uris": [known.callback],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{site}/auth/register",
            data=json.dumps(registered).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            known.client_id = json.load(response)["client_id"]
        yield known
        server.shutdown()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_person_signs_in_consents_and_arrives_at_the_app(
    person: Callable[..., Page], site: str, app: App, *, javascript: bool
) -> None:
    page = person(javascript=javascript)
    email = new_address()
    sign_up(page, email)
    page.context.clear_cookies()
    page.goto(app.asks(site, login_hint=email))
    expect(page.get_by_text("You go on to Photo Album")).to_be_visible()
    expect(page.locator("input[name=email]:visible")).to_have_value(email)
    fill(page, password=PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Photo Album asks for access")
    expect(page.get_by_text("Not verified")).to_be_visible()
    press(page, "Allow")
    # The whole chain behind the form was let through: to the app, and to where that sent the browser on.
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to the album")
    (answer,) = app.answers
    assert answer.keys() == {"code", "state", "iss"}
    # Again: asked anew, since another program could pose as one on the loopback interface; this time no.
    page.goto(app.asks(site, response_mode="form_post"))
    page.get_by_role("button", name="Deny", exact=True).click()
    if not javascript:
        press(page, "Go on")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to the album")
    assert app.answers[1]["error"] == "access_denied"


def test_a_person_makes_an_account_on_the_way(person: Callable[..., Page], site: str, app: App) -> None:
    page, email = person(), new_address()
    page.goto(app.asks(site, prompt="create"))
    expect(page.get_by_text("You go on to Photo Album")).to_be_visible()
    fill(page, email=email, password=PASSWORD)
    press(page, "Create account")
    open_newest_mail_to(page, email)
    press(page, "Confirm and sign in")
    press(page, "Allow")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to the album")
    assert "code" in app.answers[0]


def test_a_password_is_asked_for_once_more_and_leads_to_the_app(
    person: Callable[..., Page], site: str, app: App
) -> None:
    page, email = person(), new_address()
    sign_up(page, email)
    page.goto(app.asks(site, prompt="login"))
    expect(page.get_by_text("Photo Album wants to be sure")).to_be_visible()
    fill(page, password=PASSWORD)
    press(page, "Continue")
    press(page, "Allow")
    expect(page).to_have_url(re.compile(re.escape(app.origin)))


def test_clickjacking_the_question_is_not_shown_in_a_frame(
    person: Callable[..., Page], site: str, app: App
) -> None:
    page, email = person(), new_address()
    sign_up(page, email)
    page.goto(f"{app.origin}/home")
    page.evaluate(
        "(url) => { const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame); }",
        app.asks(site),
    )
    page.wait_for_timeout(500)
    frame = page.frames[1]
    assert frame.locator("button").count() == 0
    assert not app.answers
