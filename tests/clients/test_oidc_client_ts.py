"""oidc-client-ts in a browser: an app of another origin that keeps its tokens itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.chromium import launched
from tests.clients import app
from tests.clients.provider import ADA, PASSWORD, Provider
from tests.guards.programs import free_port


@pytest.fixture
def page() -> Iterator[Page]:
    with launched() as browser:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page
        context.close()


def _shown(page: Page) -> dict[str, Any]:
    page.wait_for_function("document.getElementById('user')?.textContent")
    shown: dict[str, Any] = json.loads(page.inner_text("#user"))
    return shown


def test_it_signs_in_renews_and_signs_out(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    port = free_port()
    home = f"http://localhost:{port}"
    added = provider.command(
        *("client", "add", "A page", "--spa", "--redirect-uri", f"{home}/callback"),
        *("--post-logout-uri", f"{home}/gone", "--json"),
    )
    with app.serving(tmp_path_factory.mktemp("app"), port):
        settings = f"authority={provider.issuer}&client_id={added['client_id']}&scope=openid email"
        page.goto(f"{home}/#{settings}")
        page.click("#sign-in")
        page.fill("input[name=email]", ADA)
        page.fill("input[name=password]", PASSWORD)
        page.click("form[method=post] button:has-text('Sign in')")
        page.click("button:has-text('Allow')")
        page.wait_for_url(f"{home}/callback*")
        first = _shown(page)
        assert first["profile"]["iss"] == provider.issuer, first
        page.evaluate("document.getElementById('user').textContent = ''")
        page.click("#renew")
        renewed = _shown(page)
        assert renewed["profile"]["sub"] == first["profile"]["sub"], renewed
        assert renewed["access_token"] != first["access_token"]
        page.click("#sign-out")
        page.wait_for_url(f"{home}/gone*")
        assert _shown(page) == {"gone": True}
