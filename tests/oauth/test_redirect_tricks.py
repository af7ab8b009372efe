"""Redirect URI tricks (RFC 9700 section 4.1): none of them is taken for what was registered."""

import pytest

from coatcheck.oauth.checks.redirect_uri import is_redirect_uri, redirect_uri_of
from coatcheck.oauth.errors import UnsafeRequestError
from tests.oauth.asking import CALLBACK, a_client, asks

HOSTILE = [
    "https://app.example/cb/",
    "https://app.example/cb/../cb",
    "https://app.example/cb/..",
    "https://app.example/./cb",
    "https://app.example/cb?",
    "https://app.example/cb?x=1",
    "https://app.example/cb#",
    "https://app.example/cb#fragment",
    "https://app.example/cb%2f",
    "https://app.example/%63b",
    "https://app.example/cb;x",
    "https://app.example//cb",
    "https://app.example\\cb",
    "https://app.example\\@evil.example/cb",
    "https://app.example/cb\\@evil.example",
    "https://app.example@evil.example/cb",
    "https://app.example:pass@evil.example/cb",
    "https://evil.example/?https://app.example/cb",
    "https://evil.example/#https://app.example/cb",
    "https://evil.example/https://app.example/cb",
    "https://app.example.evil.example/cb",
    "https://evilapp.example/cb",
    "https://sub.app.example/cb",
    "https://app.example./cb",
    "https://app.example:443/cb",
    "https://app.example:8443/cb",
    "https://APP.example/cb",
    "HTTPS://app.example/cb",
    "http://app.example/cb",
    "//app.example/cb",
    "/cb",
    "cb",
    "https:app.example/cb",
    "https:///app.example/cb",
    "https:/app.example/cb",
    "https://app.example/cb ",
    " https://app.example/cb",
    "https://app.example/cb\n",
    "https://app.example/cb\r\nLocation: https://evil.example",
    "https://app.example\t/cb",
    "https://app.example/cb\x00",
    "https://app.example%00.evil.example/cb",
    "https://app.ex\u0430mple/cb",
    "https://app\u3002example/cb",
    "https://app.example/\u0441b",
    "https://[app.example]/cb",
    "javascript:alert(1)//https://app.example/cb",
    "data:text/html,https://app.example/cb",
    "https://localhost/cb",
    "http://127.0.0.1/cb",
    "*",
    "https://*.example/cb",
]


@pytest.mark.parametrize("uri", HOSTILE, ids=[f"hostile-{number}" for number in range(len(HOSTILE))])
def test_redirect_uri_tricks_lead_to_a_page_and_nowhere_else(uri: str) -> None:
    for client in (a_client(), a_client(application_type="native"), a_client(registered_by="itself")):
        with pytest.raises(UnsafeRequestError):
            redirect_uri_of(asks(redirect_uri=uri), client)


def test_two_redirect_uris_are_refused_even_if_both_are_good() -> None:
    with pytest.raises(UnsafeRequestError):
        redirect_uri_of(asks(redirect_uri=(CALLBACK, CALLBACK)), a_client())


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_the_port_of_a_native_apps_loopback_address_may_vary(host: str) -> None:
    native = a_client(application_type="native", redirect_uris=(f"http://{host}/cb?a=1",))
    for port in ("", ":1", ":8080", ":65535"):
        assert is_redirect_uri(native, f"http://{host}{port}/cb?a=1")
    with_port = a_client(application_type="native", redirect_uris=(f"http://{host}:4000/cb",))
    assert is_redirect_uri(with_port, f"http://{host}:5000/cb")
    assert is_redirect_uri(with_port, f"http://{host}/cb")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:08080/cb",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/CB",
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/cb?x",
        "http://127.0.0.1:8080/cb\n",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1:\u0668080/cb",
        "http://127.0.0.1.evil.example:8080/cb",
        "http://127.0.0.2:8080/cb",
        "http://127.1:8080/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "https://127.0.0.1:8080/cb",
        "http://0.0.0.0:8080/cb",
    ],
)
def test_nothing_but_the_port_may_vary(uri: str) -> None:
    native = a_client(application_type="native", redirect_uris=("http://127.0.0.1/cb",))
    assert not is_redirect_uri(native, uri)


def test_the_port_of_a_web_app_may_not_vary() -> None:
    uris = ("http://localhost:3000/cb", "https://127.0.0.1/cb")
    for client in (
        a_client(redirect_uris=uris),
        a_client(redirect_uris=uris, token_endpoint_auth_method="client_secret_post"),
    ):
        assert not is_redirect_uri(client, "http://localhost:3001/cb")
        assert is_redirect_uri(client, "http://localhost:3000/cb")
    native = a_client(redirect_uris=uris, application_type="native")
    assert not is_redirect_uri(native, "https://127.0.0.1:8443/cb")


def test_a_public_client_that_registered_itself_on_the_loopback_interface_is_an_app_on_its_users_machine() -> (
    None
):
    tool = a_client(redirect_uris=("http://127.0.0.1/cb",), registered_by="itself")
    assert is_redirect_uri(tool, "http://127.0.0.1:49152/cb")


def test_a_private_scheme_is_compared_letter_by_letter() -> None:
    native = a_client(application_type="native", redirect_uris=("com.example.app:/cb",))
    assert is_redirect_uri(native, "com.example.app:/cb")
    for uri in (
        "com.example.app://cb",
        "com.example.app:/cb/",
        "com.example.apps:/cb",
        "COM.example.app:/cb",
    ):
        assert not is_redirect_uri(native, uri)
