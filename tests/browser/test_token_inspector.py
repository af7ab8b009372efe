"""The token inspector in a real browser: while typing, without scripts, and under attack."""

import json
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from coatcheck.jose import Key, jwt
from tests.web.pages.inspector_samples import HOSTILE

RSA = Key.generate("RS256")
PATH = "/auth/dev/token"


def signed() -> str:
    signer = jwt.Signer(RSA, issuer="https://id.example", audience="api", lifetime=timedelta(minutes=5))
    return signer.sign({"sub": "ada"})


def test_typing_is_enough_and_the_token_goes_nowhere_but_to_this_page(person: Callable[..., Page]) -> None:
    page = person()
    page.goto(PATH)
    requests: list[tuple[str, str]] = []
    page.on("request", lambda request: requests.append((request.method, request.url)))
    token = signed()
    page.get_by_label("Token", exact=True).fill(token)
    expect(page.get_by_role("heading", name="Not verified")).to_be_visible()
    expect(page.get_by_text("whom it is about")).to_be_visible()
    page.get_by_label("Key to verify with").fill(RSA.to_pem().decode())
    page.get_by_role("button", name="PS256").click()
    expect(page.get_by_text('The token says "RS256", the key is for PS256').first).to_be_visible()
    page.get_by_label("Algorithm of the key").select_option("RS256")
    expect(page.get_by_role("heading", name="The signature is genuine")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The signature is genuine, and it is in force")
    page.get_by_label("Token", exact=True).fill("x")
    expect(page.get_by_role("heading", name="This is no token")).to_be_visible()
    page.get_by_label("Token", exact=True).fill("x" * 70_000)
    expect(page.get_by_role("heading", name="This is too large")).to_be_visible()
    assert {url for method, url in requests if method == "POST"} == {page.url}
    assert all(url == page.url or "/auth/static/icon." in url for _, url in requests)
    assert page.url.endswith(PATH)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_press_is_enough_without_scripts(person: Callable[..., Page]) -> None:
    page = person(javascript=False)
    page.goto("/")
    page.get_by_role("link", name="token inspector").first.click()
    page.get_by_role("button", name="Try an example").click()
    expect(page.get_by_role("heading", name="The signature is genuine")).to_be_visible()
    page.get_by_text("Also check issuer").click()
    page.get_by_label("Issuer").fill("https://evil.example")
    page.get_by_role("button", name="Look into it").click()
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    assert json.loads(page.get_by_label("Key to verify with").input_value())["kid"] == "example"
    assert page.url.endswith(f"{PATH}#report")  # where the answer is, and nothing else


def test_a_hostile_token_is_shown_as_text_and_fits_a_phone(person: Callable[..., Page]) -> None:
    page = person()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(PATH)
    page.get_by_label("Token", exact=True).fill(HOSTILE)
    expect(page.get_by_role("heading", name="Refused: it is not signed")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.get_by_text(r"\u202e").first).to_be_visible()
    assert page.locator("#report img, #report script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []


def test_a_server_that_has_gone_is_told_in_plain_words(person: Callable[..., Page]) -> None:
    page = person()
    page.goto(PATH)
    page.route("**/*", lambda route: route.abort())
    page.get_by_label("Token", exact=True).fill(HOSTILE)
    expect(page.get_by_role("heading", name="The server does not answer")).to_be_visible()
    page.unroute("**/*")
    page.get_by_role("button", name="Look into it").click()
    expect(page.get_by_role("heading", name="Refused: it is not signed")).to_be_visible()
