"""Revoking over the web: what administrators do, and what nobody else can."""

import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from coatcheck.flows.access_tokens import AccessTokens
from coatcheck.revocation.model import Entry
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site, bearer, open_site, without_nonces

pytestmark = pytest.mark.anyio

PATH = "/auth/admin/revocations"
ADMIN = "root@example.com"
SCOPE = "coatcheck:admin"
JSON = {"accept": "application/json"}


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator with a browser, beside a user who is signed in nowhere yet."""
    await site.add_user(ADMIN, scopes=SCOPE)
    await site.add_user()
    async with site.signed_in_browser(ADMIN) as browser:
        yield browser


@pytest.fixture
async def program(site: Site, admin: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The same administrator with a program."""
    async with site.program() as program:
        program.headers.update(bearer((await site.tokens(ADMIN))["access_token"]))
        yield program


async def entries(site: Site) -> list[Entry]:
    return await site.server.storage.records.list_entries(after=0, limit=1000)


async def user_id(site: Site, email: str = EMAIL) -> str:
    return (await site.server.flows.administration.find_user(email)).id


# --- what an administrator does ------------------------------------------------------------------------------


async def test_a_program_revokes_a_user_in_one_call(site: Site, program: httpx.AsyncClient) -> None:
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser:
        done = await program.post(PATH, json={"kind": "user", "value": EMAIL})
        assert (done.status_code, done.json()) == (200, {"ended_sessions": 2})
        assert (await browser.get("/auth/session")).status_code == 401
    async with site.program() as theirs:
        refused = await theirs.get("/auth/session", headers=bearer(tokens["access_token"]))
        assert refused.status_code == 401
    assert {entry.actor for entry in await entries(site)} == {f"user:{await user_id(site, ADMIN)}"}


async def test_everything_is_one_call_and_is_answered_though_it_ends_who_asked(
    site: Site, program: httpx.AsyncClient
) -> None:
    await site.tokens()
    done = await program.post(PATH, json={"kind": "everything"})
    assert (done.status_code, done.json()) == (200, {"ended_sessions": 3})
    refused = await program.post(PATH, json={"kind": "everything"})
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert [entry.kind for entry in await entries(site)] == ["everything"]


async def test_everything_may_spare_who_signed_in_since(site: Site, program: httpx.AsyncClient) -> None:
    site.clock.now += 10
    late = await site.tokens()
    done = await program.post(PATH, json={"kind": "everything", "issued_before": site.clock.now})
    assert done.json() == {"ended_sessions": 2}
    async with site.program() as theirs:
        grant = {"grant_type": "refresh_token", "refresh_token": late["refresh_token"]}
        assert (await theirs.post("/auth/token", data=grant)).status_code == 200


async def test_the_history_is_told_to_programs(site: Site, program: httpx.AsyncClient) -> None:
    await program.post(PATH, json={"kind": "client", "value": "first-party"})
    program.headers.update(bearer((await site.tokens(ADMIN))["access_token"]))
    await program.post(PATH, json={"kind": "user", "value": EMAIL})
    answer = await program.get(PATH)
    told = answer.json()["revocations"]
    assert [(each["kind"], each["value"]) for each in told] == [
        ("user", await user_id(site)),
        ("client", "first-party"),
    ]
    assert set(told[0]) == {"seq", "kind", "value", "cutoff", "reason", "actor", "at", "until"}
    assert answer.headers["cache-control"] == "no-store"
    older = await program.get(f"{PATH}?before={told[0]['seq']}")
    assert [each["kind"] for each in older.json()["revocations"]] == ["client"]


async def test_the_page_revokes_and_tells(site: Site, admin: httpx.AsyncClient) -> None:
    await site.tokens()
    done = await admin.post(PATH, data={"kind": "user", "value": f" {EMAIL} "})
    assert (done.status_code, done.headers["location"]) == (303, f"{PATH}?done=user&ended=1")
    page = await admin.get(done.headers["location"])
    assert "1 session ended." in page.text
    assert page.text.count(EMAIL) == 1
    assert f"by {ADMIN}" in page.text
    assert "nonce-" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "query", ["done=x", "done=user&ended=x", "before=-1", "before=" + "9" * 400, "ended=%00"]
)
async def test_a_link_that_says_nonsense_shows_the_page(admin: httpx.AsyncClient, query: str) -> None:
    page = await admin.get(f"{PATH}?{query}")
    assert page.status_code == 200
    assert "sessions ended" not in page.text


async def test_the_page_goes_on_where_it_ends(site: Site, admin: httpx.AsyncClient) -> None:
    for number in range(60):
        await site.server.flows.revoking.token(f"{number:022}", actor="server")
    first = await admin.get(PATH)
    older = re.search(r'href="([^"]*before=[^"]*)"', first.text)
    assert older is not None
    second = await admin.get(older[1])
    assert f"{9:022}" in second.text
    assert f"{10:022}" not in second.text
    assert f"{10:022}" in first.text
    assert "What ended before" in second.text


async def test_the_way_there_is_shown_to_administrators_only(site: Site, admin: httpx.AsyncClient) -> None:
    assert PATH in (await admin.get("/auth/account")).text
    async with site.signed_in_browser() as browser:
        assert PATH not in (await browser.get("/auth/account")).text


# --- an administrator who revokes themselves -----------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [{"kind": "user", "value": ADMIN}, {"kind": "everything", "confirm": "yes"}],
    ids=["user", "everything"],
)
async def test_who_revokes_themselves_is_signed_out_and_sent_to_sign_in(
    site: Site, admin: httpx.AsyncClient, form: dict[str, str]
) -> None:
    old = admin.cookies[SESSION]
    done = await admin.post(PATH, data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/auth/sign-in?done=signed-out")
    assert SESSION not in admin.cookies
    assert not await site.is_alive(old)
    assert (await admin.get(done.headers["location"])).status_code == 200
    again = await admin.post("/auth/sign-in", data={"email": ADMIN, "password": PASSWORD})
    assert again.status_code == 303
    assert (await admin.get(PATH)).status_code == 200


async def test_who_ends_their_own_session_by_json_has_the_answer_and_no_cookie(
    site: Site, admin: httpx.AsyncClient
) -> None:
    session = (await admin.get("/auth/session", headers=JSON)).json()["session"]["id"]
    done = await admin.post(PATH, json={"kind": "session", "value": session}, headers=JSON)
    assert (done.status_code, done.json()) == (200, {"ended_sessions": 1})
    assert SESSION not in admin.cookies


# --- confirmation, step-up -----------------------------------------------------------------------------------


async def test_everything_by_a_form_needs_a_yes(site: Site, admin: httpx.AsyncClient) -> None:
    asked = await admin.post(PATH, data={"kind": "everything"})
    assert asked.status_code == 422
    assert "Please confirm" in asked.text
    assert await entries(site) == []


async def test_asvs_7_5_3_a_browser_must_prove_it_anew_and_then_goes_on(
    site: Site, admin: httpx.AsyncClient
) -> None:
    site.clock.now += 301
    assert (await admin.get(PATH)).status_code == 200
    asked = await admin.post(PATH, data={"kind": "user", "value": EMAIL})
    assert asked.status_code == 303
    assert asked.headers["location"] == "/auth/re-authenticate?next=%2Fauth%2Fadmin%2Frevocations"
    as_json = await admin.post(PATH, json={"kind": "user", "value": EMAIL}, headers=JSON)
    assert (as_json.status_code, as_json.json()["code"]) == (401, "insufficient_user_authentication")
    assert await entries(site) == []
    await admin.post("/auth/re-authenticate", data={"password": PASSWORD})
    assert (await admin.post(PATH, data={"kind": "user", "value": EMAIL})).status_code == 303


# --- attacks -------------------------------------------------------------------------------------------------


async def attempt_all(client: httpx.AsyncClient, **options: Any) -> list[httpx.Response]:
    """Everything that an administrator could do."""
    return [
        await client.get(PATH, **options),
        await client.post(PATH, json={"kind": "user", "value": ADMIN}, **options),
        await client.post(PATH, json={"kind": "everything"}, **options),
        await client.get("/auth/admin/services", **options),
        await client.post("/auth/admin/services", json={"name": "spy"}, **options),
        await client.post("/auth/admin/services/remove", json={"name": "orders"}, **options),
    ]


async def unharmed(site: Site) -> bool:
    services = [each.name for each in await site.server.flows.services.list()]
    return await entries(site) == [] and services == ["orders"]


@pytest.mark.parametrize(
    "scopes", ["", "admin", "coatcheck:admins", "COATCHECK:ADMIN", "coatcheck: admin", "a b c"]
)
@pytest.mark.usefixtures("admin")
async def test_privilege_a_user_with_other_scopes_can_do_nothing(site: Site, scopes: str) -> None:
    await site.server.flows.services.add("orders")
    await site.add_user("eve@example.com", scopes=scopes)
    token = (await site.tokens("eve@example.com"))["access_token"]
    async with site.signed_in_browser("eve@example.com") as browser, site.program() as program:
        for answer in [
            *await attempt_all(program, headers=bearer(token)),
            *await attempt_all(browser, headers=JSON),
        ]:
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
            assert answer.json()["scope"] == SCOPE
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert (await browser.get(PATH)).status_code == 403
    assert await unharmed(site)


@pytest.mark.usefixtures("admin")
async def test_privilege_nobody_can_do_anything(site: Site) -> None:
    await site.server.flows.services.add("orders")
    async with site.program() as program, site.browser() as browser:
        for answer in await attempt_all(program):
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        page = await browser.get(PATH)
        assert page.headers["location"] == "/auth/sign-in?next=%2Fauth%2Fadmin%2Frevocations"
    assert await unharmed(site)


async def test_privilege_ends_with_the_scope(site: Site, program: httpx.AsyncClient) -> None:
    assert (await program.get(PATH)).status_code == 200
    await site.server.flows.administration.set_scopes(ADMIN, [])
    refused = await program.get(PATH)
    assert refused.status_code in {401, 403}


@pytest.mark.usefixtures("admin")
async def test_privilege_a_narrow_token_of_an_administrator_is_not_enough(site: Site) -> None:
    async with site.program() as program:
        signed_in = await program.post(
            "/auth/sign-in", json={"email": ADMIN, "password": PASSWORD, "scope": "read"}
        )
        token = signed_in.json()["access_token"]
        assert (await program.get(PATH, headers=bearer(token))).status_code == 403


@pytest.mark.usefixtures("admin")
async def test_a_token_of_another_audience_is_none(site: Site) -> None:
    await site.server.flows.services.add("orders")
    context = site.server.flows.context
    await site.tokens(ADMIN)
    user = await site.server.flows.administration.find_user(ADMIN)
    session = (await context.storage.records.list_sessions(user.id))[0]
    elsewhere = AccessTokens(
        context.access_tokens.keys,
        context.ledger.registry,
        issuer=ORIGIN,
        audience="https://elsewhere.example",
        lifetime=timedelta(minutes=5),
        clock=site.clock,
    )
    token = await elsewhere.issue(user, session, at=site.clock())
    good = await context.access_tokens.issue(user, session, at=site.clock())
    identity = await context.access_tokens.issue_id_token(user, session, at=site.clock())
    header, _, signature = good.split(".")
    forged = f"{header}.{token.split('.')[1]}.{signature}"
    async with site.program() as program:
        for wrong in (token, identity, forged):
            for answer in await attempt_all(program, headers=bearer(wrong)):
                assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert await unharmed(site)
        assert (await program.get(PATH, headers=bearer(good))).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.testserver", "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
    ],
    ids=["cross-site", "sibling", "sandboxed"],
)
@pytest.mark.parametrize(
    "path, fields",
    [
        (PATH, {"kind": "everything", "confirm": "yes"}),
        (PATH, {"kind": "user", "value": ADMIN}),
        ("/auth/admin/services", {"name": "spy"}),
        ("/auth/admin/services/remove", {"name": "orders"}),
    ],
    ids=["everything", "user", "services", "remove"],
)
async def test_csrf_another_site_cannot_use_an_administrators_cookie(
    site: Site, admin: httpx.AsyncClient, path: str, headers: dict[str, str], fields: dict[str, str]
) -> None:
    await site.server.flows.services.add("orders")
    as_text = json.dumps(fields)
    for answer in (
        await admin.post(path, data=fields, headers=headers),
        await admin.post(path, json=fields, headers=headers),
        await admin.post(path, content=as_text, headers={**headers, "content-type": "text/plain"}),
    ):
        assert answer.status_code in {403, 415}
    assert await unharmed(site)
    assert SESSION in admin.cookies


async def test_csrf_in_token_mode_the_form_carries_its_token() -> None:
    async with open_site(csrf="token") as site:
        await site.add_user(ADMIN, scopes=SCOPE)
        async with site.browser() as browser:
            page = await browser.get("/auth/sign-in")
            await browser.post(
                "/auth/sign-in", data={"email": ADMIN, "password": PASSWORD, "csrf_token": _csrf(page)}
            )
            page = await browser.get(PATH)
            form = {"kind": "client", "value": "first-party"}
            assert (await browser.post(PATH, data=form)).status_code == 403
            assert await entries(site) == []
            done = await browser.post(PATH, data={**form, "csrf_token": _csrf(page)})
            assert done.status_code == 303


def _csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def test_csrf_looking_changes_nothing(site: Site, admin: httpx.AsyncClient) -> None:
    await admin.get(f"{PATH}?kind=everything&confirm=yes&value=x")
    assert (await admin.get("/auth/admin/services/remove?name=orders")).status_code == 405
    assert await entries(site) == []


HOSTILE = {
    "sql": "'; DROP TABLE sessions; --",
    "union": "x' UNION SELECT digest FROM services --",
    "long": "x" * 60_000,
    "newline": "x\nINFO everything ended: by nobody",
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "nul": "x\0y",
    "html": "<script>alert(1)</script>",
    "template": "{{ 7*7 }}",
    "bidi": "\u202egnol",
    "empty": "",
}


@pytest.mark.parametrize("kind", ["user", "session", "token", "client", "key", "everything"])
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
async def test_injection_hostile_values_reach_neither_ledger_log_nor_page(
    site: Site, admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, *, kind: str, value: str
) -> None:
    if kind == "everything" and not value:
        return
    caplog.set_level(logging.DEBUG)
    form = {"kind": kind, "value": value, "confirm": "yes"}
    as_json = await admin.post(PATH, json=form, headers=JSON)
    assert as_json.status_code in {404, 422}
    assert not value or value not in as_json.text
    page = await admin.post(PATH, data=form)
    assert page.status_code in {404, 413, 422}
    assert "<script>alert" not in page.text
    assert "\x1b" not in page.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("coatcheck")]
    assert not [line for line in ours if "\n" in line or "\x1b" in line or (len(value) > 1 and value in line)]
    assert await entries(site) == []
    assert (await admin.get(PATH)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "planet", "value": "x"},
        {"value": "x"},
        {"kind": ["user"], "value": "x"},
        {"kind": "user", "value": 7},
        {"kind": "everything", "issued_before": "now"},
        {"kind": "everything", "issued_before": -5},
        {"kind": "everything", "issued_before": 1e300},
        {"kind": "user", "value": EMAIL, "issued_before": 5},
    ],
    ids=range(8),
)
async def test_what_is_not_in_the_form_is_refused_and_names_the_field(
    site: Site, program: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    refused = await program.post(PATH, json=body)
    assert refused.status_code in {400, 422}
    assert refused.json()["field"] in {"kind", "value", "issued_before"}
    assert await entries(site) == []


async def test_a_token_that_was_typed_is_not_sent_back(site: Site, admin: httpx.AsyncClient) -> None:
    tokens = await site.tokens()
    wrong = tokens["refresh_token"] + ".x"
    page = await admin.post(PATH, data={"kind": "token", "value": wrong})
    assert page.status_code == 422
    assert wrong not in page.text
    typed = await admin.post(PATH, data={"kind": "session", "value": "not one"})
    assert 'value="not one"' in typed.text


@pytest.mark.usefixtures("admin")
async def test_enumeration_who_may_not_ask_learns_nothing_of_who_is_there(site: Site) -> None:
    await site.add_user("eve@example.com")
    session = (await site.tokens())["access_token"]
    async with site.program() as eve:
        eve.headers.update(bearer((await site.tokens("eve@example.com"))["access_token"]))
        answers = {
            str(without_nonces(await eve.post(PATH, json={"kind": kind, "value": value})))
            for kind, value in [
                *(("user", EMAIL), ("user", "nobody@example.com"), ("user", await user_id(site))),
                *(("token", session), ("token", "x"), ("session", "x"), ("client", "first-party")),
                ("key", "x"),
            ]
        }
    assert len(answers) == 1


async def test_only_get_and_post_are_answered(program: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await program.request(method, PATH)).status_code == 405
