"""A recording may be made by an attacker: it gives a report or an error of ours, and betrays nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coatcheck.audit.auditing import audit
from coatcheck.audit.errors import AuditError
from coatcheck.audit.masking import Redactor, looks_secret, masked, name_of
from coatcheck.audit.model import Options
from coatcheck.audit.sarif import as_sarif
from tests.audit.bad_shop import encoded, make_jwt
from tests.audit.recordings import OTHER, SESSION, entry, har, report_of

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["eyJhbGciOiJub25lIn0.e30.", "https://a.example/?token=", "\u202e\x1b[31m", "\ud800", 10**40]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    "name",
    "value",
    "method",
    "url",
    "headers",
    "cookies",
    "postData",
    "params",
    "text",
    "mimeType",
    "content",
]
NAMES += ["encoding", "status", "expires", "request", "response", "startedDateTime", "time", "_resourceType"]
shaped = st.recursive(
    anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)
header = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["Cookie", "Set-Cookie", "Authorization", "Location", "Referer", "Origin", "WWW-Authenticate"]
        )
        | anything,
        "value": st.text(max_size=60) | anything,
    }
)
message = st.fixed_dictionaries(
    {},
    optional={
        "url": st.text(max_size=40).map("https://a.example/{}".format) | anything,
        "method": st.sampled_from(["GET", "POST"]) | anything,
        "headers": st.lists(header, max_size=4) | anything,
        "cookies": st.lists(shaped, max_size=2) | anything,
        "postData": shaped,
        "status": st.sampled_from([200, 302, 401]) | anything,
        "content": shaped,
    },
)
entries = st.fixed_dictionaries(
    {"request": message | anything, "response": message | anything},
    optional={"startedDateTime": anything, "time": anything, "_resourceType": anything},
)


def tried(octets: bytes) -> None:
    try:
        report = audit(octets)
    except AuditError:
        return
    json.dumps(msgspec.to_builtins(report)).encode("ascii")
    json.dumps(as_sarif(report, file="\u202ex\ud800.har", version="0")).encode("ascii")


@settings(max_examples=60, deadline=None)
@given(st.lists(entries | anything, max_size=4))
def test_no_entries_whatever_make_it_fail(made: list[Any]) -> None:
    tried(json.dumps({"log": {"entries": made, "creator": made}}).encode())


@settings(max_examples=60, deadline=None)
@given(anything)
def test_no_json_whatever_makes_it_fail(made: Any) -> None:
    tried(json.dumps(made).encode())
    tried(json.dumps({"log": made}).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_no_octets_whatever_make_it_fail(octets: bytes) -> None:
    tried(octets)
    tried(b"HTTP/1.1 200 OK\r\nSet-Cookie: " + octets)
    tried(b"\x1f\x8b" + octets)


@settings(max_examples=40, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=24, max_size=64), st.data()
)
def test_a_secret_is_in_no_output_wherever_it_stood(secret: str, data: st.DataObject) -> None:
    secret = f"q7{secret}"
    place = data.draw(
        st.sampled_from(
            [
                entry(f"https://a.example/?token={secret}"),
                entry(f"https://a.example/{secret}?access_token={OTHER}"),
                entry(f"https://a.example/?password={secret}&{secret}=1"),
                entry(f"https://ann:{secret}@a.example/?password=1234"),
                entry(sent={"Authorization": f"Bearer {secret}"}, got={"Access-Control-Allow-Origin": "*"}),
                entry(sent={"Cookie": f"sid={secret}; {secret}=12345678; sid=x"}),
                entry(got={"Set-Cookie": f"session={secret}"}, body=secret),
                entry(
                    method="POST", form=f"refresh_token={secret}&{secret}=y", sent={"Cookie": f"sid={secret}"}
                ),
                entry(got={"WWW-Authenticate": f"Bearer 10.0.0.1 {secret}"}, status=401),
                entry(sent={"Referer": f"https://a.example/?access_token={secret}"}),
            ]
        )
    )
    report = report_of(place)
    assert report.findings or report.session_cookies
    shown = json.dumps([msgspec.to_builtins(report), as_sarif(report, file="x.har", version="0")])
    assert secret[:12] not in shown


WIDE = {
    "beginnings": "eyJ" * 200_000,
    "dots": "eyJ." * 200_000,
    "segments": "eyJhbGciOiJub25lIn0." * 50_000,
    "quotes": '"' * 300_000,
    "letters": "a" * 500_000,
    "words": "a-" * 250_000,
    "semicolons": ";" * 300_000,
    "commas": ", a=" * 100_000,
    "ampersands": "&a=b" * 100_000,
}


@pytest.mark.parametrize("name", WIDE)
def test_long_and_repetitive_text_is_read_in_linear_time(name: str) -> None:
    text = WIDE[name]
    made = entry(
        f"https://a.example/{text[:100_000]}?{text[:100_000]}",
        method="POST",
        sent={"Cookie": text[:60_000], "Authorization": f"Bearer {text}", "Referer": f"https://a/{text}"},
        got={"Set-Cookie": text[:60_000], "WWW-Authenticate": text},
        form=text,
        body=text,
    )
    assert audit(har(made, creator="WebKit")).exchanges == 1
    assert audit(f"Set-Cookie: sid=x\n{text[:200_000]}\n".encode()).exchanges == 1


@pytest.mark.parametrize("path", ["login", "logout", "elsewhere"])
def test_many_sign_ins_and_sign_outs_are_looked_at_up_to_a_number(path: str) -> None:
    cookie = {"Cookie": f"sid={SESSION}"}
    many = entry(
        f"https://a.example/{path}",
        method="POST",
        sent=cookie,
        form=f"password={OTHER}",
        body="x",
        got={"Set-Cookie": "sid=; Max-Age=0"},
    )
    assert report_of(*[many] * 1_500).exchanges == 1_500


def test_what_steers_a_terminal_is_written_out_in_sarif() -> None:
    report = report_of(
        entry("https://a.example/", got={"Set-Cookie": "\u202esession\x1b[2J=abcdefgh12345678"})
    )
    text = json.dumps(as_sarif(report, file="x.har", version="0"), ensure_ascii=False)
    assert "\u202e" not in text
    assert "\x1b" not in text


# Everything that could reach anybody raises an audit event of one of these names.
PROGRAM = """
import sys
def watch(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "subprocess.", "os.system", "os.exec")):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(watch)
from pathlib import Path
from coatcheck.audit.auditing import audit
from coatcheck.audit.sarif import as_sarif
report = audit(Path(sys.argv[1]).read_bytes())
as_sarif(report, file="x", version="0")
import json
print(len(report.findings), sorted({"ssl", "httpx", "asyncio", "http.client"} & set(sys.modules)))
if sys.argv[2:]:
    import socket
    socket.socket()
"""


def test_no_socket_is_opened_and_nothing_is_loaded_that_could(tmp_path: Path) -> None:
    token = "eyJhbGciOiJub25lIiwiamt1IjoiaHR0cHM6Ly9hdHRhY2tlci5leGFtcGxlIn0.e30."
    file = tmp_path / "x.har"
    file.write_bytes(
        har(entry(sent={"Authorization": f"Bearer {token}"}), entry("https://attacker.example/"))
    )
    command = [sys.executable, "-c", PROGRAM, str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    count, loaded = ran.stdout.split(" ", 1)
    assert int(count) >= 3
    assert loaded.strip() == "[]"
    watched = subprocess.run([*command, "and a socket"], capture_output=True, text=True, check=False)
    assert "socket.__new__" in watched.stderr


@pytest.mark.parametrize(
    "text",
    [
        SESSION,
        OTHER,
        "eyJhbGciOiJIUzI1NiJ9.x",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "AbCdEfGhIjKlMnOpQrStUvWxYz",
    ],
)
def test_what_looks_like_a_secret_is_masked_as_a_name(text: str) -> None:
    assert looks_secret(text)
    assert name_of(text) == "…"
    assert name_of(f"x({text})") == "…"


@pytest.mark.parametrize(
    "text",
    ["orders", "how-to-write-a-long-guide-2026", "__Host-coatcheck-pending", "a" * 30, "2026-01-01", ""],
)
def test_words_and_numbers_are_shown(text: str) -> None:
    assert name_of(text) == text


def test_a_long_name_is_cut() -> None:
    assert len(name_of("ä" * 200)) == 61


def test_short_secrets_are_masked_wholly() -> None:
    assert masked("hunter22") == "…"
    assert masked(SESSION).startswith("kT9v… (32 ")


def test_the_longest_secret_that_fits_is_taken_out_also_percent_encoded() -> None:
    hide = Redactor(["abcd", "abcdef", "a b/c&d", "abc"])
    assert hide("xabcdefx abcd abcx a%20b/c%26d") == "x…x … abcx …"


@pytest.mark.parametrize(
    "token",
    [
        make_jwt({"iss": "a"}, "no-common-one", kid="\ud800abc"),
        make_jwt({"exp": 10**400, "iat": 1.5}),
        make_jwt({"exp": 10**400}),
        make_jwt({"exp": -(10**400), "nbf": 10**400}),
        encoded(b'{"alg":"dir","enc":[]}') + "..aa.aa.aa",
        encoded(b'{"alg":["x"],"enc":{}}') + "..aa.aa.aa",
    ],
)
def test_attack_no_token_stops_the_audit(token: str) -> None:
    assert report_of(entry(sent={"Authorization": f"Bearer {token}"}, second=1)).exchanges == 1


def test_attack_secrets_that_begin_alike_are_masked_in_a_moment() -> None:
    """Each position of a text is compared with lengths, not with secrets: there may be as many as anybody likes."""

    class Counted(str):
        __slots__ = ()
        looked_at = 0

        def __getitem__(self, key: Any) -> str:
            Counted.looked_at += 1
            return str.__getitem__(self, key)

    hide = Redactor(f"aaaa{number:06}" for number in range(5_000))
    text = Counted("aaaa" * 250)
    assert hide(text) == text
    assert Counted.looked_at < 5 * len(text)
    assert hide("x aaaa000017 y") == "x … y"


def test_the_longest_secret_that_fits_is_masked() -> None:
    hide = Redactor(["secret", "secret-and-more", "secret-an"])
    assert hide("(secret-and-more) (secret-and) (secret)") == "(…) (…d) (…)"


def test_a_body_does_not_decide_how_headers_were_saved() -> None:
    text = "HTTP/1.1 200 OK\r\nSet-Cookie: session=kT9vQ2xW7bN4mC8pL3sD; Path=/\r\n\r\n> GET / HTTP/1.1\r\n"
    assert "cookie-without-httponly" in {each.rule for each in audit(text.encode(), Options()).findings}


def test_names_and_values_on_lines_in_turn_are_read() -> None:
    text = "set-cookie:\nsession=kT9vQ2xW7bN4mC8pL3sD; Path=/\nserver:\nnginx\norigin:\nhttps://a.example\n"
    assert "cookie-without-httponly" in {each.rule for each in audit(text.encode(), Options()).findings}


def test_the_fingerprint_of_a_finding_does_not_change_with_the_secret_in_an_address() -> None:
    def fingerprints(secret: str) -> set[str]:
        sent = {"Cookie": f"__Host-session={SESSION}", "Sec-Fetch-Site": "cross-site"}
        found = report_of(entry(f"https://a.example/u/{secret}/x", method="POST", sent=sent)).findings
        return {each.fingerprint for each in found if each.rule == "csrf-accepted"}

    assert len(fingerprints("aaaa1111-4f89-41d3-9a0c-0305e82c3301")) == 1
    assert fingerprints("aaaa1111-4f89-41d3-9a0c-0305e82c3301") == fingerprints(
        "bbbb1111-4f89-41d3-9a0c-0305e82c3301"
    )
