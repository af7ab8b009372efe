"""Attacks that only a browser can show: what another site can make a victim's browser do."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from playwright.sync_api import Page

from .test_the_main_job import PASSWORD, is_in, new_address, press, sign_up

People = Callable[..., Page]


class Evil(BaseHTTPRequestHandler):
    """Another site: it serves whatever the test has written."""

    page: ClassVar[str] = ""

    def do_GET(self) -> None:
        body = self.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture(scope="module")
def evil() -> Iterator[Callable[..., str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def serve(page: str, host: str = "127.0.0.1") -> str:
        Evil.page = page
        return f"http://{host}:{server.server_port}/"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def a_form(action: str, **fields: str) -> str:
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    return f'<form method="post" action="{action}">{inputs}</form><script>document.forms[0].submit()</script>'


# 127.0.0.1 is another site than localhost; evil.localhost is a sibling of it, and another port is another origin.
others = pytest.mark.parametrize("host", ["127.0.0.1", "evil.localhost", "localhost"])


@others
def test_csrf_a_form_on_another_origin_cannot_sign_the_victim_out(
    host: str, person: People, evil: Callable[..., str], site: str
) -> None:
    page = person()
    sign_up(page, new_address())
    page.goto(evil(a_form(f"{site}/auth/sign-out"), host))
    page.wait_for_url(f"{site}/**")
    assert is_in(page)


@others
def test_login_csrf_a_form_on_another_origin_cannot_sign_the_victim_in_as_the_attacker(
    host: str, person: People, evil: Callable[..., str], site: str
) -> None:
    attacker, victim, email = person(), person(), new_address()
    sign_up(attacker, email)
    victim.goto(evil(a_form(f"{site}/auth/sign-in", email=email, password=PASSWORD), host))
    victim.wait_for_url(f"{site}/**")
    assert not is_in(victim)


@others
def test_csrf_a_script_on_another_origin_cannot_read_who_is_signed_in(
    host: str, person: People, evil: Callable[..., str], site: str
) -> None:
    page = person()
    sign_up(page, new_address())
    script = f"fetch('{site}/auth/session', {{credentials: 'include'}})"
    page.goto(
        evil(
            f"<script>{script}.then(r => r.text(), () => 'refused').then(t => document.title = t)</script>",
            host,
        )
    )
    page.wait_for_function("document.title !== ''")
    assert page.title() == "refused"


def test_clickjacking_no_page_can_be_framed(person: People, evil: Callable[..., str], site: str) -> None:
    page = person()
    sign_up(page, new_address())
    page.goto(evil(f'<iframe src="{site}/auth/devices"></iframe>'))
    page.wait_for_timeout(500)
    assert not any(frame.get_by_text("Your devices").count() for frame in page.frames)


def test_open_redirect_after_sign_in_leads_to_no_other_site(
    person: People, evil: Callable[..., str], site: str
) -> None:
    page, email = person(), new_address()
    sign_up(page, email)
    elsewhere = evil("elsewhere").removeprefix("http:")
    for target in (
        f"http:{elsewhere}",
        elsewhere,
        f"/\\{elsewhere[2:]}",
        "javascript:alert(1)",
        f"/%09{elsewhere}",
    ):
        page.context.clear_cookies()
        page.goto(f"/auth/sign-in?next={target}")
        page.locator("input[name=email]").fill(email)
        page.locator("input[name=password]").fill(PASSWORD)
        press(page, "Sign in")
        assert page.url.startswith(f"{site}/"), target


def test_cookie_tossing_a_sibling_cannot_plant_a_session(person: People, site: str) -> None:
    attacker, victim, email = person(), person(), new_address()
    sign_up(attacker, email)
    planted = next(each["value"] for each in attacker.context.cookies() if each["name"] == "__Host-coatcheck")
    # What a sibling may do: set a cookie for the common domain. The prefix makes the browser refuse it.
    victim.goto(site.replace("localhost", "evil.localhost") + "/")
    victim.evaluate(f"document.cookie = '__Host-coatcheck={planted}; Domain=localhost; Path=/; Secure'")
    assert not is_in(victim)


def test_session_fixation_a_planted_session_is_not_the_one_that_is_signed_in(
    person: People, site: str
) -> None:
    attacker, victim = person(), person()
    addresses = new_address(), new_address()
    sign_up(attacker, addresses[0])
    sign_up(victim, addresses[1])
    planted = next(each for each in attacker.context.cookies() if each["name"] == "__Host-coatcheck")
    victim.context.clear_cookies()
    # Chromium takes such a cookie for an https address only; it does not tell ports and schemes apart afterwards.
    victim.context.add_cookies(
        [
            {
                "name": planted["name"],
                "value": planted["value"],
                "url": site.replace("http:", "https:"),
                "secure": True,
            }
        ]
    )
    victim.goto("/auth/forgotten")
    fields = {"email": addresses[1], "password": PASSWORD}
    with victim.expect_navigation():
        victim.evaluate(
            """fields => {
                const form = document.createElement("form");
                [form.method, form.action] = ["post", "/auth/sign-in"];
                form.innerHTML = Object.entries(fields).map(([n, v]) => `<input name="${n}" value="${v}">`).join("");
                document.body.append(form);
                form.submit();
            }""",
            fields,
        )
    now = next(each["value"] for each in victim.context.cookies() if each["name"] == "__Host-coatcheck")
    assert now != planted["value"]
    assert not is_in(attacker)
