"""What is gathered from a recording, part by part."""

import base64
from typing import Any

import pytest

from coatcheck.audit.addresses import parse_address
from coatcheck.audit.auditing import audit_recording
from coatcheck.audit.bodies import form_fields, named_values
from coatcheck.audit.evidence import Evidence, gather
from coatcheck.audit.guessing import words_of
from coatcheck.audit.har import read_har
from coatcheck.audit.model import Options
from coatcheck.audit.recording import Recording
from coatcheck.audit.saved_headers import read_headers
from coatcheck.audit.tokens import read_token
from coatcheck.audit.vocabulary import is_password, is_session_cookie, role_of
from tests.audit.bad_shop import encoded, make_jwt
from tests.audit.recordings import OTHER, SESSION, entry, findings_of, har, report_of

FAR = "Zq8-" * 12


def gathered(*entries: Any) -> Evidence:
    return gather(read_har(har(*entries).decode()), Options())


@pytest.mark.parametrize(
    "url, shown",
    [
        ("data:text/html,secret", "data:…"),
        ("https://[broken", "(an address that cannot be read)"),
        ("HTTPS://App.Example:443/a", "https://app.example/a"),
        ("https://app.example:8443/a?b=c&d", "https://app.example:8443/a?b=…&d=…"),
        ("https://app.example:x/", "https://app.example:x/"),
        ("https://[::1]:80/", "https://[::1]:80/"),
        ("/only/a/path?q=1", "/only/a/path?q=…"),
        ("https://a.example/#x=1", "https://a.example/#…"),
        (f"https://a.example/{SESSION}/edit", "https://a.example/…/edit"),
        (f"https://a.example/{'ä' * 50}", f"https://a.example/{'ä' * 12}…"),
        (f"https://a.example/{'a/' * 200}", f"https://a.example/{'a/' * 79}a…"),
        ("https://a.example/app.8f3ab2c1d4e5f6a7.js", "https://a.example/app.8f3ab2c1d4e5f6a7.js"),
        (
            f"https://a.example/?{'&'.join(map(chr, range(97, 107)))}",
            "https://a.example/?a=…&b=…&c=…&d=…&e=…&f=…&…",
        ),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_values(url: str, shown: str) -> None:
    assert parse_address(url).shown == shown


def test_this_machine_is_told_from_others() -> None:
    local = ("http://localhost:8000/", "http://app.localhost/", "http://127.0.0.1/", "http://[::1]/")
    assert all(parse_address(url).is_local and not parse_address(url).is_plain for url in local)
    assert parse_address("ws://app.example/").is_plain


def test_a_password_of_basic_authentication_is_known_and_hidden() -> None:
    credentials = base64.b64encode(b"ann:hunter22").decode()
    evidence = gathered(entry("http://app.example/hunter22", sent={"Authorization": f"Basic {credentials}"}))
    assert {"hunter22", credentials} <= evidence.secrets
    assert findings_of(entry("http://app.example/", sent={"Authorization": f"Basic {credentials}"})) == {
        "plain-http": "high"
    }
    assert not gathered(entry(sent={"Authorization": "Basic é"})).passwords


def test_what_is_sent_by_any_other_scheme_is_hidden() -> None:
    assert OTHER in gathered(entry(sent={"Authorization": f"Negotiate {OTHER}"})).secrets
    assert not gathered(entry(sent={"Authorization": "Negotiate x"})).secrets


def test_tokens_and_proofs_in_headers_are_hidden() -> None:
    sent = {"X-Access-Token": SESSION, "X-CSRF-Token": "proof-of-origin"}
    got = {"X-Auth-Token": OTHER, "Authorization": "Bearer short", "Refresh-Token": "not a token but secret"}
    evidence = gathered(entry(sent=sent, got=got))
    assert {SESSION, OTHER, "proof-of-origin", "not a token but secret"} <= evidence.secrets


def test_passwords_in_answers_are_hidden() -> None:
    made = entry(body='{"password": "hunter22", "csrf_token": "0123456789abcdefgh"}', kind="application/json")
    assert {"hunter22", "0123456789abcdefgh"} <= gathered(made).secrets


def test_a_refresh_token_is_told_by_its_type() -> None:
    refresh = make_jwt({"typ": "Refresh", "aud": "a", "iss": "i", "iat": 1, "exp": 10**9}, FAR)
    assert "jwt-long-life" not in findings_of(entry(sent={"Authorization": f"Bearer {refresh}"}))


def test_a_token_without_any_time_but_its_end_has_no_known_life() -> None:
    token = make_jwt({"aud": "a", "exp": 10**9}, FAR)
    assert "jwt-long-life" not in findings_of(entry(sent={"Authorization": f"Bearer {token}"}))
    text = make_jwt({"aud": "a", "exp": "soon", "iat": 1}, FAR)
    assert "jwt-long-life" not in findings_of(entry(sent={"Authorization": f"Bearer {text}"}))


def test_a_token_that_lives_for_minutes_more_than_an_hour_is_told_in_minutes() -> None:
    token = make_jwt({"aud": "a", "iat": 0, "exp": 5_400}, FAR)
    report = report_of(entry(sent={"Authorization": f"Bearer {token}"}))
    assert any("it lives for 90 minutes" in finding.evidence for finding in report.findings)


def test_an_encrypted_token_is_not_called_unsigned() -> None:
    jwe = encoded(b'{"alg":"dir","enc":"A256GCM"}') + "..AAAA.AAAA.AAAA"
    assert not report_of(entry(sent={"Authorization": f"Bearer {jwe}"})).findings


@pytest.mark.parametrize(
    "value", [OTHER, "e30.e30.AA", "eyJ" * 30_000, "!.!.!"], ids=["opaque", "no alg", "long", "nonsense"]
)
def test_what_does_not_say_how_it_is_made_is_not_read(value: str) -> None:
    assert read_token(value) is None


def test_an_issuer_that_is_no_address_gives_no_host() -> None:
    token = make_jwt({"iss": "https://[x", "aud": ["a", 5, "b" * 200], "iat": 0, "exp": 60}, FAR)
    assert "jwt-common-secret" not in findings_of(entry(sent={"Authorization": f"Bearer {token}"}))
    assert words_of(["api.shop.example", "127.0.0.1"]) == (
        *("api.shop.example", "api", "shop", "example", "shop.example"),
        *("127.0.0.1", "0.1"),
    )


@pytest.mark.parametrize(
    "name, expected",
    [
        *(
            (name, True)
            for name in ("PHPSESSID", "JSESSIONID", "connect.sid", "ASP.NET_SessionId", "sid", "auth")
        ),
        *(
            (name, True)
            for name in ("__Host-coatcheck", "laravel_session", "remember_me", "sb-x-auth-token", "jwt")
        ),
        *(
            (name, False)
            for name in ("csrftoken", "XSRF-TOKEN", "_ga", "lang", "author", "inside", "oauth_state")
        ),
        *(
            (name, False)
            for name in ("_hjSessionUser_1", "session_start", "residence", "__Host-coatcheck-device")
        ),
    ],
)
def test_session_cookies_are_told_by_their_names(name: str, expected: bool) -> None:  # noqa: FBT001
    assert is_session_cookie(name) is expected


@pytest.mark.parametrize(
    "name, role",
    [
        ("accessToken", "access"),
        ("refresh_token", "refresh"),
        ("refreshJwt", "refresh"),
        ("id_token", "id"),
        ("sessionId", "session"),
        ("csrf_token", None),
        ("nextPageToken", None),
        ("name", None),
    ],
)
def test_roles_are_told_by_names(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_passwords_are_told_by_names() -> None:
    assert all(
        map(is_password, ("password", "newPassword", "user_password", "password_confirmation", "pwd", "pass"))
    )
    assert not any(map(is_password, ("passenger", "compass", "bypass", "passport", "past")))


def test_files_in_forms_are_no_fields() -> None:
    text = (
        '--x\nContent-Disposition: form-data; name="a"\n\n1\n'
        '--x\nContent-Disposition: form-data; name="f"; filename="f"\n\n2\n--x\nno head\n--x--'
    )
    assert form_fields(text, "multipart/form-data") == (("a", "1"),)


def test_texts_and_numbers_of_json_have_names() -> None:
    assert list(named_values('{"a": [1, "x", {"b": "y"}], "c": null}', "application/json")) == [
        ("a", "1"),
        ("a", "x"),
        ("b", "y"),
    ]
    assert list(named_values('["x"]', "")) == [("", "x")]
    assert list(named_values("[" * 100_000, "application/json")) == []
    assert list(named_values("{", "application/json")) == []
    assert len(list(named_values("[" + '"x",' * 110_000 + "1]", "application/json"))) < 110_000


def test_headers_that_are_no_pairs_are_passed_over() -> None:
    exchange = read_headers("> GET / HTTP/1.1\n> nonsense\n> Host: a.example\nbody\n").exchanges[0]
    assert exchange.request.headers.fields == (("host", "a.example"),)
    assert read_headers("HTTP/1.1 200 OK\n???\nA: b\n").exchanges[0].response.headers.fields == (("a", "b"),)
    many = "HTTP/1.1 200 OK\n" + "A: b\n" * 600
    assert len(read_headers(many).exchanges[0].response.headers.fields) == 512
    assert read_headers(":status: x\n:foo: y\nA: b\n").exchanges[0].status == 0


def test_a_session_that_is_kept_beside_a_token_is_not_blamed() -> None:
    sent = {"Cookie": f"sid={SESSION}"}
    entries = [
        entry(
            "https://app.example/login",
            method="POST",
            sent=sent,
            form='{"password": "hunter22"}',
            body=f'{{"access_token": "{OTHER}"}}',
            kind="application/json",
        ),
        entry("https://app.example/me", sent=sent),
    ]
    assert "session-fixation" not in findings_of(*entries)
    assert "session-fixation" not in findings_of(entries[0])
    without = [{**each, "response": {**each["response"], "content": {}}} for each in entries]
    assert findings_of(*without)["session-fixation"] == "medium"


def test_a_token_that_is_sent_on_after_the_sign_out_is_found_until_somebody_signs_in_again() -> None:
    bearer = {"Authorization": f"Bearer {OTHER}"}
    out = entry("https://app.example/logout", method="POST", sent=bearer, status=204)
    login = entry("https://app.example/login", method="POST", form="password=hunter22", status=302)
    after = entry("https://app.example/me", sent=bearer)
    assert "alive-after-sign-out" in findings_of(out, after)
    assert "alive-after-sign-out" not in findings_of(out, login, after)
    assert "alive-after-sign-out" not in findings_of(out, entry("https://app.example/login", sent=bearer))


def test_a_recording_without_exchanges_has_nothing() -> None:
    assert not audit_recording(Recording(kind="headers")).findings
