"""A shop with every mistake that a recording can show. Its server, and a visit to it in a browser."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser

PASSWORD = "correct-horse-CANARY-1"
EMAIL = "ann@shop.example"
SECRET = "shop-secret"
REFRESH = "rt-CANARY-2-aB3dE5fG7hJ9kL1mN"
SESSION = "5e55-CANARY-3-aB3dE5fG7hJ9"
MAILED = "mail-CANARY-4-aB3dE5fG7hJ9"
BACKUP = "backup-CANARY-5-9f8e7d6c5b4a"


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def make_jwt(claims: dict[str, object], secret: str = SECRET, **header: object) -> str:
    message = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", **header}, claims))
    if header.get("alg") == "none":
        return f"{message}."
    return f"{message}.{encoded(hmac.digest(secret.encode(), message.encode(), hashlib.sha256))}"


ACCESS = make_jwt(
    {
        "iss": "https://shop.example",
        "sub": "7",
        "email": EMAIL,
        "pin": BACKUP,
        "iat": 1_700_000_000,
        "exp": 1_800_000_000,
    }
)
ENDLESS = make_jwt({"sub": "7"}, alg="none", jku="https://keys.example/set", kid="../../dev/null")
PADDING = "x" * 3_500

PAGE = f"""<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<form method="post" action="/login"><input name="email"><input name="password" type="password">
<button>Sign in</button></form>
<script>
async function visit(api, other) {{
  const tokens = await (await fetch("/api/token", {{method: "POST", body: new URLSearchParams({{a: 1}})}})).json();
  const bearer = {{headers: {{Authorization: "Bearer " + tokens.access_token}}}};
  await fetch("/api/me", bearer);
  await fetch(api + "/api/me", {{credentials: "include"}});
  await fetch("/api/null", {{credentials: "include"}});
  await fetch("/api/any", bearer);
  await fetch("/api/orders", {{method: "POST", body: new URLSearchParams({{item: 1}})}});
  await fetch("/api/me?access_token=" + tokens.access_token);
  await fetch("/api/check?password={PASSWORD}");
  await fetch("/orders;jsessionid={SESSION}");
  await fetch("/verify?token={MAILED}");
  await fetch("/old/" + tokens.access_token);
  await fetch("/api/secret");
}}
</script>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a browser that leaves hangs up."""


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(
        self, body: str = "", status: int = 200, *headers: tuple[str, str], kind: str = "application/json"
    ) -> None:
        octets = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(octets)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        cookies = self.headers.get("Cookie", "")
        if parts.path == "/":
            cookie = "" if "sid=" in cookies else f"sid={SESSION}; Path=/"
            extra = [("Set-Cookie", cookie)] if cookie else []
            self.answer(PAGE, 200, *extra, kind="text/html")
        elif parts.path == "/api/secret":
            challenge = f'Bearer error="invalid_token", error_description="Traceback in /srv/shop/auth.py:12 {ENDLESS}"'
            self.answer("{}", 401, ("WWW-Authenticate", challenge))
        elif parts.path == "/api/null":
            self.answer(
                "{}",
                200,
                ("Access-Control-Allow-Origin", "null"),
                ("Access-Control-Allow-Credentials", "true"),
            )
        elif parts.path == "/api/any":
            self.answer("{}", 200, ("Access-Control-Allow-Origin", "*"))
        elif parts.path == "/api/me":
            self.me(parts.query)
        elif parts.path == "/logout":
            self.answer("", 302, ("Location", "/bye"))
        elif parts.path == "/callback":
            self.answer("", 302, ("Location", f"/done#access_token={ACCESS}&token_type=Bearer"))
        else:
            self.answer("{}", 200)

    def me(self, query: str) -> None:
        origin = self.headers.get("Origin", "")
        cors = (
            [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
            if origin
            else []
        )
        if "sid=" not in self.headers.get("Cookie", "") and "Authorization" not in self.headers and not query:
            self.answer("{}", 401, *cors)
        else:
            self.answer(json.dumps({"email": EMAIL, "session": SESSION}), 200, *cors)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/login":
            assert parse_qs(content)["password"] == [PASSWORD]
            self.answer(
                "",
                302,
                ("Location", "/account"),
                ("Set-Cookie", f"access_token={ACCESS}; Path=/; Domain=localhost; Max-Age=31536000"),
                ("Set-Cookie", f"id_token={ENDLESS}; Path=/; SameSite=None; Secure"),
                ("Set-Cookie", "__Host-cart_session=12345678; Path=/shop; HttpOnly"),
                ("Set-Cookie", f"prefs={PADDING}; Path=/"),
                (
                    "Set-Cookie",
                    f"auth_profile={encoded(json.dumps({'email': EMAIL}).encode())}.c2ln; Path=/; HttpOnly",
                ),
                ("Set-Cookie", f"sid={SESSION}; Path=/; HttpOnly"),
            )
        elif self.path == "/api/token":
            tokens = {"access_token": ACCESS, "refresh_token": REFRESH}
            self.answer(json.dumps(tokens))
        else:
            self.answer("{}")


@contextmanager
def bad_shop() -> Iterator[str]:
    """Serve the shop on a port of its own."""
    server = _Server(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record_visit(browser: Browser, url: str, file: Path) -> None:
    """Sign in, look around, sign out, and look around again, all of it recorded."""
    context = browser.new_context(base_url=url, record_har_path=file, record_har_content="embed")
    page = context.new_page()
    page.goto("/")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("button")
    page.goto("/")
    page.evaluate("api => visit(api)", url.replace("localhost", "127.0.0.1"))
    page.goto(f"/landing?access_token={ACCESS}")
    page.evaluate("fetch('/api/ping')")
    page.goto("/callback")
    page.goto("/logout")
    page.goto("/")
    page.evaluate("fetch('/api/me')")
    page.goto("/api/me")
    context.close()  # writes the file
