from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coatcheck.web.redirects import HOME, MAX_LENGTH, path_on_this_site

SITE = "https://site.example"
HOSTILE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x01//evil.example",
    "/\x00/evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/a\\..\\evil",
    "/a\r\nSet-Cookie: a=b",
    "/a\u2028b",
    "/a\xa0b",
    "/\ud800",
    "?next=/x",
    "#x",
    "",
    "/" + "a" * MAX_LENGTH,
    "/" + "\u20ac" * 1000,  # too long once it is written in ASCII
]


def origin_that_a_browser_goes_to(location: str) -> str:
    """The WHATWG URL standard, as far as it is looser than RFC 3986."""
    cleaned = location.strip("".join(map(chr, range(0x21))))
    for dropped in "\t\r\n":
        cleaned = cleaned.replace(dropped, "")
    parts = urlsplit(urljoin(SITE + "/auth/sign-in", cleaned.replace("\\", "/")))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize("target", HOSTILE)
def test_a_target_that_could_be_read_as_another_site_is_not_taken(target: str) -> None:
    assert path_on_this_site(target, prefix="/auth") == HOME


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/inbox",
        "/inbox?page=2&sort=a",
        "/a/b/#part",
        "/go?to=https://other.example//x",
        "/a%20b",
        "/~me",
    ],
)
def test_a_path_on_this_site_is_taken_as_it_is(target: str) -> None:
    assert path_on_this_site(target, prefix="/auth") == target


def test_a_path_beyond_ascii_is_written_in_ascii() -> None:
    assert path_on_this_site("/über?ß=ü", prefix="/auth") == "/%C3%BCber?%C3%9F=%C3%BC"


@pytest.mark.parametrize(
    "page", ["/sign-in", "/sign-in?next=/x", "/sign-out", "/reset?token=x", "/sign-up/confirm"]
)
def test_a_page_that_leads_on_itself_is_no_target(page: str) -> None:
    assert path_on_this_site("/auth" + page, prefix="/auth") == HOME
    assert path_on_this_site(page, prefix="/auth") == page


def test_no_target_is_home() -> None:
    assert path_on_this_site(None, prefix="/auth") == HOME


@given(
    st.text(alphabet=st.sampled_from(list("/\\:?#@.%25fFcC\t\r\n\x00 aheviltps")), max_size=30) | st.text()
)
@example("/\t\\evil.example")
@example("/..//evil.example")
def test_whatever_is_asked_for_the_browser_stays_on_this_site(target: str) -> None:
    location = path_on_this_site(target, prefix="/auth")
    assert location.startswith("/")
    assert location.isascii()
    assert location.isprintable()
    assert origin_that_a_browser_goes_to(location) == SITE
    assert path_on_this_site(location, prefix="/auth") == location
