"""ASVS 5.0, chapter V4: APIs and web services. Row 4.4.2 is shown in tests/integrations/test_fastapi.py."""

import pytest

from tests.web.sites import EMAIL, PASSWORD, Site, open_site

pytestmark = pytest.mark.anyio

CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
CLAIMED = (
    {"x-forwarded-for": "203.0.113.7"},
    {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"},
    {"forwarded": "for=203.0.113.7;host=evil.example"},
    {"x-user-id": "root", "x-user-email": "root@example.com", "x-remote-user": "root"},
    {"x-authenticated-user": "root", "remote-user": "root", "x-scopes": "coatcheck:admin"},
)


@pytest.mark.asvs("4.1.3")
@pytest.mark.parametrize("headers", CLAIMED, ids=lambda headers: next(iter(headers)))
async def test_v4_1_3_what_a_proxy_would_say_is_not_believed_of_anybody(
    site: Site, headers: dict[str, str]
) -> None:
    async with site.program() as program:
        assert (await program.get("/auth/session", headers=headers)).status_code == 401
        metadata = await program.get("/.well-known/oauth-authorization-server", headers=headers)
        assert "evil.example" not in metadata.text
    async with site.signed_in_browser() as browser:
        told = (await browser.get("/auth/session", headers=headers)).json()["user"]
        assert (told["email"], told["scopes"]) == (EMAIL, [])
        assert "203.0.113.7" not in (await browser.get("/auth/devices", headers=headers)).text


@pytest.mark.asvs("4.1.3")
async def test_v4_1_3_a_trusted_proxy_is_believed_as_to_the_address_alone() -> None:
    async with open_site(trusted_proxies=["127.0.0.1"]) as site:
        await site.add_user()
        async with site.browser() as browser:
            headers = {"x-forwarded-for": "198.51.100.1, 203.0.113.7", "x-forwarded-host": "evil.example"}
            await browser.post("/auth/sign-in", data=CREDENTIALS, headers=headers)
            page = (await browser.get("/auth/devices")).text
    assert "203.0.113.7" in page
    assert "198.51.100.1" not in page  # what the visitor claims stands further left
    assert "evil.example" not in page
