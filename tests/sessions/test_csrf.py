"""Proof that a request comes from the site itself: the whole matrix of headers, and the token."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core.secrets import Sealer, digest
from coatcheck.sessions.csrf import SAFE_METHODS, check_origin, check_token, is_valid, new_token
from coatcheck.sessions.errors import CrossSiteRequestError

OWN = "https://app.example.com"
TRUSTED = "https://shop.example.org"
SIBLING = "https://evil.example.com"
SITES = (None, "same-origin", "none", "same-site", "cross-site", "", "SAME-ORIGIN", "same-origin, cross-site")
ORIGINS = (
    None,
    OWN,
    TRUSTED,
    SIBLING,
    "null",
    "",
    "http://app.example.com",
    f"{OWN}:8443",
    f"{OWN}.evil.example",
    f"{OWN}/",
    "https://APP.example.com",
)


def passes(site: str | None, origin: str | None, *, cookies: bool, own: str = OWN) -> bool:
    try:
        check_origin(site=site, origin=origin, own=own, trusted={TRUSTED}, forgeable=cookies)
    except CrossSiteRequestError:
        return False
    return True


def test_nothing_passes_but_what_the_browser_or_the_origin_vouches_for() -> None:
    passed = {
        case
        for case in itertools.product(SITES, ORIGINS, (True, False))
        if passes(case[0], case[1], cookies=case[2])
    }
    expected = set()
    for site, origin, cookies in itertools.product(SITES, ORIGINS, (True, False)):
        vouched = site in {"same-origin", "none"}
        silent = site not in {"same-origin", "none", "same-site", "cross-site"}
        by_origin = silent and (origin == OWN or (origin is None and not cookies))
        if origin == TRUSTED or vouched or by_origin:
            expected.add((site, origin, cookies))
    assert passed == expected


@pytest.mark.parametrize("cookies", [True, False])
@pytest.mark.parametrize(
    "site, origin",
    [
        ("same-site", SIBLING),  # a sibling subdomain, by whatever header
        ("same-site", None),
        (None, SIBLING),
        ("same-site", OWN),
        ("cross-site", OWN),
        ("cross-site", "null"),
        (None, "null"),  # a sandboxed frame, a data: address
        ("cross-site", None),
    ],
)
def test_a_forged_request_is_refused(site: str | None, origin: str | None, *, cookies: bool) -> None:
    assert not passes(site, origin, cookies=cookies)


def test_a_request_with_cookies_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert not passes(None, None, cookies=True)
    assert passes(None, None, cookies=False)  # curl


def test_a_trusted_origin_is_trusted_whatever_the_site() -> None:
    assert all(passes(site, TRUSTED, cookies=True) for site in SITES)


def test_the_error_repeats_no_more_than_a_piece_of_the_origin_and_only_for_the_operator() -> None:
    with pytest.raises(CrossSiteRequestError) as caught:
        check_origin(site=None, origin="x" * 10_000, own=OWN, trusted=(), forgeable=True)
    assert "xxx" not in caught.value.message
    assert caught.value.detail is not None
    assert len(caught.value.detail) < 300


def test_what_is_safe_never_changes_anything() -> None:
    assert {"GET", "HEAD", "OPTIONS"} == SAFE_METHODS


# --- the token ---------------------------------------------------------------------------------------------

SEALER = Sealer(b"k" * 32)
ADA, EVE = digest("ada's session"), digest("eve's session")


def fits(session: bytes | None, cookie: str | None, submitted: str | None) -> bool:
    try:
        check_token(SEALER, session, cookie=cookie, submitted=submitted)
    except CrossSiteRequestError:
        return False
    return True


@pytest.mark.parametrize("session", [ADA, None])
def test_a_token_that_is_in_the_cookie_and_submitted_fits_its_session(session: bytes | None) -> None:
    token = new_token(SEALER, session)
    assert is_valid(SEALER, session, token)
    assert fits(session, token, token)


def test_a_token_of_another_session_or_of_none_does_not_fit() -> None:
    for made_for, used_in in itertools.permutations([ADA, EVE, None], 2):
        token = new_token(SEALER, made_for)
        assert not is_valid(SEALER, used_in, token)
        assert not fits(used_in, token, token)


def test_a_token_that_differs_from_the_cookies_does_not_fit_though_both_are_ours() -> None:
    one, other = new_token(SEALER, ADA), new_token(SEALER, ADA)
    assert one != other
    assert not fits(ADA, one, other)


def test_a_token_that_an_attacker_planted_in_both_places_does_not_fit() -> None:
    foreign = new_token(Sealer(b"x" * 32), ADA)
    for token in (foreign, "x", "x.y", ".", "é.é", "\ud800"):
        assert not fits(ADA, token, token)


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_token_is_told_as_missing(missing: str | None) -> None:
    token = new_token(SEALER, ADA)
    for cookie, submitted in ((missing, token), (token, missing), (missing, missing)):
        with pytest.raises(CrossSiteRequestError, match="missing"):
            check_token(SEALER, ADA, cookie=cookie, submitted=submitted)


@given(st.text(max_size=80))
def test_no_text_that_is_not_ours_fits(token: str) -> None:
    assert not fits(ADA, token, token)
    assert not is_valid(SEALER, None, token)
