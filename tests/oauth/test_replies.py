"""Answers of the authorization endpoint: what they say, and where."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.oauth.display import shown_place
from coatcheck.oauth.errors import AccessDeniedError
from coatcheck.oauth.replies import Reply, ReturnAddress, error_reply, location_of, success_reply

ISSUER = "https://id.example"
URI = "https://app.example/cb"


def test_every_answer_names_its_issuer_and_gives_the_state_back() -> None:
    address = ReturnAddress(redirect_uri=URI, state="s")
    good = success_reply(address, issuer=ISSUER, code="c", id_token=None)
    assert good.parameters == {"code": "c", "state": "s", "iss": ISSUER}
    bad = error_reply(address, AccessDeniedError("No.", detail="for the log"), issuer=ISSUER)
    assert bad.parameters == {
        "error": "access_denied",
        "error_description": "No.",
        "state": "s",
        "iss": ISSUER,
    }
    assert "c" not in repr(good).partition("[")[0].split()


@pytest.mark.parametrize(
    "uri, location",
    [
        (URI, f"{URI}?a=b"),
        (f"{URI}?x=1", f"{URI}?x=1&a=b"),
        (f"{URI}?", f"{URI}?a=b"),
        ("com.example.app:/cb", "com.example.app:/cb?a=b"),
    ],
)
def test_an_answer_in_the_query_keeps_what_the_client_registered(uri: str, location: str) -> None:
    assert location_of(Reply(redirect_uri=uri, mode="query", parameters={"a": "b"})) == location


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["query", "fragment"]))
def test_whatever_the_state_is_it_comes_back_and_changes_nothing_else(state: str, mode: str) -> None:
    address = ReturnAddress(redirect_uri=URI, mode="query" if mode == "query" else "fragment", state=state)
    location = location_of(success_reply(address, issuer=ISSUER, code="c", id_token=None))
    assert location.isascii()
    assert location.isprintable()
    parts = urlsplit(location)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "app.example", "/cb")
    answer = parts.query if mode == "query" else parts.fragment
    assert dict(parse_qsl(answer, keep_blank_values=True)) == {"code": "c", "state": state, "iss": ISSUER}


@pytest.mark.parametrize(
    "uri, place",
    [
        (URI, "app.example"),
        ("https://xn--pple-43d.example:8443/cb", "xn--pple-43d.example:8443"),
        ("http://localhost:3000/cb", "localhost:3000, a program on this device"),
        ("http://[::1]/cb", "[::1], a program on this device"),
        ("com.example.app:/cb", "the app com.example.app on this device"),
    ],
)
def test_where_an_answer_goes_is_said_in_words(uri: str, place: str) -> None:
    assert shown_place(uri) == place
