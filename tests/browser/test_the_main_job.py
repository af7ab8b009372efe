"""A person signs up, signs in, uses a protected page, sees their devices, signs out, and is out."""

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "an umbrella in the corner"
OTHER_PASSWORD = "two gloves and a scarf"

People = Callable[..., Page]
numbers = itertools.count(1)
with_and_without_javascript = pytest.mark.parametrize(
    "javascript", [True, False], ids=["script", "no-script"]
)


def new_address() -> str:
    return f"person{next(numbers)}@example.com"


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"input[name={name}]:visible").fill(value)


def press(page: Page, label: str) -> None:
    """Press a button that leads somewhere, and wait until it has led there: whoever goes on sooner cancels it."""
    with page.expect_navigation():
        page.get_by_role("button", name=label, exact=True).click()


def send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main button[type=submit]").click()


def press_and_agree(page: Page, label: re.Pattern[str]) -> None:
    """Press a button that asks first where there is a script to ask, and wait for what comes of it."""
    with page.expect_navigation():
        page.get_by_role("button", name=label).first.click()
        agree = page.locator("dialog[open] button[value=yes]")
        if agree.count():
            agree.click()


def open_newest_mail_to(page: Page, email: str) -> None:
    """Follow the link in the mail that development shows."""
    mail = page.locator("a.mail-link", has_text=email)
    for _ in range(100):  # without scripts the page does not look again by itself
        page.goto("/auth/dev/mail")
        if mail.count():
            break
        page.wait_for_timeout(100)
    mail.first.click()
    link = page.locator("a[href*='token=']").first.get_attribute("href")
    assert link is not None
    page.goto(link)


def sign_up(page: Page, email: str) -> None:
    page.goto("/protected")
    expect(page).to_have_url(re.compile(r"/auth/sign-in\?next=%2Fprotected$"))
    page.get_by_role("link", name="Create an account").click()
    fill(page, email=email, password=PASSWORD)
    press(page, "Create account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    open_newest_mail_to(page, email)
    press(page, "Confirm and sign in")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/auth/sign-in?next=/protected")
    fill(page, email=email, password=password)
    press(page, "Sign in")


def is_in(page: Page) -> bool:
    page.goto("/protected")
    return page.url.endswith("/protected")


@with_and_without_javascript
def test_a_person_signs_up_looks_around_signs_out_and_is_out(person: People, *, javascript: bool) -> None:
    page, email = person(javascript=javascript), new_address()
    sign_up(page, email)
    assert is_in(page)
    expect(page.get_by_role("main")).to_contain_text(email)
    page.goto("/auth/devices")
    expect(page.get_by_text("This device", exact=True)).to_be_visible()
    press(page, "Sign out")
    page.wait_for_url("**/")
    assert not is_in(page)


@with_and_without_javascript
def test_a_person_ends_another_device_from_the_list(person: People, *, javascript: bool) -> None:
    here, there, email = person(javascript=javascript), person(javascript=javascript), new_address()
    sign_up(here, email)
    sign_in(there, email)
    assert is_in(there)
    here.goto("/auth/devices")
    press_and_agree(here, re.compile("^End the session of"))
    assert not is_in(there)
    assert is_in(here)


@with_and_without_javascript
def test_signing_out_everywhere_signs_out_here_too(person: People, *, javascript: bool) -> None:
    here, there, email = person(javascript=javascript), person(javascript=javascript), new_address()
    sign_up(here, email)
    sign_in(there, email)
    here.goto("/auth/devices")
    press_and_agree(here, re.compile("^End everywhere"))
    assert not is_in(here)
    assert not is_in(there)


@with_and_without_javascript
def test_a_forgotten_password_is_replaced_and_ends_all_sessions(person: People, *, javascript: bool) -> None:
    here, there, email = person(javascript=javascript), person(javascript=javascript), new_address()
    sign_up(here, email)
    there.goto("/auth/sign-in")
    there.get_by_role("link", name="Forgotten your password?").click()
    fill(there, email=email)
    send(there)
    open_newest_mail_to(there, email)
    fill(there, new_password=OTHER_PASSWORD)
    send(there)
    assert not is_in(here)
    sign_in(there, email, OTHER_PASSWORD)
    assert is_in(there)
    sign_in(here, email, PASSWORD)
    expect(here.get_by_role("alert")).to_contain_text("wrong")


def test_another_browser_cannot_confirm_a_sign_up_without_its_password(person: People) -> None:
    attacker, victim, email = person(), person(), new_address()
    attacker.goto("/auth/sign-up")
    fill(attacker, email=email, password=PASSWORD)
    press(attacker, "Create account")
    open_newest_mail_to(victim, email)
    expect(victim.locator("input[type=password]")).to_be_visible()
    fill(victim, password=OTHER_PASSWORD)
    press(victim, "Confirm and sign in")
    assert not is_in(victim)


def test_the_session_cookie_is_a_host_cookie_that_scripts_cannot_read(person: People) -> None:
    page = person()
    sign_up(page, new_address())
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    cookie = cookies["__Host-coatcheck"]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    assert cookie["path"] == "/"
    assert not cookie["domain"].startswith(".")
    assert page.evaluate("document.cookie") == ""
    assert cookie["value"] not in page.content()


def test_the_session_changes_its_secret_at_every_sign_in(person: People) -> None:
    page, email = person(), new_address()

    def secret() -> str:
        return next(each["value"] for each in page.context.cookies() if each["name"] == "__Host-coatcheck")

    sign_up(page, email)
    first = secret()
    page.context.clear_cookies(name="__Host-coatcheck")
    sign_in(page, email)
    assert secret() != first


def test_no_page_of_the_journey_breaks_its_own_content_security_policy(person: People) -> None:
    page, email = person(motion=True), new_address()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_up(page, email)
    for path in ("/", "/protected", "/auth/account", "/auth/devices", "/auth/sign-out", "/auth/dev/mail"):
        page.goto(path)
    assert [each for each in complaints if "404" not in each] == []
