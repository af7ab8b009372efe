"""Signing out of clients, as values: what requests may say, and what browsers and clients are told."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coatcheck.oauth.errors import UnsafeLogoutError
from coatcheck.oauth.logout import (
    LOGOUT_EVENT,
    LogoutRequest,
    check_names_client,
    check_return_address,
    front_channel_uris,
    logout_claims,
    read_logout_request,
    return_location,
)
from coatcheck.oauth.model import LogoutNotice, OAuthClient
from coatcheck.oauth.parameters import Parameters

ISSUER = "https://issuer.example"
BYE = "https://app.example/bye"


def client(**changes: object) -> OAuthClient:
    given = {"id": "app", "name": "App", "created_at": 0.0, "post_logout_redirect_uris": (BYE,)}
    return OAuthClient(**{**given, **changes})  # type: ignore[arg-type] # the tests' own values


NAMES = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"]


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "x"]), st.text(max_size=30)), max_size=8))
def test_a_request_is_read_as_it_is_or_refused_because_something_is_there_twice(
    pairs: list[tuple[str, str]],
) -> None:
    parameters = Parameters.of(pairs)
    there = [name for name, value in pairs if value]
    if len(set(there)) < len(there):
        with pytest.raises(UnsafeLogoutError):
            read_logout_request(parameters)
        return
    request = read_logout_request(parameters)
    for name in NAMES[:4]:
        assert getattr(request, name) == parameters.get(name)
    assert (request.id_token_hint or "secret") not in repr(request) or not request.id_token_hint


@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"])
def test_a_parameter_that_no_client_sends_is_refused(name: str) -> None:
    with pytest.raises(UnsafeLogoutError) as caught:
        read_logout_request(Parameters.of([(name, "x" * 20_000)]))
    assert caught.value.field == name


@given(st.text(max_size=60))
@example(BYE + "/")
@example(BYE.upper())
@example(BYE + "?")
@example("https://app.example/%62ye")
def test_attack_open_redirect_no_other_address_than_a_registered_one_passes(uri: str) -> None:
    if uri != BYE:
        with pytest.raises(UnsafeLogoutError) as caught:
            check_return_address(client(), uri)
        assert uri not in caught.value.message or len(uri) < 3
    check_return_address(client(), BYE)


def test_a_client_that_registered_no_address_has_none() -> None:
    with pytest.raises(UnsafeLogoutError):
        check_return_address(client(post_logout_redirect_uris=()), BYE)


def test_attack_mix_up_a_request_names_the_client_that_its_id_token_was_issued_to_or_none() -> None:
    check_names_client(LogoutRequest(client_id="app"), client())
    check_names_client(LogoutRequest(), client())
    with pytest.raises(UnsafeLogoutError):
        check_names_client(LogoutRequest(client_id="other"), client())


@given(st.text(max_size=60), st.sampled_from([BYE, f"{BYE}?a=1", f"{BYE}?", "com.example.app:/bye"]))
def test_the_state_comes_back_as_it_was_and_changes_nothing_else(state: str, uri: str) -> None:
    try:
        state.encode()
    except UnicodeEncodeError:
        return
    location = return_location(uri, state)
    before, after = urlsplit(uri), urlsplit(location)
    assert (before.scheme, before.netloc, before.path) == (after.scheme, after.netloc, after.path)
    kept = parse_qsl(before.query, keep_blank_values=True)
    assert parse_qsl(after.query, keep_blank_values=True) == [*kept, ("state", state)]
    assert not after.fragment


@pytest.mark.parametrize("uri", [BYE, f"{BYE}?a=1", f"{BYE}?"])
def test_without_a_state_the_address_stays_as_it_is(uri: str) -> None:
    assert return_location(uri, None) == uri


def test_front_channel_logout_2_each_session_of_a_client_that_asked_for_it_is_told_by_issuer_and_sid() -> (
    None
):
    asking = client(frontchannel_logout_uri="https://app.example:8443/out?x=1")
    off = client(id="off", frontchannel_logout_uri="https://off.example/", disabled_at=1.0)
    found = front_channel_uris([(asking, "s 1"), (client(), "s2"), (off, "s3")], issuer=ISSUER)
    assert found == ("https://app.example:8443/out?x=1&iss=https%3A%2F%2Fissuer.example&sid=s+1",)


def test_back_channel_logout_2_4_a_logout_token_has_no_nonce_and_an_event_that_is_an_empty_object() -> None:
    notice = LogoutNotice(jti="j", client_id="app", sub="u", sid="s", queued_at=0.0, due_at=0.0)
    assert logout_claims(notice) == {"sub": "u", "sid": "s", "jti": "j", "events": {LOGOUT_EVENT: {}}}
