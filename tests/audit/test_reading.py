"""Every form in which people have traffic is read, and what is none is refused in one sentence."""

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from coatcheck.audit.auditing import audit
from coatcheck.audit.errors import AuditError, RecordingTooLargeError, UnreadableRecordingError
from coatcheck.audit.har import read_har
from coatcheck.audit.model import Report, at_least
from coatcheck.audit.readable_cookies import readable_claims
from coatcheck.audit.reading import read_recording
from coatcheck.audit.saved_headers import read_headers
from coatcheck.audit.set_cookie import parse_cookies, parse_date, parse_set_cookie, split_set_cookies
from tests.audit.bad_shop import make_jwt
from tests.audit.recordings import OTHER, SESSION, entry, har

JWT = make_jwt({"sub": "u"}, "Zq8-" * 12)
BODY = json.dumps({"access_token": OTHER})
ANSWER = f"HTTP/1.1 200 OK\r\nSet-Cookie: sid={SESSION}\r\nContent-Type: application/json\r\n\r\n{BODY}\r\n"
VERBOSE = f"""*   Trying 192.0.2.1:443...
* Connected to app.example (192.0.2.1) port 443
* SSL connection using TLSv1.3
> POST /login HTTP/1.1
> Host: app.example
> Cookie: sid={SESSION}
>
{{ [5 bytes data]
< HTTP/1.1 302 Found
< Set-Cookie: sid={SESSION}; Path=/
< Location: /?access_token={OTHER}
<
* Connection #0 to host app.example left intact
> GET /?access_token={OTHER} HTTP/1.1
> Host: app.example
>
< HTTP/1.1 103 Early Hints
<
< HTTP/1.1 200 OK
< Content-Type: application/json
<
{BODY}
> GET /unanswered HTTP/1.1
> Host: app.example
"""


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    "octets",
    [
        har(entry(body=BODY, kind="application/json")),
        b"\xef\xbb\xbf" + har(entry(body=BODY, kind="application/json")),
        gzip.compress(har(entry(body=BODY, kind="application/json"))),
        har(entry(body=BODY, kind="application/json")).decode().encode("utf-16"),
        b"\n " + har(entry(body=BODY, kind="application/vnd.api+json; charset=utf-8")),
        ANSWER.encode(),
        b"\xef\xbb\xbf" + ANSWER.encode(),
        ANSWER.replace("\r\n", "\n").encode("utf-16"),
        VERBOSE.encode(),
    ],
    ids=["HAR", "mark", "gzip", "UTF-16", "space", "headers", "headers-mark", "headers-UTF-16", "verbose"],
)
def test_a_token_in_a_body_is_found_in_every_form(octets: bytes) -> None:
    assert "token-in-body" in rules(audit(octets))


def test_a_body_in_base64_is_read_and_one_that_is_none_passed_over() -> None:
    made = entry(kind="application/json")
    made["response"]["content"] |= {"text": base64.b64encode(BODY.encode()).decode(), "encoding": "base64"}
    assert "token-in-body" in rules(audit(har(made)))
    made["response"]["content"]["text"] = "é" * 9
    assert "token-in-body" not in rules(audit(har(made)))


def test_fields_of_every_form_are_read() -> None:
    boundary = '--x\r\nContent-Disposition: form-data; name="refresh_token"\r\n\r\n' + OTHER + "\r\n--x--\r\n"
    for data in (
        {"mimeType": "multipart/form-data; boundary=x", "text": boundary},
        {
            "mimeType": "application/x-www-form-urlencoded",
            "params": [{"name": "refresh_token", "value": OTHER}],
        },
        {"mimeType": "application/json", "text": json.dumps({"a": [{"refreshToken": OTHER}]})},
    ):
        made = entry(method="POST")
        made["request"]["postData"] = data
        assert "refresh-token-in-page" in rules(audit(har(made)))
    made["request"]["postData"] = {"mimeType": "multipart/form-data", "text": "no boundary"}
    assert not rules(audit(har(made)))


def test_cookies_are_taken_from_the_lists_where_the_headers_were_left_out() -> None:
    made = entry()
    made["request"]["cookies"] = [{"name": "sid", "value": SESSION}, {"value": "x"}, 5]
    made["response"]["cookies"] = [
        {
            "name": "session",
            "value": OTHER,
            "domain": ".example",
            "path": "/",
            "expires": "2099-01-01T00:00:00.000Z",
        },
        {
            "name": "auth",
            "value": OTHER,
            "domain": "app.example",
            "httpOnly": True,
            "secure": True,
            "sameSite": "Lax",
        },
    ]
    made["startedDateTime"] = "2026-01-01T00:00:00"
    exchange = read_har(har(made).decode()).exchanges[0]
    assert exchange.cookies_sent == (("sid", SESSION),)
    first, second = exchange.cookies_set
    assert (first.domain, first.secure, first.lifetime(exchange.started)) == ("example", False, 2303683200.0)
    assert (second.domain, second.same_site, second.http_only) == ("", "lax", True)


def test_what_safari_joins_is_taken_apart() -> None:
    joined = f"sid={SESSION}; Expires=Wed, 01 Jan 2098 00:00:00 GMT; Path=/, session={OTHER}; HttpOnly"
    assert len(split_set_cookies(joined)) == 2
    made = entry(got={"Set-Cookie": joined})
    assert len(read_har(har(made, creator="WebKit Web Inspector").decode()).exchanges[0].cookies_set) == 2
    assert len(read_har(har(made).decode()).exchanges[0].cookies_set) == 1


def test_what_chrome_joins_by_lines_is_taken_apart() -> None:
    made = entry(got={"Set-Cookie": f"sid={SESSION}\nsession={OTHER}"})
    assert len(read_har(har(made).decode()).exchanges[0].cookies_set) == 2


def test_entries_are_put_in_order_of_time_and_keep_their_numbers() -> None:
    entries = [entry(second=3), entry(second=1), entry(second=2)]
    assert [each.entry for each in read_har(har(*entries).decode()).exchanges] == [2, 3, 1]
    assert [each.entry for each in read_har(har(*entries, entry()).decode()).exchanges] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "made, expected",
    [
        ({"_resourceType": "fetch"}, True),
        ({"_resourceType": "document"}, False),
        ({}, None),
    ],
    ids=["fetch", "document", "untold"],
)
def test_who_asked_is_read(made: dict[str, Any], expected: bool | None) -> None:  # noqa: FBT001
    assert read_har(har(entry() | made).decode()).exchanges[0].by_script is expected


def test_what_has_no_form_of_a_har_is_passed_over_and_counted() -> None:
    report = audit(har(entry(), 5, None, {}, {"request": []}, {"request": {"url": 7}}))
    assert report.exchanges == 1
    assert any("5 of the entries" in note for note in report.notes)


def test_repeated_names_are_told() -> None:
    octets = har(entry()).replace(b'"status": 200', b'"status": 500, "status": 200')
    assert any("repeat a name" in note for note in audit(octets).notes)


def test_what_is_no_utf_8_is_told() -> None:
    assert any("UTF-8" in note for note in audit(har(entry(body="x")).replace(b'"x"', b'"\xff"')).notes)


def test_verbose_output_of_curl_gives_addresses_and_pairs() -> None:
    recording = read_headers(VERBOSE)
    found = [(each.method, each.address.shown, each.status) for each in recording.exchanges]
    assert found == [
        ("POST", "https://app.example/login", 302),
        ("GET", "https://app.example/?access_token=…", 103),
        ("GET", "https://app.example/?access_token=…", 200),
        ("GET", "https://app.example/unanswered", 0),
    ]
    plain = VERBOSE.replace("port 443", "port 80").replace("* SSL connection using TLSv1.3\n", "")
    assert read_headers(plain).exchanges[0].address.is_plain


def test_headers_of_a_raw_request_and_of_http_2_are_read() -> None:
    raw = (
        f"GET http://app.example/x HTTP/1.1\nHost: app.example\nCookie: sid={SESSION}\n\nHTTP/1.1 200 OK\n\n"
    )
    assert rules(audit(raw.encode())) >= {"plain-http"}
    pseudo = f":authority: app.example\n:method: POST\n:path: /x\n:scheme: https\ncookie: sid={SESSION}\n"
    exchange = read_headers(pseudo).exchanges[0]
    assert (exchange.method, exchange.address.shown) == ("POST", "https://app.example/x")
    assert read_headers(":status: 204\nset-cookie: a=b\n").exchanges[0].status == 204
    unknown = read_headers("GET /x HTTP/1.1\nHost: app.example\n")
    assert unknown.exchanges[0].address.scheme == ""


def test_fields_alone_are_taken_for_an_answer() -> None:
    report = audit(f"Set-Cookie: sid={SESSION}\n".encode())
    assert "cookie-without-httponly" in rules(report)
    assert any("begins with fields" in note for note in report.notes)


def test_redirects_that_curl_followed_are_exchanges_of_their_own() -> None:
    report = audit(
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nHTTP/2 200\r\ncontent-type: text/html\r\n\r\n<p>\r\n"
    )
    assert report.exchanges == 2


@pytest.mark.parametrize(
    "given",
    [JWT, f"Bearer {JWT}", f"Authorization: Bearer {JWT}\n", f" {JWT}\n"],
    ids=["bare", "scheme", "field", "space"],
)
def test_a_bare_token_is_read(given: str) -> None:
    report = audit(given.encode())
    assert report.kind == "token"
    assert {"jwt-without-exp", "jwt-without-aud"} <= rules(report)
    assert all(finding.where is None for finding in report.findings)


def test_a_token_in_json_is_read() -> None:
    header, payload, signature = JWT.split(".")
    octets = json.dumps({"protected": header, "payload": payload, "signature": signature}).encode()
    assert "jwt-without-exp" in rules(audit(octets))


def test_an_opaque_token_has_nothing_to_judge() -> None:
    report = audit(OTHER.encode())
    assert not report.findings
    assert any("opaque" in note for note in report.notes)


@pytest.mark.parametrize(
    "octets, words",
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"[1, 2]", "no HAR"),
        (b"{}", "no object 'log'"),
        (b'{"log": 5}', "no object 'log'"),
        (b'{"log": {"entries": {}}}', "no list"),
        (b'{"log": {"entries": [', "cut off"),
        (b'{"log" 5}', "line 1, column 8"),
        (b'{"log":' * 100_000, "nested deeper"),
        (b"PK\x03\x04zip", "ZIP"),
        (b"\x1f\x8bnonsense", "damaged"),
        (gzip.compress(har(entry()))[:-9], "cut off"),
        (b"Dear Sir or Madam, this is a letter.", "neither a HAR"),
        (b"\x00\x01\x02", "neither a HAR"),
        (b"key; value", "neither a HAR"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_what_cannot_be_read_is_refused_in_one_sentence(octets: bytes, words: str) -> None:
    with pytest.raises(UnreadableRecordingError, match=words) as refused:
        audit(octets)
    assert isinstance(refused.value, AuditError)
    assert "\n" not in refused.value.message


def test_headers_without_any_message_are_refused() -> None:
    with pytest.raises(UnreadableRecordingError):
        read_headers("> GET nowhere")


@pytest.mark.parametrize("octets", [b"x" * 2_000, gzip.compress(b" " * 2_000)], ids=["plain", "packed"])
def test_what_is_too_large_is_refused_before_it_is_unpacked(octets: bytes) -> None:
    with pytest.raises(RecordingTooLargeError, match=r"larger than 1,000 bytes"):
        read_recording(octets, most=1_000)
    with pytest.raises(RecordingTooLargeError, match="1 MiB"):
        read_recording(gzip.compress(b" " * 1_048_577), most=1_048_576)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_480.0),
        ("Wednesday, 21-Oct-15 07:28:00 GMT", 1_445_412_480.0),
        ("21 Oct 1970 00:00:00", 25_315_200.0),
        ("Thu, 01-Jan-70 00:00:00 GMT", 0.0),
        ("31 Feb 2020 00:00:00 GMT", None),
        ("21 Xxx 2020 00:00:00 GMT", None),
        ("never", None),
    ],
)
def test_dates_of_cookies_are_read(text: str, expected: float | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "; Path=/", "="])
def test_what_browsers_pass_over_is_no_cookie(text: str) -> None:
    assert parse_set_cookie(text) is None


def test_cookies_without_a_name_or_an_equals_sign_are_read_as_browsers_do() -> None:
    cookie = parse_set_cookie("value")
    assert cookie is not None
    assert (cookie.name, cookie.value) == ("", "value")
    assert parse_cookies("a=b; c; ;d=e=f") == (("a", "b"), ("", "c"), ("d", "e=f"))


@pytest.mark.parametrize(
    "cookie, removed",
    [
        ("a=b; Max-Age=0", True),
        ("a=b; Max-Age=-5", True),
        ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("a=; Path=/", True),
        ('a=""', True),
        ("a=deleted", True),
        ("a=b", False),
        ("a=b; Max-Age=x", False),
        ("a=b; Max-Age=5", False),
        ("a=b; Expires=Thu, 01 Jan 2099 00:00:00 GMT", False),
    ],
)
def test_a_removal_is_told_from_a_cookie(cookie: str, removed: bool) -> None:  # noqa: FBT001
    parsed = parse_set_cookie(cookie)
    assert parsed is not None
    assert parsed.is_removal(None) is removed


PERSON = json.dumps({"email": "a@b.example"}).encode()


@pytest.mark.parametrize(
    "value",
    [
        base64.urlsafe_b64encode(PERSON).decode(),
        f"{base64.b64encode(PERSON).decode()}--0123abcd",
        f"{base64.urlsafe_b64encode(PERSON).decode().rstrip('=')}.aBc.dEf",
        f".{base64.urlsafe_b64encode(zlib.compress(PERSON)).decode().rstrip('=')}.aBc.dEf",
        "j%3A%7B%22email%22%3A%22a%40b.example%22%7D",
    ],
    ids=["base64", "rails", "flask", "packed", "express"],
)
def test_a_readable_cookie_is_read(value: str) -> None:
    reading = readable_claims(value)
    assert reading is not None
    assert reading.claims == {"email": "a@b.example"}


@pytest.mark.parametrize(
    "value", ["", OTHER, JWT, ".x", "%7B%7D", "W10=", "e30=", "{" * 99_999, "eyJhIjog/w=="]
)
def test_another_cookie_is_not(value: str) -> None:
    assert readable_claims(value) is None


def test_how_bad_it_is_at_least_can_be_asked() -> None:
    report = audit(JWT.encode())
    assert at_least(report, "info")
    assert at_least(report, "high")
    assert not at_least(audit(OTHER.encode()), "info")
    assert report.counts["high"] == 1
