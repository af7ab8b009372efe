"""The forms in which clients show who they are, over values."""

import base64
import hmac
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core.secrets import digest
from coatcheck.oauth.client_authentication.assertions import read_assertion, type_of
from coatcheck.oauth.client_authentication.client_secret_basic import parse_basic
from coatcheck.oauth.client_authentication.client_secret_jwt import key_for
from coatcheck.oauth.client_authentication.client_secret_post import secret_in_body
from coatcheck.oauth.client_authentication.model import Assertion, Credentials, Name, Secret
from coatcheck.oauth.client_authentication.presented import proof_of
from coatcheck.oauth.client_authentication.secrets import check_secret
from coatcheck.oauth.errors import InvalidClientError, OAuthError
from coatcheck.oauth.model import OAuthClient

NOT_SURROGATES = st.text(st.characters(codec="utf-8"), max_size=60)

SEGMENTS = st.binary().map(lambda each: base64.urlsafe_b64encode(each).decode())


def header_of(octets: bytes) -> str:
    return f"Basic {base64.b64encode(octets).decode()}"


@given(NOT_SURROGATES.filter(bool), NOT_SURROGATES)
def test_whatever_stands_in_both_halves_comes_out_of_the_header_as_it_went_in(name: str, secret: str) -> None:
    found = parse_basic(header_of(f"{quote_plus(name)}:{quote_plus(secret)}".encode()))
    assert (found.client_id, found.secret, found.method) == (name, secret, "client_secret_basic")


@given(st.one_of(st.text(), st.binary().map(header_of), st.binary().map(lambda octets: f"Basic {octets!r}")))
def test_any_other_header_is_refused_by_name_or_read_as_something(header: str) -> None:
    try:
        found = parse_basic(header)
    except InvalidClientError:
        return
    assert found.client_id


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Bearer abc",
        "Basic abc",
        "Basic YQ",
        "Basic YTpi YTpi",
        "Basic YTpi\n",
        "Basic " + "A" * 9000,
        header_of(b"no colon"),
        header_of(b":secret"),
        header_of(b"a:%zz"),
        header_of(b"a:%"),
        header_of(b"a:\xff"),
        header_of(b"a:%ff"),
    ],
    ids=lambda header: repr(header)[:24],
)
def test_a_malformed_header_is_refused_by_name(header: str) -> None:
    with pytest.raises(InvalidClientError):
        parse_basic(header)


def test_the_scheme_has_no_case_and_what_needs_no_encoding_is_as_it_is() -> None:
    found = parse_basic("bAsIc " + base64.b64encode(b"a-b_c.~:x-y:z").decode())
    assert (found.client_id, found.secret) == ("a-b_c.~", "x-y:z")
    assert parse_basic(header_of(b"a+b:c%2Bd")) == Secret(
        client_id="a b", secret="c+d", method="client_secret_basic"
    )


def test_a_secret_is_compared_in_a_time_that_does_not_tell_where_it_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    client = OAuthClient(id="c", name="c", created_at=0.0, secret_digest=digest("right"))
    check_secret(client, "right", now=0.0)
    with pytest.raises(InvalidClientError):
        check_secret(client, "wrong", now=0.0)
    assert compared == [(digest("right"), digest("right")), (digest("right"), digest("wrong"))]


def test_a_client_without_a_secret_has_no_good_one() -> None:
    client = OAuthClient(id="c", name="c", created_at=0.0)
    for secret in ("", "None", "x"):
        with pytest.raises(InvalidClientError):
            check_secret(client, secret, now=0.0)


def test_nothing_is_no_proof_and_a_name_alone_is_a_public_clients() -> None:
    assert proof_of(Credentials(client_id="c")) == Name(client_id="c")
    assert Credentials().are_none
    assert not Credentials(client_id="c").are_none
    for refused in (
        Credentials(),
        Credentials(client_secret="s"),
        Credentials(client_assertion="a.b.c"),
        Credentials(client_assertion_type="x"),
        Credentials(client_assertion="a.b.c", client_assertion_type="x"),
    ):
        with pytest.raises(InvalidClientError):
            proof_of(refused)
    with pytest.raises(InvalidClientError):
        secret_in_body(Credentials(client_id="c"))


@given(
    st.one_of(
        st.text(),
        st.lists(st.binary().map(lambda each: base64.urlsafe_b64encode(each).decode())).map(".".join),
    )
)
def test_whatever_is_presented_as_an_assertion_is_refused_by_name_or_read_as_one(token: str) -> None:
    try:
        found = read_assertion(token)
    except OAuthError:
        return
    assert found.token == token


def test_the_type_of_an_assertion_is_demanded_where_it_is_stated() -> None:
    def stated(typ: str | None) -> Assertion:
        return Assertion(
            client_id="c", algorithm="ES256", typ=typ, kid=None, token="t", method="private_key_jwt"
        )

    explicit = "client-authentication+jwt"
    for typ in (explicit, explicit.upper(), f"application/{explicit}"):
        assert type_of(stated(typ), explicit=explicit) == explicit
    for other in (None, "", "JWT", "at+jwt", "application/at+jwt"):
        assert type_of(stated(other), explicit=explicit) == "JWT"


def test_a_key_of_its_own_is_no_use_where_the_secret_signs() -> None:
    client = OAuthClient(id="c", name="c", created_at=0.0)
    assertion = Assertion(
        client_id="c", algorithm="ES256", typ=None, kid=None, token="t", method="private_key_jwt"
    )
    with pytest.raises(InvalidClientError):
        key_for(client, assertion, secret="x" * 43, now=0.0)


def test_nothing_that_was_presented_is_shown() -> None:
    shown = (
        Credentials(client_secret="hidden", authorization="hidden", client_assertion="hidden"),
        Secret(client_id="c", secret="hidden", method="client_secret_post"),
        Assertion(
            client_id="c", algorithm="ES256", typ=None, kid=None, token="hidden", method="private_key_jwt"
        ),
    )
    assert not any("hidden" in repr(each) for each in shown)
