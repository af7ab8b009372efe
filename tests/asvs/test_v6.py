"""ASVS 5.0, chapter V6: authentication."""

import asyncio
import inspect
import re
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from coatcheck._core import base64url
from coatcheck._core.secrets import digest
from coatcheck.accounts.blocklist import load_blocklist
from coatcheck.accounts.model import LinkPurpose
from coatcheck.accounts.policy import Rate, ThrottlePolicy
from coatcheck.flows.administration import Administration
from coatcheck.web.routes import all_routes
from tests.asvs.services import allowed_at
from tests.web.sites import EMAIL, PASSWORD, SESSION, Site, open_site, without_nonces

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
NEW_PASSWORD = "something else entirely"
WRONG = "wrong and long"
NOBODY = "bob@example.com"  # as long as EMAIL
ENTRANCES = {"/sign-in", "/sign-up/confirm", "/re-authenticate", "/account/password", "/token"}
"""All paths that give a credential to whoever proves who they are."""


async def post(site: Site, path: str, **fields: str) -> httpx.Response:
    async with site.program() as program:
        return await program.post(f"/auth{path}", json=fields)


async def sign_in(site: Site, password: str = PASSWORD, email: str = EMAIL) -> int:
    return (await post(site, "/sign-in", email=email, password=password)).status_code


async def try_password(site: Site, password: str) -> str:
    """Return why a new password is refused; ``""`` if it is not."""
    answer = await post(site, "/sign-up", email="new@example.com", password=password)
    reason: str = answer.json().get("reason", "")
    assert answer.status_code == (422 if reason else 202)
    return reason


def post_paths(site: Site) -> set[str]:
    routes: list[Any] = all_routes(site.server.app.site)
    return {route.path for route in routes if "POST" in allowed_at(route)}


@pytest.mark.asvs("6.1.1")
def test_v6_1_1_the_limits_on_attempts_are_documented_as_they_are() -> None:
    page = (DOCS / "accounts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([\d,]+) \| (\d+) (s|min) \|", page, re.MULTILINE)
    documented = {
        name: Rate(int(burst.replace(",", "")), float(every) * (60 if unit == "min" else 1))
        for name, burst, every, unit in rows
    }
    policy = msgspec.structs.asdict(ThrottlePolicy())
    assert documented == {name: rate for name, rate in policy.items() if rate is not None}
    assert "lock" in page


@pytest.mark.asvs("6.1.2")
def test_v6_1_2_the_words_that_are_no_passwords_are_documented() -> None:
    page = (DOCS / "accounts.md").read_text(encoding="utf-8")
    assert all(word in page for word in ("`context_words`", "`name`", "e-mail address"))


@pytest.mark.asvs("6.1.3")
@pytest.mark.asvs("6.3.4")
async def test_v6_1_3_every_way_in_is_documented(site: Site) -> None:
    page = (DOCS / "accounts.md").read_text(encoding="utf-8")
    section = page.partition("## Every way in")[2].partition("\n## ")[0]
    assert set(re.findall(r"`POST (/[\w/-]+)`", section)) == ENTRANCES
    assert post_paths(site) - ENTRANCES == {
        *("/sign-up", "/forgotten", "/reset", "/sign-out"),
        *("/account/email", "/account/email/confirm", "/account/deactivate", "/account/delete"),
        "/account/profile",
        *("/devices/end", "/devices/end-others", "/devices/end-all"),
        *("/admin/revocations", "/admin/services", "/admin/services/remove"),
        *(f"/admin/clients{each}" for each in ("", "/change", "/secret", "/key")),
        *(f"/admin/clients{each}" for each in ("/disable", "/enable", "/remove")),
        *(f"/admin/apis{each}" for each in ("", "/change", "/secret", "/remove")),
        *(f"/admin/roles{each}" for each in ("", "/remove", "/give", "/take")),
        *("/admin/permissions/grant", "/admin/permissions/withdraw"),
        # On the way to a client, for who is signed in:
        *("/authorize", "/continue/{handle}"),
        # Out again:
        *("/end-session", "/end-session/confirm", "/applications/remove"),
        # On behalf of clients, for who is signed in:
        *("/authorize", "/continue/{handle}", "/end-session", "/end-session/confirm"),
        *("/account/profile", "/applications/remove"),
        # For clients, as themselves or by tokens:
        *("/par", "/revoke", "/register", "/userinfo"),
        # For services, by their keys:
        *("/introspect", "/signals/stream", "/signals/status", "/signals/verification"),
        *("/signals/subjects/add", "/signals/subjects/remove", "/signals/poll/{stream_id}"),
    }, "a new path: is it a way in?"


@pytest.mark.asvs("6.3.4")
async def test_v6_3_4_no_other_path_gives_a_credential(site: Site) -> None:
    await post(site, "/forgotten", email=EMAIL)
    token = await site.token()
    for path in sorted(post_paths(site) - ENTRANCES):
        answer = await post(
            site, path, email=EMAIL, password=PASSWORD, token=token, new_password=NEW_PASSWORD, confirm="yes"
        )
        given = [cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")]
        assert SESSION not in given or f"{SESSION}=;" in answer.headers["set-cookie"]
        assert "access_token" not in answer.text


@pytest.mark.asvs("6.2.1")
async def test_v6_2_1_a_password_has_eight_characters_at_least(site: Site) -> None:
    assert await try_password(site, "kq3vztm") == "too_short"
    assert await try_password(site, "kq3vztmw") == ""
    assert await try_password(site, "ключевой") == ""  # eight characters, sixteen octets


@pytest.mark.asvs("6.2.2")
@pytest.mark.asvs("6.2.3")
async def test_v6_2_2_people_change_their_password_with_the_current_one(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        for form in (
            {"new_password": NEW_PASSWORD},
            {"current_password": WRONG, "new_password": NEW_PASSWORD},
        ):
            answer = await browser.post("/auth/account/password", data=form)
            assert answer.status_code in {400, 401}
        assert await sign_in(site) == 200
        form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (await browser.post("/auth/account/password", data=form)).status_code == 303
    assert (await sign_in(site), await sign_in(site, NEW_PASSWORD)) == (401, 200)


@pytest.mark.asvs("6.2.4")
async def test_v6_2_4_common_passwords_are_refused_wherever_one_is_chosen(site: Site) -> None:
    assert len(load_blocklist()) >= 3000
    for password in ("password1", "12345678", "QwertyUiop", "iloveyou1"):
        assert await try_password(site, password) == "common"
    await post(site, "/forgotten", email=EMAIL)
    answer = await post(site, "/reset", token=await site.token(), new_password="password1")
    assert answer.json()["reason"] == "common"
    async with site.signed_in_browser() as browser:
        form = {"current_password": PASSWORD, "new_password": "password1"}
        assert (await browser.post("/auth/account/password", data=form)).status_code == 422


@pytest.mark.asvs("6.2.5")
@pytest.mark.parametrize(
    "password", ["kqvztmwxrj", "KQVZTMWXRJ", "8240957316", "&*)!(^%-;'", "            ", "🧥🎩🧣🧤🧦👞👒🌂"]
)
async def test_v6_2_5_any_kinds_of_characters_will_do(site: Site, password: str) -> None:
    assert await try_password(site, password) == ""


PAGES_WITH_PASSWORDS = ("/sign-in", "/sign-up", "/account", "/re-authenticate")


async def password_fields(site: Site) -> list[str]:
    async with site.signed_in_browser() as browser, site.browser() as stranger:
        pages = [(await stranger.get(f"/auth{path}")).text for path in PAGES_WITH_PASSWORDS]
        pages += [(await browser.get(f"/auth{path}")).text for path in PAGES_WITH_PASSWORDS]
        await stranger.post("/auth/forgotten", data={"email": EMAIL})
        pages.append((await stranger.get(await site.link())).text)
    fields = [field for page in pages for field in re.findall(r"<input[^>]*>", page)]
    found = [field for field in fields if re.search(r'name="\w*password"', field)]
    assert len(found) >= 6
    return found


@pytest.mark.asvs("6.2.6")
async def test_v6_2_6_passwords_are_masked(site: Site) -> None:
    assert all('type="password"' in field and 'value=""' in field for field in await password_fields(site))


@pytest.mark.asvs("6.2.7")
async def test_v6_2_7_nothing_hinders_paste_and_password_managers(site: Site) -> None:
    for field in await password_fields(site):
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert "maxlength" not in field
    async with site.browser() as browser:
        page = (await browser.get("/auth/sign-in")).text
        (name,) = re.findall(r'<script src="([^"]+)"', page)
        script = (await browser.get(name)).text
    assert 'autocomplete="username"' in page
    assert "paste" not in script


@pytest.mark.asvs("6.2.8")
async def test_v6_2_8_a_password_is_taken_exactly_as_typed(site: Site) -> None:
    password = "  Mixed Case, e\u0301, and a tail " + "x" * 100
    await site.add_user(NOBODY, password)
    assert await sign_in(site, password, NOBODY) == 200
    for other in (password.strip(), password.lower(), password[:-1], password.replace("e\u0301", "\u00e9")):
        assert await sign_in(site, other, NOBODY) == 401


@pytest.mark.asvs("6.2.9")
async def test_v6_2_9_passwords_may_be_long(site: Site) -> None:
    assert await try_password(site, "kq3vztmw" * 8) == ""
    assert await try_password(site, "kq3vztmw" * 32) == ""
    assert await try_password(site, "kq3vztmw" * 32 + "x") == "too_long"


@pytest.mark.asvs("6.2.10")
async def test_v6_2_10_a_password_does_not_grow_old(site: Site) -> None:
    site.clock.now += 20 * 365 * 24 * 3600.0
    assert await sign_in(site) == 200


@pytest.mark.asvs("6.2.11")
async def test_v6_2_11_words_of_the_site_and_of_the_user_are_refused() -> None:
    async with open_site(name="Umbrellas", context_words=["cloakroom"]) as site:
        for password in ("Umbrellas!", "umbrellas2026", "CloakRoom1", "new@example.com", "example.com"):
            assert await try_password(site, password) == "contextual"
        assert await try_password(site, "cloakroom staircase") == ""


@pytest.mark.asvs("6.3.1")
async def test_v6_3_1_guessing_ends_soon_and_does_not_lock_out_a_known_device(site: Site) -> None:
    async with site.signed_in_browser() as owner:
        await owner.post("/auth/sign-out")
        for _ in range(ThrottlePolicy().account_at_address.burst):
            assert await sign_in(site, WRONG) == 401
        refused = await post(site, "/sign-in", email=EMAIL, password=PASSWORD)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        form = {"email": EMAIL, "password": PASSWORD}
        assert (await owner.post("/auth/sign-in", data=form)).status_code == 303


@pytest.mark.asvs("6.3.1")
async def test_v6_3_1_who_resets_the_password_by_mail_cannot_be_kept_out(site: Site) -> None:
    throttles = ThrottlePolicy()
    async with site.browser() as owner:
        await owner.post("/auth/forgotten", data={"email": EMAIL})
        reset = {"token": await site.token(), "new_password": NEW_PASSWORD}
        assert (await owner.post("/auth/reset", data=reset)).status_code == 303
        for _ in range(throttles.account_at_address.burst):
            await sign_in(site, WRONG)
        assert await sign_in(site, NEW_PASSWORD) == 429
        form = {"email": EMAIL, "password": NEW_PASSWORD}
        assert (await owner.post("/auth/sign-in", data=form)).status_code == 303


@pytest.mark.asvs("6.3.2")
async def test_v6_3_2_nobody_is_there_at_the_beginning() -> None:
    async with open_site() as site:
        assert await site.server.flows.administration.list_users() == []
        for name in ("admin", "root", "admin@testserver"):
            assert await sign_in(site, "admin", name) == 401


@pytest.mark.asvs("6.3.5")
async def test_v6_3_5_a_sign_in_from_a_new_device_is_told_by_mail(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        assert [letter.subject for letter in await site.letters()] == ["New sign-in to Coatcheck"]
        await browser.post("/auth/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert len(await site.letters()) == 1  # it knows the device by now
    assert await sign_in(site) == 200
    assert [letter.to for letter in await site.letters()] == [EMAIL, EMAIL]


@pytest.mark.asvs("6.3.6")
async def test_v6_3_6_a_mailed_link_signs_nobody_in(site: Site) -> None:
    await post(site, "/forgotten", email=EMAIL)
    async with site.browser() as browser:
        form = {"token": await site.token(), "new_password": NEW_PASSWORD}
        answer = await browser.post("/auth/reset", data=form)
        assert answer.headers["location"].startswith("/auth/sign-in")
        assert SESSION not in answer.cookies
        # A sign-up's link needs the password, or the browser in which it was just chosen.
        await post(site, "/sign-up", email=NOBODY, password=PASSWORD)
        answer = await browser.post("/auth/sign-up/confirm", data={"token": await site.token()})
        assert answer.status_code == 401
        assert SESSION not in answer.cookies


@pytest.mark.asvs("6.3.7")
async def test_v6_3_7_changes_are_told_to_the_address_of_before(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await browser.post("/auth/account/password", data=form)
        await browser.post("/auth/account/email", data={"new_email": "new@example.com"})
        await browser.post("/auth/account/email/confirm", data={"token": await site.token()})
        await browser.post("/auth/forgotten", data={"email": "new@example.com"})
        reset = {"token": await site.token(), "new_password": PASSWORD}
        await browser.post("/auth/reset", data=reset)
    told = [(letter.to, letter.subject) for letter in await site.letters()]
    changed = [(to, subject) for to, subject in told if "changed" in subject or "has a new" in subject]
    assert [to for to, _ in changed] == [EMAIL, EMAIL, "new@example.com"], told


@pytest.mark.asvs("6.3.8")
@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/forgotten"])
@pytest.mark.parametrize("kind", ["browser", "program"])
async def test_v6_3_8_no_answer_tells_whether_an_address_has_an_account(
    site: Site, path: str, kind: str
) -> None:
    seen = []
    for email in (EMAIL, NOBODY):
        client = site.browser() if kind == "browser" else site.program()
        form = {"email": email, "password": WRONG}
        async with client:
            answer = await (
                client.post(f"/auth{path}", data=form)
                if kind == "browser"
                else client.post(f"/auth{path}", json=form)
            )
        status, headers, text = without_nonces(answer)
        seen.append((status, headers, text.replace(email, "")))
    assert seen[0] == seen[1]


@pytest.mark.asvs("6.3.8")
async def test_v6_3_8_a_failed_sign_in_takes_a_round_time() -> None:
    async with open_site(hurried=False) as site:
        quantum = site.server.flows.context.policy.failure_quantum.total_seconds()
        await site.add_user()
        await site.add_user("gone@example.com")
        await site.server.flows.administration.disable("gone@example.com")

        async def failure(email: str) -> float:
            start = time.perf_counter()
            assert await sign_in(site, WRONG, email) == 401
            return time.perf_counter() - start

        taken = await asyncio.gather(*map(failure, (EMAIL, NOBODY, "gone@example.com", "no address")))
    assert min(taken) >= quantum * 0.99 > 0.9


@pytest.mark.asvs("6.4.1")
async def test_v6_4_1_who_is_added_gets_a_link_that_is_random_short_lived_and_used_once(site: Site) -> None:
    await site.server.flows.administration.add_user(NOBODY)
    assert await sign_in(site, "", NOBODY) == 401
    token = await site.token()
    assert len(base64url.decode(token.encode())) == 32
    chosen = await post(site, "/reset", token=token, new_password=NEW_PASSWORD)
    again = await post(site, "/reset", token=token, new_password=PASSWORD)
    assert (chosen.status_code, again.status_code) == (200, 410)
    assert await sign_in(site, NEW_PASSWORD, NOBODY) == 200


@pytest.mark.asvs("6.4.2")
async def test_v6_4_2_nobody_is_asked_for_hints_or_questions(site: Site) -> None:
    async with site.signed_in_browser() as browser, site.browser() as stranger:
        pages = [(await stranger.get(f"/auth{path}")).text for path in ("/sign-in", "/sign-up", "/forgotten")]
        pages += [
            (await browser.get(f"/auth{path}")).text for path in ("/account", "/devices", "/re-authenticate")
        ]
    names = {
        name for page in pages for name in re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', page)
    }
    assert names <= {
        *(
            "email",
            "password",
            "next",
            "new_email",
            "current_password",
            "new_password",
            "confirm",
            "session_id",
        ),
        *("name", "given_name", "family_name", "phone_number"),  # the profile: nothing by which one signs in
    }


@pytest.mark.asvs("6.4.6")
async def test_v6_4_6_an_administrator_starts_a_reset_and_learns_nothing(site: Site) -> None:
    administration = site.server.flows.administration
    assert await administration.start_reset(EMAIL) is None  # type: ignore[func-returns-value]
    assert await sign_in(site) == 200  # until the owner chooses another
    assert {letter.to for letter in await site.letters()} == {EMAIL}
    for name, method in inspect.getmembers(Administration, inspect.isfunction):
        assert "password" not in inspect.signature(method).parameters, name


@pytest.mark.asvs("6.5.1")
@pytest.mark.asvs("6.5.5")
async def test_v6_5_1_a_link_works_once_and_not_for_long(site: Site) -> None:
    await post(site, "/forgotten", email=EMAIL)
    first = await site.token()
    site.clock.now += 600
    late = await post(site, "/reset", token=first, new_password=NEW_PASSWORD)
    assert late.status_code == 410
    await post(site, "/forgotten", email=EMAIL)
    second = await site.token()
    site.clock.now += 599
    in_time = await post(site, "/reset", token=second, new_password=NEW_PASSWORD)
    again = await post(site, "/reset", token=second, new_password=PASSWORD)
    assert (in_time.status_code, again.status_code) == (200, 410)


@pytest.mark.asvs("6.5.2")
@pytest.mark.asvs("6.5.3")
@pytest.mark.asvs("6.5.4")
async def test_v6_5_2_links_hold_256_random_bits_and_are_kept_as_digests(site: Site) -> None:
    tokens = set()
    for _ in range(3):
        await post(site, "/forgotten", email=EMAIL)
        tokens.add(await site.token())
    assert len(tokens) == 3
    for token in tokens:
        assert len(base64url.decode(token.encode())) == 32
        link = await site.server.storage.records.find_link(digest(token), LinkPurpose.RESET_PASSWORD)
        assert link is not None
        assert token not in repr(msgspec.structs.asdict(link))
