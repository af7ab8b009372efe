"""What is answered must not tell whether an address has an account: not its text, status, headers or length."""

import httpx
import pytest

from tests.web.sites import EMAIL, PASSWORD, Site, without_nonces

pytestmark = pytest.mark.anyio

STRANGER = "bob@example.com"
assert len(STRANGER) == len(EMAIL)


def anonymous(response: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    status, headers, text = without_nonces(response)
    return status, headers, text.replace(EMAIL, "…").replace(STRANGER, "…")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "path, form",
    [
        ("/auth/sign-in", {"password": "wrong password"}),
        ("/auth/sign-up", {"password": PASSWORD}),
        ("/auth/sign-up", {"password": "password"}),
        ("/auth/forgotten", {}),
    ],
)
async def test_user_enumeration(site: Site, accept: str, path: str, form: dict[str, str]) -> None:
    await site.add_user()
    seen = []
    for email in (EMAIL, STRANGER):
        async with site.browser() as browser:
            browser.headers["accept"] = accept
            seen.append(anonymous(await browser.post(path, data={"email": email, **form})))
    assert seen[0] == seen[1]


async def test_user_enumeration_by_a_disabled_account(site: Site) -> None:
    await site.add_user()
    await site.server.flows.administration.disable(EMAIL)
    async with site.browser() as browser:
        seen = [
            anonymous(await browser.post("/auth/sign-in", data={"email": email, "password": PASSWORD}))
            for email in (EMAIL, STRANGER)
        ]
    assert seen[0] == seen[1]
    assert seen[0][0] == 401


async def test_user_enumeration_by_the_limits(site: Site) -> None:
    """Guessing is limited for an address that has no account just as for one that has."""
    await site.add_user()
    statuses = []
    async with site.program() as program:
        for email in (EMAIL, STRANGER):
            form = {"email": email, "password": "wrong password"}
            statuses.append([(await program.post("/auth/sign-in", json=form)).status_code for _ in range(12)])
    assert statuses[0] == statuses[1]
    assert 429 in statuses[0]


async def test_user_enumeration_by_another_address_for_the_account(site: Site) -> None:
    await site.add_user()
    await site.add_user(STRANGER)
    async with site.signed_in_browser() as browser:
        seen = [
            anonymous(await browser.post("/auth/account/email", data={"new_email": email}))
            for email in (STRANGER, "eve@example.com")
        ]
    assert seen[0] == seen[1]
