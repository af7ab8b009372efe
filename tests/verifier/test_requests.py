"""From the headers of a request, as frameworks have them, to its credential; and what a route may ask of it."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any

import pytest

from coatcheck.verifier import (
    InsufficientScopeError,
    InvalidTokenError,
    MalformedCredentialError,
    Metrics,
    NotAuthenticatedError,
    StepUpNeededError,
    Verifier,
    VerifierConfigurationError,
)
from coatcheck.verifier.prometheus import exposition
from coatcheck.verifier.requests import bearer_token, session_cookie
from tests.verifier.issuer import Issuer
from tests.verifier.test_core import ready


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier() -> Verifier:
    return ready()


def shapes(value: str) -> list[Any]:
    return [
        [(b"host", b"api.example"), (b"authorization", b"Bearer " + value.encode())],
        ((b"Host", b"api.example"), (b"Authorization", b"bearer " + value.encode())),
        {"Host": "api.example", "Authorization": f"Bearer {value}"},
        {b"authorization": b"BEARER " + value.encode()},
        iter([("AUTHORIZATION", f"Bearer   {value} ")]),
    ]


@pytest.mark.parametrize("shape", range(5), ids=["asgi", "tuples", "mapping", "octets", "iterator"])
def test_headers_come_in_any_shape(verifier: Verifier, issuer: Issuer, shape: int) -> None:
    principal = verifier.require(shapes(issuer.token())[shape])
    assert principal.subject == "ada"
    assert verifier.authenticate(shapes(issuer.token())[shape]) is not None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearertoken"},
        {"X-Authorization": "Bearer x"},
        {"Cookie": "__Host-coatcheck=0123456789abcdef0123"},
    ],
    ids=[
        "no headers",
        "nothing",
        "another scheme",
        "no scheme",
        "another header",
        "a cookie where none counts",
    ],
)
def test_a_request_may_carry_no_credential(verifier: Verifier, headers: Any) -> None:
    assert verifier.authenticate(headers) is None
    with pytest.raises(NotAuthenticatedError):
        verifier.require(headers)
    assert verifier.metrics().refusals == {"no-credential": 1}


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer a"), ("authorization", "Bearer b")],
        [(b"authorization", b"Bearer a"), (b"authorization", b"Basic b")],
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Bearer a, Bearer b"},
        {"Authorization": 'Bearer "a"'},
        {"Authorization": "Bearer a\u00e9"},
        {"Authorization": "Bearer a=b"},
    ],
    ids=[
        "twice",
        "twice, octets",
        "no token",
        "space",
        "two",
        "joined",
        "quoted",
        "not ascii",
        "equals sign",
    ],
)
def test_what_is_not_in_the_form_of_a_bearer_token_is_a_bad_request(verifier: Verifier, headers: Any) -> None:
    with pytest.raises(MalformedCredentialError) as caught:
        verifier.authenticate(headers)
    assert caught.value.status == 400
    assert caught.value.code == "invalid_request"


def test_a_token_of_the_right_form_that_is_none_is_an_invalid_token(verifier: Verifier) -> None:
    with pytest.raises(InvalidTokenError):
        verifier.authenticate({"Authorization": "Bearer mF_9.B5f-4.1JqM=="})


def test_a_bad_token_does_not_give_way_to_a_cookie() -> None:
    verifier = ready(cookies="session", key="cck_key")
    with pytest.raises(InvalidTokenError):
        verifier.authenticate(
            {"Authorization": "Bearer x", "Cookie": "__Host-coatcheck=0123456789abcdef0123"}
        )


def test_the_token_is_what_follows_the_scheme() -> None:
    assert bearer_token({"authorization": "Bearer  x"}) == "x"


def test_a_cookie_that_is_there_twice_is_none() -> None:
    assert session_cookie({"cookie": "a=1; b=2"}, "a") == "1"
    assert session_cookie([("cookie", "a=1"), ("cookie", "a=2")], "a") is None
    assert session_cookie([("cookie", "b=1"), ("cookie", "a=2")], "a") == "2"
    assert session_cookie({"cookie": "a="}, "a") is None
    assert session_cookie({}, "a") is None


# --- requirements -----------------------------------------------------------------------------------------


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_all_scopes_are_needed(verifier: Verifier, issuer: Issuer) -> None:
    headers = bearer(issuer.token())
    verifier.require(headers, scopes=("read", "write"))
    with pytest.raises(InsufficientScopeError) as caught:
        verifier.require(headers, scopes=("read", "admin"))
    assert caught.value.scopes == ("read", "admin")
    assert caught.value.status == 403
    assert verifier.metrics().refusals == {"scope": 1}


@pytest.mark.parametrize("stated", ["aal1", "aal2", "aal3", "urn:x", ""])
@pytest.mark.parametrize("wanted", ["aal1", "aal2", "aal3", "urn:x"])
def test_a_higher_level_will_do_and_nothing_else(
    verifier: Verifier, issuer: Issuer, stated: str, wanted: str
) -> None:
    will_do = stated == wanted or (stated.startswith("aal") and wanted.startswith("aal") and stated > wanted)
    headers = bearer(issuer.token(acr=stated))
    if will_do:
        verifier.require(headers, acr=(wanted,))
        verifier.require(headers, acr=("urn:other", wanted))
        return
    with pytest.raises(StepUpNeededError) as caught:
        verifier.require(headers, acr=(wanted,), max_age=60)
    assert caught.value.acr_values == (wanted,)
    assert caught.value.max_age == 60
    assert caught.value.status == 401


@pytest.mark.parametrize("max_age", [120, 120.5, timedelta(minutes=2)], ids=["int", "float", "timedelta"])
def test_a_sign_in_has_to_be_recent_if_that_is_asked_for(
    verifier: Verifier, issuer: Issuer, max_age: float | timedelta
) -> None:
    now = int(time.time())
    verifier.require(bearer(issuer.token(auth_time=now - 100)), max_age=max_age)
    for auth_time in (now - 130, None):
        with pytest.raises(StepUpNeededError) as caught:
            verifier.require(bearer(issuer.token(auth_time=auth_time)), max_age=max_age)
        assert caught.value.max_age == 120
        assert caught.value.acr_values == ()


def test_a_span_that_is_no_number_lets_nobody_pass(verifier: Verifier, issuer: Issuer) -> None:
    headers = bearer(issuer.token())
    for span in (math.nan, math.inf, -1):
        with pytest.raises(VerifierConfigurationError):
            verifier.require(headers, max_age=span)


@pytest.mark.parametrize("asked", [{"scopes": "read"}, {"acr": "aal2"}], ids=["scopes", "acr"])
def test_one_text_is_not_taken_for_several(verifier: Verifier, issuer: Issuer, asked: dict[str, Any]) -> None:
    with pytest.raises(VerifierConfigurationError):
        verifier.require(bearer(issuer.token()), **asked)


# --- metrics ----------------------------------------------------------------------------------------------


def test_figures_are_written_as_prometheus_reads_them() -> None:
    text = exposition(Metrics(hits=3, misses=1, clock_offset=1.5, refusals={"expired": 2}))
    assert "coatcheck_verifier_hits_total 3\n" in text
    assert "coatcheck_verifier_view_age_seconds +Inf\n" in text
    assert "coatcheck_verifier_clock_offset_seconds 1.5\n" in text
    assert 'coatcheck_verifier_refusals_total{reason="expired"} 2\n' in text
    assert text.count("# TYPE") == text.count("# HELP") == 14
    assert Metrics().hit_rate == 0.0


@pytest.mark.parametrize(
    "token", [[], {}, set(), bytearray(b"x"), b"x", 5, None], ids=lambda each: type(each).__name__
)
def test_what_is_no_text_is_no_token(verifier: Verifier, token: Any) -> None:
    with pytest.raises(InvalidTokenError) as caught:
        verifier.verify(token)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": 5},
        {"authorization": ["Bearer x"]},
        [("authorization", bytearray(b"Bearer x"))],
        {5: "x"},
        [(["a"] * 13, "x")],
        [("authorization",)],
        [5],
        5,
        {"cookie": 5},
        {None: "x"},
    ],
    ids=[
        "number",
        "list",
        "bytearray",
        "name",
        "list name",
        "single",
        "no pair",
        "none",
        "cookie",
        "no name",
    ],
)
def test_what_are_no_headers_is_a_bad_request(headers: Any) -> None:
    verifier = ready(cookies="session", key="cck_key")
    with pytest.raises(MalformedCredentialError) as caught:
        verifier.authenticate(headers)
    assert caught.value.status == 400
    assert verifier.metrics().refusals == {"malformed-credential": 1}


def test_names_of_headers_that_are_no_text_are_none_of_a_cookie() -> None:
    with pytest.raises(MalformedCredentialError):
        session_cookie([(5, "x")], "c")  # type: ignore[arg-type] # that is the point
    with pytest.raises(MalformedCredentialError):
        session_cookie(5, "c")  # type: ignore[arg-type] # likewise
