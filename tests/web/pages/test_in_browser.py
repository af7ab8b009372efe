"""The pages in Chromium, on a phone and on a desk, with the script and without."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from coatcheck.web.pages.palette import dark_palette, light_palette

from .conftest import Site
from .samples import NOW, SAMPLES

each_sample = pytest.mark.parametrize("name", SAMPLES)
RECORD_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""
OPEN_DRAWERS = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
REACHABLE = """
Array.from(document.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex='0']"))
  .filter((element) => element.checkVisibility() && element.type !== "hidden" && element.tabIndex >= 0)
  .filter((element) => element.type !== "radio" || element.checked).length  // arrows lead to the others of its group
"""
MARK_FOCUSED = """
document.activeElement.setAttribute("data-reached", "");
document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle === "solid";
"""
# What stands in a line of text is as high as the line (WCAG 2.5.8 excepts it); so is what only the keyboard sees.
SMALL_TARGETS = """
Array.from(document.querySelectorAll(`button, .button, input, select, textarea, label.tick, label.choice, summary,
                                      .brand a`))
  .filter((element) => element.type !== "checkbox" && element.type !== "radio")  // their labels count
  .filter((element) => element.checkVisibility() && element.type !== "hidden")
  .filter((element) => element.getBoundingClientRect().height < 44)
  .map((element) => element.outerHTML)
"""


@pytest.fixture(scope="module")
def phone_and_complaints(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One for all: a page that is left for the next sample is as good as a new one, and sooner there."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    context.add_init_script(RECORD_VIOLATIONS)
    phone, complaints = context.new_page(), list[str]()

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what the sample before still wanted when it was left
            complaints.append(request.url)

    phone.on("console", lambda message: complaints.append(message.text))
    phone.on("pageerror", lambda error: complaints.append(str(error)))
    phone.on("requestfailed", failed)
    yield phone, complaints
    context.close()


@pytest.fixture
def phone(phone_and_complaints: tuple[Page, list[str]]) -> Page:
    return phone_and_complaints[0]


@pytest.fixture
def complaints(phone_and_complaints: tuple[Page, list[str]]) -> list[str]:
    phone_and_complaints[1].clear()
    return phone_and_complaints[1]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def open_page(name: str, *, javascript: bool = True, **options: object) -> Page:
        # A press waits for whatever is moving.
        still: dict[str, Any] = {"reduced_motion": "reduce"} | options
        context = browser.new_context(java_script_enabled=javascript, **still)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.clock.set_fixed_time(datetime.fromtimestamp(NOW + 30, UTC))
        page.goto(site.url(name))
        return page

    yield open_page
    for context in contexts:
        context.close()


@each_sample
def test_a_small_phone_shows_the_page_whole_and_without_complaint(
    name: str, phone: Page, complaints: list[str], site: Site
) -> None:
    phone.goto(site.url(name), wait_until="load")
    phone.evaluate(OPEN_DRAWERS)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    assert phone.evaluate("violations") == []
    assert complaints == []
    assert phone.evaluate(SMALL_TARGETS) == []


@each_sample
def test_the_keyboard_reaches_everything_and_shows_where_it_is(name: str, phone: Page, site: Site) -> None:
    phone.goto(site.url(name), wait_until="load")
    phone.evaluate(OPEN_DRAWERS)
    phone.evaluate("document.activeElement.blur()")
    count = phone.evaluate(REACHABLE)
    for _ in range(count + 1):  # one more: the round leads through the browser itself
        phone.keyboard.press("Tab")
        assert phone.evaluate(MARK_FOCUSED)
    assert phone.locator("body [data-reached]:not([tabindex='-1'])").count() == count


def test_the_policy_stops_what_was_slipped_in(phone: Page, site: Site) -> None:
    phone.goto(site.url("sign-in"))
    phone.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.slippedIn = true";
      const style = document.createElement("style");
      style.textContent = "body { display: none }";
      const image = document.createElement("img");
      image.src = "https://elsewhere.example/x.png";
      document.body.append(script, style, image);
    }""")
    phone.wait_for_function("violations.length >= 3")
    assert set(phone.evaluate("violations")) == {"script-src-elem", "style-src-elem", "img-src"}
    assert phone.evaluate("window.slippedIn") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_follow_the_reader(scheme: str, open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("sign-in", color_scheme=scheme)
    palette = (light_palette if scheme == "light" else dark_palette)(site.brand)
    for selector, property_, name in [
        ("body", "backgroundColor", "ground"),
        (".ticket", "backgroundColor", "card"),
        (".stub", "backgroundColor", "stub"),
        ("h1", "color", "ink"),
        ("button.primary", "backgroundColor", "accent"),
        ("button.primary", "color", "on-accent"),
    ]:
        shown = page.locator(selector).evaluate(f"(element) => getComputedStyle(element).{property_}")
        digits = palette[name].removeprefix("#")
        red, green, blue = (int(digits[at : at + 2], 16) for at in (0, 2, 4))
        assert shown == f"rgb({red}, {green}, {blue})", (selector, name)


def test_a_printed_page_is_light_and_has_no_buttons(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("devices", color_scheme="dark")
    page.emulate_media(media="print")
    ink = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')")
    assert ink == light_palette(site.brand)["ink"]
    expect(page.get_by_role("button")).to_have_count(0)


def test_nothing_moves_for_who_asked_for_that(open_page: Callable[..., Page]) -> None:
    moving = "getComputedStyle(document.querySelector('.ticket-shadow')).animationName"
    assert open_page("sign-in", reduced_motion="reduce").evaluate(moving) == "none"
    assert open_page("sign-in", reduced_motion="no-preference").evaluate(moving) == "hand-over"


def test_a_form_sends_its_origin_but_not_the_secret_in_the_address(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page("reset")
    page.goto(site.url("reset") + "?token=s3cret")
    page.get_by_label("New password", exact=True).fill("four random words here")
    page.get_by_role("button", name="Save the new password").click()
    page.wait_for_url("**/auth/reset")
    [received] = site.received
    assert received.headers["origin"] == site.origin
    assert received.headers["sec-fetch-site"] == "same-origin"
    assert received.headers["referer"] == f"{site.origin}/"
    assert received.fields["new_password"] == "four random words here"
    assert received.fields["token"]


@pytest.mark.parametrize("javascript", [True, False])
def test_one_signs_in_with_the_script_and_without(
    javascript: bool,  # noqa: FBT001 - a table
    open_page: Callable[..., Page],
    site: Site,
) -> None:
    page = open_page("sign-in", javascript=javascript)
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(" pass word ")
    page.get_by_label("Password", exact=True).press("Enter")
    page.wait_for_url("**/auth/sign-in")
    assert [each.fields for each in site.received] == [
        {"email": "ada@example.com", "password": " pass word ", "next": "/inbox"}
    ]


def test_without_the_script_there_is_no_button_that_needs_it(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page("devices", javascript=False)
    page.get_by_role("button", name="End everywhere").click()
    page.wait_for_url("**/auth/devices/end-all")
    assert len(site.received) == 1
    page.goto(site.url("sign-in"))
    expect(page.get_by_role("button")).to_have_count(1)
    page.goto(site.url("account"))
    page.get_by_text("Change").nth(1).click()
    expect(page.get_by_label("Current password")).to_be_visible()


def test_a_password_can_be_looked_at_and_is_hidden_again_when_sent(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page("sign-in")
    field, button = page.locator("#password"), page.get_by_role("button", name="Show the password")
    field.fill("secret words")
    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(field).to_have_attribute("type", "password")
    button.click()
    page.evaluate("document.forms[0].addEventListener('submit', (event) => event.preventDefault())")
    page.locator("#email").fill("ada@example.com")
    page.get_by_role("button", name="Sign in").click()
    expect(field).to_have_attribute("type", "password")


def test_a_password_can_be_pasted(open_page: Callable[..., Page]) -> None:
    page = open_page("sign-in")
    page.locator("#email").fill("pasted@example.com")
    page.locator("#email").press("ControlOrMeta+a")
    page.locator("#email").press("ControlOrMeta+c")
    page.locator("#password").press("ControlOrMeta+v")
    expect(page.locator("#password")).to_have_value("pasted@example.com")


def test_the_first_error_has_the_focus(open_page: Callable[..., Page]) -> None:
    for name, expected in [
        ("sign-in-error", "password"),
        ("sign-up-error", "email"),
        ("account-password-error", "password-current_password"),
        ("account-delete-error", "delete-errors"),
    ]:
        expect(open_page(name).locator(f"#{expected}")).to_be_focused()


def test_nothing_is_ended_before_the_reader_agrees(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("devices")
    end = page.get_by_role("button", name="End the session of curl at 192.0.2.17")
    dialog = page.get_by_role("dialog", name="End the session of curl?")
    end.click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(end).to_be_focused()
    end.click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert site.received == []
    end.click()
    dialog.get_by_role("button", name="End").click()
    page.wait_for_url("**/auth/devices/end")
    assert [each.fields for each in site.received] == [{"session_id": "three", "csrf_token": "c5rf"}]


def test_a_form_that_is_sent_twice_arrives_once_and_works_again_after_going_back(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page("confirm-sign-up")
    page.evaluate("""() => {
      const form = document.forms[0];
      form.requestSubmit();
      form.requestSubmit();
    }""")
    page.wait_for_url("**/auth/sign-up/confirm")
    assert len(site.received) == 1
    page.go_back()
    page.get_by_role("button", name="Confirm and sign in").click()
    page.wait_for_url("**/auth/sign-up/confirm")
    assert len(site.received) == 2


def test_times_are_told_as_a_distance_and_in_full_on_request(open_page: Callable[..., Page]) -> None:
    page = open_page("devices", timezone_id="Europe/Berlin", locale="en-GB")
    times = page.locator(".coat.current time")
    assert times.all_inner_texts() == ["just now", "5 minutes ago", "in 9 days"]
    expect(times.first).to_have_attribute("title", "21 September 2026 at 16:13")


def test_lines_can_be_copied(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("demo-home", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s http://localhost:8000/auth/sign-in \\\n")
    assert json.loads(copied.partition("--json '")[2].removesuffix("'"))["email"] == "you@example.com"
