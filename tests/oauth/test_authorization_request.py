"""Every check of an authorization request: what passes, what is refused, and by which name."""

import json
from typing import Any

import pytest

from coatcheck.oauth.authorization_request import read_request, return_address
from coatcheck.oauth.errors import (
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    LoginRequiredError,
    OAuthError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
    UnauthorizedClientError,
    UnsafeRequestError,
    UnsupportedResponseTypeError,
)
from coatcheck.oauth.model import AuthorizationRequest, ClaimRequest
from tests.oauth.asking import BUILT_IN, CALLBACK, CHALLENGE, INVOICES, ORDERS, a_client, asks, rules

CONFIDENTIAL = {"token_endpoint_auth_method": "client_secret_basic"}
HYBRID: dict[str, Any] = {"response_types": ("code", "code id_token", "id_token")}


def read(
    client: dict[str, Any] | None = None, /, **changes: str | tuple[str, ...] | None
) -> AuthorizationRequest:
    return read_request(asks(**changes), a_client(**(client or {})), rules())


def refused(
    kind: type[OAuthError], client: dict[str, Any] | None = None, /, **changes: str | tuple[str, ...] | None
) -> OAuthError:
    with pytest.raises(kind) as caught:
        read(client, **changes)
    return caught.value


def test_a_request_is_what_its_parameters_say() -> None:
    request = read(
        nonce="n",
        prompt="login consent",
        max_age="60",
        acr_values="aal2 aal1",
        login_hint="ann@example.com",
        ui_locales="pl en",
        response_mode="form_post",
        claims='{"id_token": {"auth_time": {"essential": true}}, "userinfo": {"name": null}, "other": 1}',
    )
    assert request == AuthorizationRequest(
        client_id="app",
        redirect_uri=CALLBACK,
        response_mode="form_post",
        scope=("openid", "email"),
        state="s",
        nonce="n",
        code_challenge=CHALLENGE,
        prompt=("login", "consent"),
        max_age=60,
        acr_values=("aal2", "aal1"),
        login_hint="ann@example.com",
        ui_locales=("pl", "en"),
        claims=request.claims,
    )
    assert request.claims.id_token == {"auth_time": ClaimRequest(essential=True)}
    assert request.claims.userinfo == {"name": None}


def test_what_is_unknown_is_ignored_and_what_is_empty_is_as_if_it_were_not_there() -> None:
    plain = read()
    assert read(colour="red", display="popup", claims_locales="pl") == plain
    assert read(prompt="", max_age="", claims="", resource="", request="", registration="") == plain


@pytest.mark.parametrize("name", ["state", "scope", "nonce", "response_type", "code_challenge", "unknown"])
def test_duplicate_parameters_are_refused(name: str) -> None:
    refused(InvalidRequestError, **{name: ("code", "code")})


def test_an_empty_duplicate_is_none() -> None:
    assert read(state=("", "s")) == read()


@pytest.mark.parametrize(
    "name, length",
    [
        ("state", 4097),
        ("nonce", 1025),
        ("scope", 4097),
        ("claims", 8193),
        ("login_hint", 2049),
        ("resource", 2049),
    ],
)
def test_oversized_parameters_are_refused(name: str, length: int) -> None:
    error = refused(InvalidRequestError, **{name: "x" * length})
    assert error.field == name


def test_many_resources_are_refused() -> None:
    refused(InvalidRequestError, resource=(ORDERS,) * 9)


@pytest.mark.parametrize(
    "name, kind",
    [
        ("request", RequestNotSupportedError),
        ("request_uri", RequestURINotSupportedError),
        ("registration", RegistrationNotSupportedError),
    ],
)
def test_requests_that_are_elsewhere_are_refused_by_name(name: str, kind: type[OAuthError]) -> None:
    refused(kind, **{name: "https://evil.example/request.jwt"})


def test_a_client_that_pushes_its_requests_has_to() -> None:
    pushing = {"require_pushed_authorization_requests": True}
    refused(InvalidRequestError, pushing)
    pushed = read_request(asks(), a_client(**pushing), rules(pushed=True))
    assert pushed.pushed


# --- response types and modes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", ["token", "none", "code token", "code code", "id_token token", "Code", "code  id_token"]
)
def test_response_types_that_are_unknown_or_leak_tokens_are_refused(asked: str) -> None:
    with pytest.raises(UnsupportedResponseTypeError):
        read_request(asks(response_type=asked), a_client(**HYBRID), rules(hybrid=True))


@pytest.mark.parametrize("asked", ["id_token", "code id_token", "id_token code"])
def test_tokens_through_the_browser_are_a_switch_that_is_off(asked: str) -> None:
    refused(UnsupportedResponseTypeError, HYBRID, response_type=asked, nonce="n")
    request = read_request(asks(response_type=asked, nonce="n"), a_client(**HYBRID), rules(hybrid=True))
    assert (request.response_type, request.response_mode) == (
        "id_token" if asked == "id_token" else "code id_token",
        "fragment",
    )


def test_a_response_type_has_to_be_there_and_the_clients_own() -> None:
    assert refused(InvalidRequestError, response_type=None).field == "response_type"
    refused(UnauthorizedClientError, {"response_types": ("id_token",)})
    refused(UnauthorizedClientError, {"grant_types": ("client_credentials",)})


def test_an_id_token_never_comes_in_a_query() -> None:
    for mode in ("query", "jwt", "web_message"):
        asked = asks(response_type="code id_token", nonce="n", response_mode=mode)
        with pytest.raises(InvalidRequestError):
            read_request(asked, a_client(**HYBRID), rules(hybrid=True))
        assert return_address(asked, a_client()).mode == "fragment"


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_a_code_comes_as_is_asked(mode: str) -> None:
    assert read(response_mode=mode).response_mode == mode


def test_an_id_token_needs_a_nonce_and_openid() -> None:
    for changes, kind in (
        ({"nonce": None}, InvalidRequestError),
        ({"scope": "read", "nonce": "n"}, InvalidScopeError),
    ):
        asked = asks(response_type="code id_token", **changes)
        with pytest.raises(kind):
            read_request(asked, a_client(**HYBRID), rules(hybrid=True))


def test_where_there_is_no_code_there_is_no_challenge_and_no_access_without_the_user() -> None:
    asked = asks(
        response_type="id_token",
        nonce="n",
        scope="openid offline_access",
        code_challenge=None,
        code_challenge_method=None,
    )
    request = read_request(asked, a_client(**HYBRID), rules(hybrid=True))
    assert (request.scope, request.code_challenge) == (("openid",), None)


# --- PKCE ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "x" * 42},
        {"code_challenge": "x" * 44},
        {"code_challenge": CHALLENGE[:-1] + "="},
        {"code_challenge": CHALLENGE[:-1] + "\n"},
        {"code_challenge": CHALLENGE[:-1] + "é"},
    ],
    ids=[
        "none",
        "no-challenge",
        "no-method",
        "plain",
        "small",
        "short",
        "long",
        "padding",
        "newline",
        "accent",
    ],
)
def test_pkce_cannot_be_downgraded(changes: dict[str, str | None]) -> None:
    refused(InvalidRequestError, nonce="n", **changes)


def test_a_confidential_client_of_openid_may_do_without_pkce_unless_all_need_it() -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    assert read(CONFIDENTIAL, nonce="n", **without).code_challenge is None
    assert read(CONFIDENTIAL, **without).code_challenge is None
    with pytest.raises(InvalidRequestError):
        read_request(asks(nonce="n", **without), a_client(**CONFIDENTIAL), rules(pkce_of_all=True))
    refused(InvalidRequestError, CONFIDENTIAL, nonce="n", scope="read", **without)
    refused(InvalidRequestError, CONFIDENTIAL, nonce="n", code_challenge=None)
    refused(InvalidRequestError, CONFIDENTIAL, nonce="n", code_challenge_method="plain")


# --- scopes and APIs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope, resource, scopes, audiences",
    [
        ("openid email", (), "openid email", ()),
        (None, (), "", ()),
        (None, (ORDERS,), "", (ORDERS,)),
        ("email email openid", (), "email openid", ()),
        ("openid read", (), "openid read", (ORDERS,)),
        ("read buy", (), "read buy", (ORDERS,)),
        ("pay", (), "pay", (INVOICES,)),
        ("openid something", (), "openid something", ()),
        ("coatcheck:admin something", (), "coatcheck:admin something", (BUILT_IN,)),
        ("read something", (), "read", (ORDERS,)),
        ("openid read pay", (ORDERS,), "openid read", (ORDERS,)),
        ("openid read pay", (INVOICES, ORDERS), "openid read pay", (INVOICES, ORDERS)),
        ("openid read", (ORDERS + "/",), "openid read", (ORDERS,)),
        ("read", (ORDERS, ORDERS + "/"), "read", (ORDERS,)),
        ("openid anything", (BUILT_IN,), "openid anything", (BUILT_IN,)),
    ],
)
def test_what_is_asked_for_and_where(
    scope: str | None, resource: tuple[str, ...], scopes: str, audiences: tuple[str, ...]
) -> None:
    request = read(scope=scope, resource=resource)
    assert " ".join(request.scope) == scopes
    expected = audiences or ((BUILT_IN,) if "something" in scopes else ())
    assert request.audiences == expected


@pytest.mark.parametrize("scope", ["read pay", "buy pay openid"])
def test_scopes_of_several_apis_are_refused_unless_they_are_named(scope: str) -> None:
    refused(InvalidScopeError, scope=scope)


@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example",
        ORDERS + "/v1",
        ORDERS.upper(),
        ORDERS + "#fragment",
        "orders",
        "//orders.example",
        ORDERS + "\n",
        ORDERS + ".evil.example",
        INVOICES + "/",
    ],
)
def test_a_resource_that_is_no_api_is_refused(resource: str) -> None:
    refused(InvalidTargetError, scope="openid", resource=(resource,))


def test_a_scope_that_two_apis_have_must_be_told_apart() -> None:
    from msgspec.structs import replace

    orders = rules().apis[1]
    twice = (*rules().apis, replace(orders, audience="https://other.example"))
    with pytest.raises(InvalidTargetError):
        read_request(asks(scope="read"), a_client(), rules(apis=twice))
    named = read_request(asks(scope="read", resource=ORDERS), a_client(), rules(apis=twice))
    assert named.audiences == (ORDERS,)


def test_a_client_gets_no_further_than_it_is_registered_for() -> None:
    limited = {"scope": ("openid", "read")}
    assert read(limited, scope="openid email read buy").scope == ("openid", "read")
    refused(InvalidScopeError, limited, scope="email buy")
    one_api = {"audiences": (ORDERS,)}
    assert read(one_api, scope="openid").audiences == (ORDERS,)
    refused(InvalidTargetError, one_api, scope="openid", resource=INVOICES)
    assert read(one_api, scope="openid pay").scope == ("openid",)
    assert read({"audiences": ()}, scope="openid read").scope == ("openid",)


def test_attack_a_client_that_registered_itself_cannot_ask_to_administer_this_server() -> None:
    for by in ("itself", "metadata-document"):
        stranger = {"registered_by": by, "scope": None}
        asked = read(stranger, scope="openid coatcheck:admin coatcheck:clients something")
        assert asked.scope == ("openid", "something")
        refused(InvalidScopeError, stranger, scope="coatcheck:admin", resource=BUILT_IN)
    assert read(scope="coatcheck:admin").scope == ("coatcheck:admin",)


def test_nothing_that_can_be_asked_for_is_an_error_and_so_is_what_is_no_scope() -> None:
    refused(InvalidScopeError, {"audiences": (ORDERS,)}, scope="something")
    for scope in ('re"ad', "read\\", "\u043e\u0440enid", "read\tbuy"):
        refused(InvalidScopeError, scope=scope)
    refused(InvalidScopeError, scope=" ".join(f"s{number}" for number in range(101)))


def test_access_without_the_user_is_for_clients_that_can_refresh() -> None:
    assert read(scope="openid offline_access").scope == ("openid", "offline_access")
    assert read({"grant_types": ("authorization_code",)}, scope="openid offline_access").scope == ("openid",)


# --- what the user is to be asked ----------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["none login", "none consent", "login unknown", "LOGIN"])
def test_prompts_that_make_no_sense_are_refused(prompt: str) -> None:
    refused(InvalidRequestError, prompt=prompt)


def test_a_new_account_is_asked_for_only_where_one_can_be_made() -> None:
    assert read(prompt="create").prompt == ("create",)
    with pytest.raises(InvalidRequestError):
        read_request(asks(prompt="create"), a_client(), rules(sign_up=False))


@pytest.mark.parametrize("age", ["-1", "1.5", "ten", "\u0661", "1" * 11, "0x1"])
def test_an_age_that_is_no_number_is_refused(age: str) -> None:
    refused(InvalidRequestError, max_age=age)


def test_the_registration_says_what_the_request_does_not() -> None:
    registered = {"default_max_age": 60, "default_acr_values": ("aal2",)}
    assert (read(registered).max_age, read(registered).acr_values) == (60, ("aal2",))
    asked = read(registered, max_age="0", acr_values="aal1")
    assert (asked.max_age, asked.acr_values) == (0, ("aal1",))


@pytest.mark.parametrize("hint", ["a\x00b", "a\nb", "x" * 255, "a\u2028b", "a\ud800b"])
def test_a_hint_that_could_not_be_an_address_is_left_out(hint: str) -> None:
    assert read(login_hint=hint).login_hint is None


@pytest.mark.parametrize(
    "claims",
    [
        "[]",
        "{",
        '{"id_token": []}',
        '{"id_token": {"acr": true}}',
        '{"id_token": {"acr": {"essential": "yes"}}}',
        '{"id_token": {"acr": {"values": "aal1"}}}',
        '{"id_token": {"a": 1}, "id_token": {}}',
        '{"userinfo": ' + "[" * 9 + "]" * 9 + "}",
        json.dumps({"userinfo": {f"claim{number}": None for number in range(61)}}),
        json.dumps({"userinfo": {"a": {"values": list(range(21))}}}),
        json.dumps({"userinfo": {"a" * 201: None}}),
        '{"userinfo": {"\ud800": null}}',
    ],
)
def test_claims_that_are_malformed_or_very_many_are_refused(claims: str) -> None:
    assert refused(InvalidRequestError, claims=claims).field == "claims"


def test_a_certain_user_can_be_demanded_in_two_ways_that_agree() -> None:
    demanded = '{"id_token": {"sub": {"value": "ann"}}}'
    assert read(claims=demanded).hinted_subject == "ann"
    assert read(claims='{"id_token": {"sub": null}}').hinted_subject is None
    assert read_request(asks(), a_client(), rules(hinted="eve")).hinted_subject == "eve"
    assert read_request(asks(claims=demanded), a_client(), rules(hinted="ann")).hinted_subject == "ann"
    with pytest.raises(LoginRequiredError):
        read_request(asks(claims=demanded), a_client(), rules(hinted="eve"))


# --- where the answer goes -----------------------------------------------------------------------------------


def test_the_only_redirect_uri_need_not_be_named_without_openid() -> None:
    request = read(redirect_uri=None, scope="read")
    assert (request.redirect_uri, request.redirect_uri_given) == (CALLBACK, False)
    for client, scope in (
        (a_client(redirect_uris=(CALLBACK, CALLBACK + "2")), "read"),
        (a_client(), "openid"),
    ):
        with pytest.raises(UnsafeRequestError):
            read_request(asks(redirect_uri=None, scope=scope), client, rules())


def test_an_error_is_told_with_the_state_unless_it_is_unclear() -> None:
    client = a_client()
    assert return_address(asks(), client).state == "s"
    assert return_address(asks(state=("s", "t")), client).state is None
    assert return_address(asks(state="x" * 4097), client).state is None
    assert return_address(asks(state=None), client).state is None
