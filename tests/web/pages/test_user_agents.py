import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.web.pages.user_agents import _PROGRAMS, _SYSTEMS, describe_user_agent

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS, MAC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID, LINUX = "Mozilla/5.0 (Linux; Android 10; K)", "Mozilla/5.0 (X11; Linux x86_64)"


@pytest.mark.parametrize(
    "header, expected",
    [
        (f"{LINUX[:-1]}; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox on Android"),
        (f"{IPHONE} FxiOS/150.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"{WINDOWS} {KIT} Chrome/150.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{LINUX} {KIT} HeadlessChrome/150.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{LINUX} {KIT} Ubuntu Chromium/80.0 Chrome/80.0 Safari/537.36", "Chromium on Linux"),
        (f"{IPHONE} CriOS/150.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + f"{KIT} Chrome/150.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        (f"{WINDOWS} {KIT} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        (f"{ANDROID} {KIT} Chrome/150.0 Mobile Safari/537.36 EdgA/150.0", "Edge on Android"),
        (f"{MAC} {KIT} Chrome/150.0.0.0 Safari/537.36 OPR/130.0.0.0", "Opera on Mac"),
        (
            f"{ANDROID} {KIT} SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15", "Safari on Mac"),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) X Version/18.5 Mobile/1 Safari/604.1",
            "Safari on iPad",
        ),
        (f"{ANDROID} {KIT} Version/4.0 Mobile Safari/534.30", "Unknown program on Android"),
        ("curl/8.19.0", "curl"),
        ("python-httpx/0.28.1", "Python"),
        ("Go-http-client/2.0", "Go"),
        ("okhttp/5.1.0", "OkHttp"),
        ("MyShop/12 CFNetwork/3826.500 Darwin/24.5.0", "Apple app on an Apple device"),
        ("PostmanRuntime/7.45.0", "Postman"),
        ("", "Unknown program"),
        ("This device, I swear", "Unknown program"),
        ("NotFirefox/1.0", "Unknown program"),
        ("x-curl/8", "Unknown program"),
        ("Firefox", "Unknown program"),
        (" " * 600 + "Firefox/1.0", "Unknown program"),
        ('"><script>alert(1)</script>', "Unknown program"),
        ("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2)", "Unknown program on Windows"),
    ],
)
def test_a_header_becomes_a_name(header: str, expected: str) -> None:
    assert describe_user_agent(header) == expected


WORDS = {name for _, name in (*_PROGRAMS, *_SYSTEMS)} | {"Safari", "Unknown program"}


@given(
    st.text()
    | st.lists(
        st.sampled_from([mark for mark, _ in (*_PROGRAMS, *_SYSTEMS)]) | st.text(string.printable)
    ).map(" ".join)
)
def test_nothing_of_the_header_itself_is_ever_shown(header: str) -> None:
    assert set(describe_user_agent(header).split(" on ")) <= WORDS
