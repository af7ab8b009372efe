import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from coatcheck.web.negotiation import prefers_json

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def prefers(**headers: str) -> bool:
    return prefers_json(Headers({name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.mark.parametrize(
    "accept, json",
    [
        (BROWSER, False),
        ("application/json", True),
        ("application/problem+json", True),
        ("application/json, text/plain, */*", True),
        ("text/html;q=0.5, application/json", True),
        ("text/html, application/json;q=0.9", False),
        ("text/*;q=0.4, application/*;q=0.5", True),
        ("application/json;q=0, */*", False),
        ("text/html;q=0, */*", True),
        ("Application/JSON", True),
        ('application/json; v="1" ; q=0.2, text/html;q=0.1', True),
        ("application/json;q=7, text/html;q=0.1", False),
        ("application/json;q=, text/html;q=0.1", False),
        (",,;;q=1,application/json", True),
    ],
)
def test_the_higher_quality_wins(accept: str, *, json: bool) -> None:
    assert prefers(accept=accept) is json


@pytest.mark.parametrize("accept", ["*/*", "", "image/png", "text/html, application/json"])
def test_a_tie_is_a_page_for_who_follows_a_link_or_sends_a_form(accept: str) -> None:
    assert not prefers(accept=accept, content_type="application/x-www-form-urlencoded")
    assert not prefers(accept=accept, sec_fetch_dest="document", authorization="Basic eA==")


@pytest.mark.parametrize("accept", ["*/*", "", "image/png"])
def test_a_tie_is_json_for_a_program(accept: str) -> None:
    assert prefers(accept=accept)


@pytest.mark.parametrize("accept", ["*/*", "", "image/png"])
def test_a_tie_is_json_for_who_speaks_json_or_shows_a_token_or_is_a_script(accept: str) -> None:
    assert prefers(accept=accept, content_type="application/json; charset=utf-8")
    assert prefers(accept=accept, authorization="bearer abc")
    assert prefers(accept=accept, sec_fetch_dest="empty")


def test_no_accept_at_all_is_a_tie() -> None:
    assert prefers()
    assert not prefers(content_type="application/x-www-form-urlencoded")


def test_several_accept_headers_count_as_one() -> None:
    headers = Headers(raw=[(b"accept", b"text/html;q=0.3"), (b"accept", b"application/json")])
    assert prefers_json(headers)


def test_only_the_first_ranges_are_looked_at() -> None:
    assert prefers(accept="text/plain," * 60 + "text/html")


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_no_header_breaks_it(accept: str) -> None:
    assert prefers(accept=accept) in {True, False}
