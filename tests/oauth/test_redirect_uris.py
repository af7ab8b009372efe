"""Which URIs a client may register for browsers to be sent to."""

import pytest

from coatcheck.oauth.errors import InvalidRedirectURIError
from coatcheck.oauth.redirect_uris import check_redirect_uri

ACCEPTED = {
    "https": "https://app.example/callback",
    "https-with-port": "https://app.example:8443/callback",
    "https-with-query": "https://app.example/callback?tenant=1&x=%20",
    "https-without-path": "https://app.example",
    "https-ipv6": "https://[2001:db8::1]/callback",
    "loopback-ipv4": "http://127.0.0.1/callback",
    "loopback-ipv4-with-port": "http://127.0.0.1:51004/callback",
    "loopback-ipv6": "http://[::1]:51004/callback",
    "loopback-name": "http://localhost:3000/callback",
    "private-scheme": "com.example.app:/oauth2redirect/example-provider",
    "private-scheme-with-host": "com.example.app://callback",
    "dots-that-are-no-segments": "https://app.example/a..b/...",
}

REFUSED = {
    "plain-http": "http://app.example/callback",
    "http-to-a-private-network": "http://10.0.0.1/callback",
    "http-to-a-name-that-begins-like-loopback": "http://localhost.evil.example/",
    "http-to-an-address-that-begins-like-loopback": "http://127.0.0.1.evil.example/",
    "another-loopback-address": "http://127.0.0.2/callback",
    "fragment": "https://app.example/callback#there",
    "empty-fragment": "https://app.example/callback#",
    "user": "https://user@app.example/callback",
    "user-and-password": "https://app.example:secret@evil.example/",
    "user-that-looks-like-a-host": "https://app.example%2f@evil.example/",
    "wildcard-host": "https://*.app.example/callback",
    "wildcard-path": "https://app.example/*",
    "javascript": "javascript:alert(1)",
    "javascript-in-capitals": "JavaScript:alert(1)",
    "javascript-with-a-host": "javascript://app.example/%0aalert(1)",
    "data": "data:text/html,hello",
    "vbscript": "vbscript:msgbox",
    "file": "file:///etc/passwd",
    "blob": "blob:https://app.example/1",
    "about": "about:blank",
    "intent": "intent://scan/#Intent;end",
    "private-scheme-without-a-dot": "myapp://callback",
    "private-scheme-in-capitals": "COM.example.app:/callback",
    "private-scheme-that-ends-with-a-dot": "com.:/callback",
    "relative": "/callback",
    "relative-to-the-scheme": "//app.example/callback",
    "empty": "",
    "scheme-only": "https:",
    "private-scheme-only": "com.example.app:",
    "no-host": "https:///callback",
    "no-slashes": "https:app.example/callback",
    "one-slash": "https:/app.example/callback",
    "backslash": "https://app.example\\@evil.example/",
    "dot-segments": "https://app.example/callback/../elsewhere",
    "dot-segment": "https://app.example/./callback",
    "encoded-dot-segments": "https://app.example/callback/%2e%2E/elsewhere",
    "half-encoded-dot-segments": "https://app.example/callback/.%2e/elsewhere",
    "broken-escape": "https://app.example/%zz",
    "space": "https://app.example/a b",
    "space-before": " https://app.example/",
    "line-feed": "https://app.example/\n",
    "tab-in-the-scheme": "ht\ttps://app.example/",
    "nul": "https://app.example/\0",
    "letters-that-are-not-ascii": "https://äpp.example/",
    "look-alike-slash": "https://app.example\u2044@evil.example/",
    "port-that-is-none": "https://app.example:port/",
    "port-that-is-too-high": "https://app.example:65536/",
    "port-zero": "https://app.example:0/",
    "empty-label": "https://app..example/",
    "host-of-a-hyphen": "https://-/",
    "broken-ipv6": "https://[::1/",
    "ipv6-that-is-none": "https://[zz]/",
    "too-long": "https://app.example/" + "a" * 2048,
}


@pytest.mark.parametrize("uri", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_client_on_peoples_own_machines_may_have(uri: str) -> None:
    check_redirect_uri(uri, loopback=True, private=True)


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED.keys())
def test_no_client_may_have(uri: str) -> None:
    with pytest.raises(InvalidRedirectURIError) as caught:
        check_redirect_uri(uri, loopback=True, private=True)
    assert caught.value.code == "invalid_redirect_uri"
    assert caught.value.field == "redirect_uris"
    assert "evil" not in caught.value.message  # nothing of what was sent is repeated


@pytest.mark.parametrize("name", ["loopback-ipv4", "loopback-ipv6", "loopback-name"])
def test_the_loopback_interface_is_only_for_clients_that_may_have_it(name: str) -> None:
    with pytest.raises(InvalidRedirectURIError):
        check_redirect_uri(ACCEPTED[name], loopback=False, private=True)


@pytest.mark.parametrize("name", ["private-scheme", "private-scheme-with-host"])
def test_a_private_scheme_is_only_for_clients_that_may_have_it(name: str) -> None:
    with pytest.raises(InvalidRedirectURIError):
        check_redirect_uri(ACCEPTED[name], loopback=True, private=False)
