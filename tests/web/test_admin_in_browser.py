"""The page of revocations in Chromium, on a real server: with its script, and without any."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from coatcheck.server import load_settings, open_flows
from tests.chromium import launched
from tests.server.test_processes import PASSWORD, PEOPLE, import_people, serving

ADMIN, SOMEBODY = PEOPLE[:2]


async def _appoint(database: Path) -> None:
    async with open_flows(load_settings(environment={}, database=str(database))) as flows:
        await flows.administration.set_scopes(ADMIN, ["coatcheck:admin"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("site")
    asyncio.run(import_people(directory / "coatcheck.db"))
    asyncio.run(_appoint(directory / "coatcheck.db"))
    with serving(directory) as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Browser]:  # after the site: while it lives, no event loop can run here
    with launched() as browser:
        yield browser


def _signed_in(browser: Browser, url: str, email: str, *, javascript: bool) -> Page:
    page = browser.new_context(java_script_enabled=javascript, reduced_motion="reduce").new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
    return page


def _agree(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    if dialog.count():
        dialog.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_an_administrator_ends_the_sessions_of_a_user_and_then_all(
    browser: Browser, url: str, *, javascript: bool
) -> None:
    theirs = _signed_in(browser, url, SOMEBODY, javascript=False)
    ours = _signed_in(browser, url, ADMIN, javascript=javascript)
    ours.goto(f"{url}/account")
    ours.get_by_role("link", name="Open the revocations").click()
    expect(ours.get_by_role("heading", level=1)).to_have_text("Revocations")

    ours.get_by_label("Which one?").fill(SOMEBODY)
    _agree(ours, "Revoke")
    expect(ours.get_by_role("status")).to_contain_text("1 session ended.")
    expect(ours.locator(".entry").first).to_contain_text(SOMEBODY)
    theirs.goto(f"{url}/account")
    assert "/sign-in" in theirs.url

    ours.get_by_label("Session").check()
    ours.get_by_label("Which one?").fill("no such thing")
    _agree(ours, "Revoke")
    expect(ours.locator("#revoke-value")).to_have_attribute("aria-invalid", "true")
    expect(ours.get_by_label("Session")).to_be_checked()

    ours.locator("summary").filter(has_text="Everything").click()
    ours.get_by_label("I want everybody to sign in again.").check()
    _agree(ours, "Revoke everything")
    expect(ours.get_by_role("status")).to_contain_text("signed out everywhere")
    ours.goto(f"{url}/admin/revocations")
    assert "/sign-in" in ours.url
    for page in (ours, theirs):
        page.context.close()
