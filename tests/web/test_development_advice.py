"""The adviser of development: a form whose answers are in the address, and the advice beside it."""

from collections.abc import AsyncIterator
from itertools import pairwise
from urllib.parse import urlsplit

import httpx
import pytest

from coatcheck.advice.case_file import read_case
from coatcheck.advice.deciding import advise
from coatcheck.advice.model import Case
from coatcheck.advice.questions import QUESTIONS
from coatcheck.web.routes.development_advice import AdviceQuery
from tests.web.pages.html_reading import Element, every, read
from tests.web.sites import Site, open_site

pytestmark = pytest.mark.anyio

ORIGIN = "http://localhost:8000"
PATH = "/auth/dev/advise"


@pytest.fixture
async def development() -> AsyncIterator[Site]:
    async with open_site(mode="development", base_url=ORIGIN, smtp_url=None) as site:
        yield site


async def get(site: Site, **query: str) -> httpx.Response:
    async with site.client({"accept": "text/html"}) as client:
        client.base_url = httpx.URL(ORIGIN)
        return await client.get(PATH, params=query)


async def look(site: Site, **query: str) -> list[Element]:
    response = await get(site, **query)
    assert response.status_code == 200
    return read(response.text)


def advice_in(elements: list[Element]) -> str:
    (advice,) = (each for each in elements if each.get("id") == "advice")
    return " ".join(advice.text.split())


async def test_the_page_asks_everything_and_chooses_what_is_usual(development: Site) -> None:
    elements = await look(development)
    text = " ".join(each.text for each in every(elements, "form"))
    for question in QUESTIONS:
        assert question.ask in text
        assert question.why in text
        assert all(choice.words in text for choice in question.choices)
    chosen = [each.get("value") for each in every(elements, "option") if each.get("selected") is not None]
    assert chosen == [question.default for question in QUESTIONS if not question.several]
    boxes = [each.get("name") for each in every(elements, "input") if each.get("checked") is not None]
    assert boxes == ["browser"]
    assert "The advice appears here." in advice_in(elements)


async def test_a_form_as_it_stands_is_answered(development: Site) -> None:
    elements = await look(development)
    (form,) = every(elements, "form")
    assert form.get("method") == "get"
    assert urlsplit(form.get("action") or "")[2:] == (PATH, "", "advice")
    filled = {
        str(each.get("name")): str(each.get("value"))
        for each in every(elements, "input")
        if each.get("type") == "hidden" or each.get("checked") is not None
    }
    assert filled == {"asked": "yes", "browser": "yes"}
    said = advice_in(await look(development, **filled))
    assert "The session cookie" in said
    assert "You do not need JWTs" in said


async def test_every_field_of_the_form_is_one_of_the_query(development: Site) -> None:
    elements = await look(development)
    names = {str(each.get("name")) for each in every(elements, "input", "select")}
    assert names == set(AdviceQuery.__struct_fields__)


async def test_the_page_says_what_the_rules_say(development: Site) -> None:
    said = advice_in(
        await look(
            development,
            asked="yes",
            mobile="yes",
            spa="yes",
            hosts="domains",
            backend="false",
            services="yes",
            offline="verifiers",
            assurance="aal2",
            hidden="true",
        )
    )
    advice = advise(
        Case(
            clients=("spa", "mobile"),
            hosts="domains",
            backend=False,
            verifiers=("services",),
            offline="verifiers",
            assurance="aal2",
            hidden=True,
        )
    )
    assert advice.conflicts
    for conflict in advice.conflicts:
        assert conflict.conflict in said
        assert conflict.gives in said
    for each in advice.clients:
        assert each.credential.name in said
        assert each.reason in said
    for statement in (*advice.instead, *advice.checks, *advice.unneeded):
        assert statement.title in said
        assert statement.text in said
    for threat in advice.threats:
        assert threat.threat in said
        assert threat.do in said
    for command in advice.configuration.commands:
        assert command.line in said
    for code in advice.configuration.code:
        assert " ".join(code.text.split()) in said


async def test_the_answers_stay_in_the_form(development: Site) -> None:
    elements = await look(
        development, asked="yes", agent="yes", third_parties="yes", sign_out="minutes", hidden="true"
    )
    boxes = [each.get("name") for each in every(elements, "input") if each.get("checked") is not None]
    chosen = {each.get("value") for each in every(elements, "option") if each.get("selected") is not None}
    assert boxes == ["agent", "third_parties"]
    assert {"minutes", "true"} <= chosen


async def test_the_file_on_the_page_is_the_same_case(development: Site) -> None:
    elements = await look(development, asked="yes", cli="yes", downstream="yes", framework="litestar")
    (text,) = (each.text for each in every(elements, "code") if each.text.startswith("# What calls you?"))
    assert read_case(text.encode()) == Case(clients=("cli",), verifiers=("downstream",), framework="litestar")


async def test_answers_to_what_does_not_matter_are_not_looked_at(development: Site) -> None:
    said = advice_in(await look(development, asked="yes", machine="yes", sign_in="proxy", hosts="domains"))
    assert "What does not go together" not in said
    assert "A key of its own" in said


async def test_nobody_calls_is_no_case(development: Site) -> None:
    elements = await look(development, asked="yes", hosts="domains")
    (alert,) = (each for each in elements if each.get("role") == "alert")
    assert alert.text == "Choose at least one of what calls you."
    assert "The advice appears here." in advice_in(elements)


async def test_sources_are_links_to_where_they_stand_and_tell_nobody_of_the_answers(
    development: Site,
) -> None:
    elements = await look(development, asked="yes", browser="yes")
    links = [each for each in every(elements, "a") if str(each.get("href")).startswith("https://")]
    assert "https://www.rfc-editor.org/rfc/rfc10017.html#section-7.1" in [each.get("href") for each in links]
    assert {each.get("rel") for each in links} == {"noreferrer"}


@pytest.mark.parametrize(
    "query",
    ["hosts=two", "sign_in=%3Cscript%3E", "hidden=True", "asked=yes&asked=yes", "backend", "assurance=%ff"],
)
async def test_a_query_that_no_form_makes_is_refused(development: Site, query: str) -> None:
    async with development.client({"accept": "text/html"}) as client:
        client.base_url = httpx.URL(ORIGIN)
        response = await client.get(f"{PATH}?asked=yes&browser=yes&{query}")
    assert response.status_code == 400
    assert "script>" not in response.text.replace("</script>", "").replace("<script", "")


async def test_there_is_no_such_page_in_production(site: Site) -> None:
    async with site.client({"accept": "text/html"}) as client:
        assert (await client.get(PATH)).status_code == 404


async def test_the_page_needs_no_script_of_its_own(development: Site) -> None:
    elements = await look(development, asked="yes", browser="yes")
    scripts = [str(each.get("src")) for each in every(elements, "script")]
    assert all("coatcheck." in script for script in scripts)
    assert not [each for each in elements if each.get("style") or each.get("onclick")]
    levels = [int(each.tag[1]) for each in every(elements, "h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
