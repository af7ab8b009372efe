"""Scopes, resources and verifiers: the algebra of the token endpoint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.oauth.errors import InvalidGrantError, InvalidScopeError, InvalidTargetError
from coatcheck.oauth.grants.pkce import challenge_of, check_verifier
from coatcheck.oauth.grants.resource import canonical_resource, chosen_audience, the_resource
from coatcheck.oauth.grants.scope import api_scope, machine_scope, narrowed, openid_scope, requested_scope
from coatcheck.oauth.vocabulary import OPENID_SCOPES

NAMES = st.sampled_from(["read", "write", "admin", "list", "openid", "email", "offline_access"])
SCOPES = st.lists(NAMES, unique=True)
SETS = st.frozensets(NAMES)
MAYBE = st.none() | SETS


@given(SCOPES, MAYBE)
def test_narrowing_never_gives_more_than_was_granted_nor_than_was_asked_for(
    granted: list[str], requested: frozenset[str] | None
) -> None:
    try:
        found = narrowed(granted, requested)
    except InvalidScopeError:
        assert requested is not None
        assert requested - set(granted)
        return
    assert set(found) == (set(granted) if requested is None else requested)
    assert set(found) <= set(granted)
    assert [each for each in granted if each in found] == list(found)  # in the order of the grant
    assert narrowed(found, requested) == found


@given(SCOPES, SETS, SETS)
def test_a_token_may_do_only_what_was_granted_is_offered_and_is_permitted(
    granted: list[str], offered: frozenset[str], permitted: frozenset[str]
) -> None:
    found = set(api_scope(granted, offered=offered, permitted=permitted))
    assert found == (set(granted) & offered & permitted) - set(OPENID_SCOPES)
    assert found.isdisjoint(openid_scope(granted))


@given(MAYBE, SETS, SETS, MAYBE)
def test_a_machine_may_do_only_what_is_offered_permitted_and_registered(
    requested: frozenset[str] | None,
    offered: frozenset[str],
    permitted: frozenset[str],
    registered: frozenset[str] | None,
) -> None:
    allowed = (offered & permitted) - set(OPENID_SCOPES)
    if registered is not None:
        allowed &= registered
    try:
        found = machine_scope(requested, offered=offered, permitted=permitted, registered=registered)
    except InvalidScopeError:
        assert requested is not None
        assert not requested <= allowed
        return
    assert set(found) == (allowed if requested is None else requested)
    assert set(found) <= allowed


@given(st.text())
def test_any_scope_parameter_is_a_set_of_words_or_refused(text: str) -> None:
    try:
        found = requested_scope(text)
    except InvalidScopeError:
        return
    assert sorted(found or ()) == sorted(set(text.split(" ")) - {""})


def test_no_scope_parameter_is_another_thing_than_an_empty_one() -> None:
    assert requested_scope(None) is None
    assert requested_scope("a  b a") == frozenset({"a", "b"})
    with pytest.raises(InvalidScopeError):
        requested_scope("a" * 4097)


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("https://a.example", "https://a.example/", True),
        ("https://a.example:8443", "https://a.example:8443/", True),
        ("https://a.example/x", "https://a.example/x/", False),
        ("https://a.example", "https://a.example//", False),
        ("https://a.example/?q", "https://a.example?q", False),
        ("https://a.example", "https://A.example", False),
        ("https://a.example", "http://a.example", False),
        ("urn:x", "urn:x/", False),
    ],
)
def test_resources_are_compared_letter_by_letter_but_for_the_slash_of_a_bare_host(
    one: str, other: str, *, same: bool
) -> None:
    assert (canonical_resource(one) == canonical_resource(other)) is same


def test_a_token_is_for_one_resource_that_was_granted() -> None:
    one, two = "https://a.example", "https://b.example/api"
    assert the_resource(()) is None
    assert the_resource((one, one + "/")) == one
    with pytest.raises(InvalidTargetError):
        the_resource((one, two))
    assert chosen_audience((one, two), None, default="d") == one
    assert chosen_audience((), None, default="d") == "d"
    assert chosen_audience((one, two), two, default="d") == two
    assert chosen_audience((one + "/",), one, default="d") == one + "/"
    for refused in ("d", two + "/", "https://c.example", "", "https://a.example#f"):
        with pytest.raises(InvalidTargetError):
            chosen_audience((one, two), refused, default="d")


def test_the_example_of_the_specification() -> None:
    """RFC 7636 appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of(verifier) == challenge
    check_verifier(challenge, verifier)
    check_verifier(None, None)
    # Plain is no method here: a challenge is never its own verifier.
    for refused in (challenge, verifier.lower(), "", None):
        with pytest.raises(InvalidGrantError):
            check_verifier(challenge, refused)
