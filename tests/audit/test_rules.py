"""Each rule finds what it is for, as badly as it is there, and lets what is right alone."""

import base64
import json
from typing import Any

import pytest

from coatcheck.audit.rules.table import BY_ID, RULES
from tests.audit.bad_shop import make_jwt
from tests.audit.recordings import GOOD_COOKIE, HSTS, OTHER, SESSION, entry, findings_of, only, report_of

NOW = 1_767_225_600  # 2026-01-01, when these recordings were made
JWT = make_jwt(
    {"iss": "https://id.example", "sub": "u1", "aud": "app", "iat": NOW, "exp": NOW + 300}, "Zq8-" * 12
)
CREDENTIALS = {"Access-Control-Allow-Credentials": "true"}
BEARER = {"Authorization": f"Bearer {JWT}"}
COOKIE = {"Cookie": f"__Host-session={SESSION}"}
LOGIN = "user=ann%40app.example&password=a-long-password"


def setting(cookie: str, **more: Any) -> dict[str, Any]:
    return entry(got={"Set-Cookie": cookie, "Cache-Control": "no-store"}, **more)


def posting(cookie: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    name, _, rest = cookie.partition("=")
    sent = {"Cookie": f"{name}={rest.partition(';')[0]}", **more.pop("sent", {})}
    return setting(cookie), entry("https://app.example/change", method="POST", sent=sent, **more)


def bearing(claims: dict[str, Any], secret: str = "Zq8-" * 12, **header: Any) -> dict[str, Any]:
    whole = {"iss": "i", "sub": "u", "aud": "a", "iat": NOW, "exp": NOW + 300, **claims}
    kept = {name: value for name, value in whole.items() if value is not None}
    return entry(sent={"Authorization": f"Bearer {make_jwt(kept, secret, **header)}"})


def cors(allowed: str, *, origin: str = "https://other.example", credentials: bool = True) -> dict[str, Any]:
    got = {"Access-Control-Allow-Origin": allowed, **(CREDENTIALS if credentials else {})}
    return entry("https://api.example/x", sent={"Origin": origin}, got=got)


def over(scheme: str, **got: str) -> dict[str, Any]:
    made = entry(f"{scheme}://app.example/", sent=COOKIE)
    made["response"]["headers"] = [{"name": name, "value": value} for name, value in got.items()]
    return made


def flask_cookie(value: dict[str, Any]) -> str:
    first = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"session={first}.aBcDeF.sIgNaTuRe123456789"


SIGN_IN = [
    entry(sent={"Cookie": f"sid={SESSION}"}, second=1),
    entry(
        "https://app.example/login",
        method="POST",
        sent={"Cookie": f"sid={SESSION}"},
        form=LOGIN,
        status=302,
        got={"Location": "/account"},
        second=2,
    ),
    entry("https://app.example/account", sent={"Cookie": f"sid={SESSION}"}, second=3),
]
OUT = entry(
    "https://app.example/logout", method="POST", sent={**COOKIE, "X-CSRF-Token": "x"}, status=204, second=4
)
ME = "https://app.example/api/me"

BROKEN: list[tuple[str, str, list[dict[str, Any]]]] = [
    (
        "token-in-script-cookie",
        "high",
        [setting(f"__Host-access_token={OTHER}; Path=/; Secure; SameSite=Lax; Max-Age=9")],
    ),
    ("token-in-script-cookie", "high", [setting(f"data=%7B{JWT}; Secure; SameSite=Lax; Max-Age=9")]),
    ("cookie-without-httponly", "high", [setting(GOOD_COOKIE.replace("HttpOnly; ", ""))]),
    ("cookie-without-secure", "high", [setting(f"session={SESSION}; HttpOnly; SameSite=Lax; Max-Age=9")]),
    ("cookie-without-secure", "low", [setting(f"session={SESSION}; HttpOnly", url="http://localhost:8000/")]),
    ("cookie-without-samesite", "medium", [setting(GOOD_COOKIE.replace("SameSite=Lax; ", ""))]),
    ("cookie-cross-site", "medium", [setting(GOOD_COOKIE.replace("=Lax", "=None"))]),
    ("cookie-without-prefix", "low", [setting(GOOD_COOKIE.replace("__Host-", ""))]),
    ("cookie-prefix-broken", "medium", [setting(f"{GOOD_COOKIE}; Domain=app.example")]),
    ("cookie-prefix-broken", "medium", [setting("__Host-Http-x=1; Secure; Path=/")]),
    (
        "cookie-wide-domain",
        "medium",
        [setting(f"__Secure-session={SESSION}; Domain=.example; Secure; HttpOnly")],
    ),
    (
        "cookie-wide-domain",
        "low",
        [setting(f"__Secure-session={SESSION}; Domain=app.example; Secure; HttpOnly")],
    ),
    ("cookie-long-life", "medium", [setting(GOOD_COOKIE.replace("=3600", "=8640000"))]),
    ("cookie-long-life", "low", [setting(GOOD_COOKIE.replace("=3600", "=5000000"))]),
    (
        "cookie-long-life",
        "medium",
        [setting(GOOD_COOKIE.replace("Max-Age=3600", "Expires=Thu, 31 Dec 2037 23:55:55 GMT"), second=1)],
    ),
    ("cookie-without-expiry", "info", [setting(GOOD_COOKIE.replace("; Max-Age=3600", ""))]),
    ("cookie-same-name", "medium", [entry(sent={"Cookie": f"sid={SESSION}; sid={OTHER}"})]),
    ("cookie-same-name", "low", [entry(sent={"Cookie": "lang=de; lang=en"})]),
    (
        "cookie-same-name",
        "low",
        [setting(f"sid={SESSION}; Path=/"), setting(f"sid={OTHER}; Path=/; Domain=app.example")],
    ),
    (
        "session-id-short",
        "medium",
        [setting("__Host-session=12345678; Path=/; Secure; HttpOnly; SameSite=Lax")],
    ),
    ("session-id-short", "low", [setting("__Host-session=0a1b2c3d4e5f60718293; Path=/; Secure; HttpOnly")]),
    ("cookie-too-large", "low", [setting(f"prefs={'x' * 3_200}")]),
    ("cookie-too-large", "medium", [entry(sent={"Cookie": f"prefs={'x' * 4_200}"})]),
    ("headers-too-large", "low", [entry(sent={"X-Data": "x" * 6_500})]),
    ("headers-too-large", "medium", [entry(sent={"X-Data": "x" * 8_500})]),
    ("jwt-unsigned", "high", [bearing({}, alg="none")]),
    ("jwt-unsigned", "high", [entry(sent={"Authorization": f"Bearer {JWT.rpartition('.')[0]}."})]),
    ("jwt-common-secret", "high", [bearing({}, "secret")]),
    ("jwt-common-secret", "high", [bearing({}, "supersecretjwt", alg="HS256", typ="at+jwt")]),
    ("jwt-common-secret", "high", [bearing({}, "app-secret")]),
    ("jwt-common-secret", "high", [bearing({"iss": "https://id.acme.test"}, "acme123")]),
    (
        "jwt-common-secret",
        "high",
        [bearing({"aud": ["x", "warehouse"]}, "WAREHOUSE_KEY".replace("KEY", "key"))],
    ),
    ("jwt-common-secret", "high", [bearing({}, base64.b64encode(b"changeme").decode())]),
    ("jwt-without-exp", "high", [bearing({"exp": None})]),
    ("jwt-long-life", "medium", [bearing({"exp": NOW + 7_200})]),
    ("jwt-long-life", "high", [bearing({"exp": NOW + 200_000})]),
    ("jwt-long-life", "high", [bearing({"exp": 10**300})]),
    (
        "jwt-long-life",
        "medium",
        [{**bearing({"iat": None, "exp": NOW + 7_200}), "startedDateTime": "2026-01-01T00:00:00Z"}],
    ),
    ("jwt-without-aud", "medium", [bearing({"aud": None})]),
    ("jwt-personal-data", "medium", [bearing({"email": "ann@app.example"})]),
    (
        "jwt-personal-data",
        "low",
        [
            entry(
                "https://app.example/token",
                body=json.dumps(
                    {"id_token": make_jwt({"aud": "a", "exp": NOW, "email": "a@b.example"}, "Zq8-" * 12)}
                ),
                kind="application/json",
                got={"Cache-Control": "no-store"},
            )
        ],
    ),
    ("jwt-secret-inside", "high", [bearing({"password": "x"})]),
    ("jwt-risky-header", "medium", [bearing({}, jku="https://x.example")]),
    ("cookie-personal-data", "medium", [setting(flask_cookie({"email": "ann@app.example"}))]),
    ("cookie-personal-data", "high", [setting(flask_cookie({"password": "x"}))]),
    ("token-in-query", "high", [entry(f"https://app.example/?access_token={OTHER}")]),
    ("token-in-query", "high", [entry(f"https://app.example/?anything={JWT}")]),
    ("token-in-query", "medium", [entry(f"https://app.example/?token={OTHER}")]),
    (
        "token-in-query",
        "high",
        [entry(f"https://app.example/?sid={SESSION}", sent={"Cookie": f"sid={SESSION}"})],
    ),
    ("token-in-query", "high", [entry(status=302, got={"Location": f"/?access_token={OTHER}"})]),
    ("token-in-fragment", "high", [entry(f"https://app.example/#access_token={OTHER}")]),
    ("token-in-fragment", "medium", [entry(f"https://app.example/#id_token={JWT}")]),
    ("token-in-path", "high", [entry(f"https://app.example/x;jsessionid={OTHER}?a=b")]),
    ("token-in-path", "high", [entry(f"https://app.example/x/{JWT}/y")]),
    (
        "token-in-referer",
        "high",
        [entry("https://cdn.example/", sent={"Referer": f"https://app.example/?token={OTHER}"})],
    ),
    ("one-use-token-in-url", "info", [entry(f"https://app.example/reset?token={OTHER}")]),
    ("password-in-url", "high", [entry("https://app.example/?user=ann&password=hunter22")]),
    ("password-in-url", "high", [entry("https://ann:hunter22@app.example/")]),
    (
        "token-in-body",
        "medium",
        [entry(ME, body=json.dumps({"accessToken": OTHER}), kind="application/json")],
    ),
    ("token-in-body", "low", [entry(ME, body=json.dumps({"token": OTHER}), kind="application/json")]),
    ("token-in-body", "medium", [entry(ME, body=f"<script>let t = '{JWT}'</script>")]),
    ("token-in-body", "medium", [entry(ME, got={"X-Auth-Token": JWT})]),
    ("refresh-token-in-page", "medium", [entry(ME, method="POST", form=f"refresh_token={OTHER}")]),
    ("session-in-body", "high", [setting(GOOD_COOKIE), entry(ME, body=f"<p>{SESSION}</p>")]),
    (
        "token-cacheable",
        "medium",
        [entry(ME, body=json.dumps({"access_token": OTHER}), kind="application/json")],
    ),
    ("cookie-cacheable", "low", [entry(got={"Set-Cookie": GOOD_COOKIE})]),
    ("cors-any-origin-with-credentials", "medium", [cors("*")]),
    ("cors-null-origin", "high", [cors("null", origin="null")]),
    ("cors-null-origin", "low", [cors("null", origin="null", credentials=False)]),
    ("cors-reflected-origin", "low", [cors("https://other.test", origin="https://other.test")]),
    ("cors-reflected-origin", "info", [cors("https://www.api.example", origin="https://www.api.example")]),
    (
        "cors-reflected-origin",
        "high",
        [cors(f"https://{name}.test", origin=f"https://{name}.test") for name in ("a", "b", "c")],
    ),
    (
        "cors-reflected-origin",
        "medium",
        [cors(f"https://{name}.test", origin=f"https://{name}.test") for name in ("a", "b")],
    ),
    (
        "cors-reflected-origin",
        "high",
        [cors(f"https://{name}.co.uk", origin=f"https://{name}.co.uk") for name in ("a", "b", "c")],
    ),
    ("cors-any-origin", "low", [entry(ME, sent=BEARER, got={"Access-Control-Allow-Origin": "*"})]),
    ("csrf-no-sign", "info", [*posting(GOOD_COOKIE, form="a=b")]),
    ("csrf-no-sign", "medium", [*posting(GOOD_COOKIE.replace("=Lax", "=None"), form="a=b")]),
    ("csrf-no-sign", "low", [*posting(GOOD_COOKIE.replace("=Lax", "=None"), form='{"a": 1}')]),
    ("csrf-no-sign", "low", [entry(ME, method="POST", sent=COOKIE, form="a=b")]),
    ("csrf-accepted", "high", [entry(ME, method="POST", sent={**COOKIE, "Sec-Fetch-Site": "cross-site"})]),
    ("csrf-accepted", "high", [entry(ME, method="POST", sent={**COOKIE, "Origin": "https://evil.test"})]),
    ("session-fixation", "high", SIGN_IN),
    (
        "session-fixation",
        "medium",
        [{**each, "response": {**each["response"], "status": 200}} for each in SIGN_IN],
    ),
    (
        "alive-after-sign-out",
        "high",
        [entry(ME, status=401, second=1), OUT, entry(ME, sent=COOKIE, second=5)],
    ),
    (
        "alive-after-sign-out",
        "high",
        [entry(ME, status=302, got={"Location": "/login"}, second=1), OUT, entry(ME, sent=COOKIE, second=5)],
    ),
    (
        "alive-after-sign-out",
        "medium",
        [entry(ME, sent=COOKIE, body="{}", second=1), OUT, entry(ME, sent=COOKIE, body="{}", second=5)],
    ),
    ("alive-after-sign-out", "low", [OUT, entry(ME, sent=COOKIE, second=5)]),
    (
        "alive-after-sign-out",
        "low",
        [
            entry("https://app.example/logout", status=204, sent=BEARER, second=4),
            entry(ME, sent=BEARER, second=5),
        ],
    ),
    (
        "alive-after-sign-out",
        "low",
        [
            entry(sent=COOKIE, second=1),
            setting("__Host-session=; Path=/; Secure; Max-Age=0", second=2),
            entry(ME, sent=COOKIE, second=5),
        ],
    ),
    ("sign-out-leaves-cookie", "low", [OUT, entry(sent=COOKIE, status=302, second=5)]),
    ("plain-http", "high", [over("http")]),
    ("no-hsts", "low", [over("https")]),
    ("no-hsts", "low", [over("http", **{"Strict-Transport-Security": "max-age=63072000"}), over("https")]),
    ("short-hsts", "low", [over("https", **{"Strict-Transport-Security": "max-age=3600"})]),
    ("session-id-short", "medium", [setting("PHPSESSID=1000231; Path=/; Secure; HttpOnly; SameSite=Lax")]),
    ("jwt-without-exp", "high", [bearing({"exp": "2099-01-01T00:00:00Z"})]),
    (
        "cookie-long-life",
        "medium",
        [setting(f"__Host-session={SESSION}; Path=/; Secure; Max-Age={'9' * 20}")],
    ),
    ("jwt-unsigned", "high", [entry(sent={"Authorization": make_jwt({"iss": "i"}, alg="none")})]),
    ("jwt-common-secret", "high", [entry(sent={"Authorization": make_jwt({"iss": "i"}, "secret")})]),
    ("jwt-common-secret", "high", [entry(sent={"Sec-WebSocket-Protocol": f"v1, {make_jwt({}, 'secret')}"})]),
    ("token-in-path", "high", [entry(f"https://app.example/a;v=1;jsessionid={SESSION}")]),
    ("short-hsts", "low", [over("https", **{"Strict-Transport-Security": "includeSubDomains"})]),
    (
        "challenge-leaks",
        "low",
        [entry(status=401, got={"WWW-Authenticate": "Bearer error='NullPointerException'"})],
    ),
    ("challenge-leaks", "low", [entry(status=401, got={"WWW-Authenticate": 'Basic realm="10.1.2.3"'})]),
    ("challenge-leaks", "medium", [entry(status=401, got={"WWW-Authenticate": f"Bearer x={JWT}"})]),
]


@pytest.mark.parametrize(
    "rule, severity, entries",
    BROKEN,
    ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(BROKEN)],
)
def test_a_rule_finds_what_it_is_for(rule: str, severity: str, entries: list[dict[str, Any]]) -> None:
    assert findings_of(*entries).get(rule) == severity
    finding = next(each for each in report_of(*entries).findings if each.rule == rule)
    assert finding.evidence
    assert finding.where is not None
    assert (finding.title, finding.fix, finding.sources) == (
        BY_ID[rule].title,
        BY_ID[rule].fix,
        BY_ID[rule].sources,
    )


def test_every_rule_has_been_broken_here_as_badly_as_it_says() -> None:
    assert {(rule.id, rule.severity) for rule in RULES} <= {(rule, severity) for rule, severity, _ in BROKEN}


QUIET: dict[str, list[dict[str, Any]]] = {
    "a good cookie": [setting(GOOD_COOKIE)],
    "a good token": [entry(sent=BEARER)],
    "a public page": [entry("http://app.example/?page=2&session=summer")],
    "a removal": [entry(got={"Set-Cookie": "session=; Max-Age=0"})],
    "cookies of no account": [
        entry(
            sent={"Cookie": "_ga=GA1.2.1234567890.1234567890; lang=de"},
            got={"Set-Cookie": ["csrftoken=aB1cD2eF3gH4iJ5kL6mN7oP8", "_hjSession_1=aB1cD2eF3gH4", "theme=dark"]},
        )
    ],
    "a token in the form": [*posting(GOOD_COOKIE.replace("=Lax", "=Strict"), form="csrf_token=abc")],
    "a token in JSON": [*posting(GOOD_COOKIE, form='{"csrfToken": "abc"}')],
    "a header of scripts alone": [*posting(GOOD_COOKIE, form="a=b", sent={"X-Requested-With": "fetch"})],
    "a change by bearer token": [entry(ME, method="POST", sent={**BEARER, **COOKIE})],
    "an answer of a sign-in elsewhere, posted": [
        *posting(
            GOOD_COOKIE,
            form=f"code={SESSION}&state={OTHER}",
            sent={"Origin": "https://login.other.example", "Sec-Fetch-Site": "cross-site"},
        )
    ],
    "a code and a state that are tokens in form": [entry(f"https://app.example/callback?code={JWT}&state={JWT}")],
    "words that sound like a session": [
        entry(got={"Set-Cookie": ["sidebar=collapsed; Path=/", "assessment_step=introduction; Path=/"]})
    ],
    "words about a password": [entry("https://app.example/login?password_reset=success&pwd_expired=0")],
    "a refused change": [*posting(GOOD_COOKIE, form="a=b", status=403)],
    "an API for other origins": [
        entry(
            ME,
            method="POST",
            sent={**COOKIE, "Origin": "https://evil.test", "X-CSRF-Token": "abc"},
            got={"Access-Control-Allow-Origin": "https://www.app.example"},
        )
    ],
    "CORS for everybody": [cors("*", credentials=False)],
    "its own origin": [cors("https://api.example", origin="https://api.example")],
    "a new session at the sign-in": [
        SIGN_IN[0],
        entry(
            "https://app.example/login",
            method="POST",
            sent={"Cookie": f"sid={SESSION}", "X-CSRF-Token": "x"},
            form=LOGIN,
            status=302,
            got={"Location": "/", "Set-Cookie": f"sid={OTHER}; Secure; HttpOnly; SameSite=Lax; Max-Age=60"},
            second=2,
        ),
        entry(sent={"Cookie": f"sid={OTHER}"}, second=3),
    ],
    "a sign-in that failed": [
        SIGN_IN[0],
        {
            **SIGN_IN[1],
            "request": {**SIGN_IN[1]["request"], "headers": [
                *SIGN_IN[1]["request"]["headers"], {"name": "X-CSRF-Token", "value": "x"}
            ]},
            "response": {"status": 302, "headers": [{"name": "Location", "value": "/login?failed"}, *(
                {"name": name, "value": value} for name, value in HSTS.items()
            )]},
        },
        SIGN_IN[2],
    ],
    "a sign-out that ends": [
        entry(ME, sent=COOKIE, second=1), OUT, entry(ME, sent=COOKIE, status=401, second=5)
    ],
    "a request under way at the sign-out": [OUT, entry(ME, sent=COOKIE, second=4)],
    "a page for everybody after the sign-out": [OUT, entry("https://app.example/x.css", sent=COOKIE, second=5)],
    "a hint for the sign-out": [entry(f"https://id.example/end?id_token_hint={JWT}")],
    "another cookie that is taken away": [
        entry(sent={"Cookie": f"sid={SESSION}; oauth_session={OTHER}"}, second=1),
        entry(got={"Set-Cookie": "oauth_session=; Max-Age=0"}, sent={"Cookie": f"sid={SESSION}"}, second=2),
        entry(ME, sent={"Cookie": f"sid={SESSION}"}, second=3),
    ],
    "a cookie that is taken away for another path": [
        entry(sent={"Cookie": f"sid={SESSION}"}, second=1),
        entry(
            sent={"Cookie": f"sid={SESSION}"},
            got={
                "Set-Cookie": [GOOD_COOKIE.replace("__Host-session", "sid"), "sid=; Max-Age=0; Path=/old"],
                "Cache-Control": "no-store",
            },
            second=2,
        ),
        entry(ME, sent={"Cookie": f"sid={SESSION}"}, second=3),
    ],
    "a page that asks whether to sign out": [
        entry("https://app.example/logout", sent=COOKIE, body="<form method=post>", second=1),
        entry(ME, sent=COOKIE, second=3),
    ],
    "HTTP on this machine": [entry("http://localhost:8000/", sent=COOKIE)],
    "a plain challenge": [entry(status=401, got={"WWW-Authenticate": 'Bearer realm="app"'})],
    "a page of numbers": [entry(body='{"token": "12345678901234567890", "sid": 5}', kind="application/json")],
    "a program with an example": [entry(body=f"const example = '{JWT}'", kind="text/javascript")],
}  # fmt: skip
OFTEN = {"sign-out-leaves-cookie", "cookie-without-prefix"}  # what the entries above cannot help


@pytest.mark.parametrize("name", QUIET)
def test_what_is_right_is_let_alone(name: str) -> None:
    assert findings_of(*QUIET[name]).keys() <= OFTEN


def test_hits_on_one_subject_are_one_finding_with_the_number_of_others() -> None:
    entries = [setting(GOOD_COOKIE.replace("HttpOnly; ", "")) for _ in range(5)]
    finding = only(report_of(*entries), "cookie-without-httponly")
    assert finding.where is not None
    assert (finding.where.entry, finding.also) == (1, 4)


def test_one_token_in_many_places_is_one_finding() -> None:
    token = make_jwt({"sub": "u"}, "Zq8-" * 12)
    report = report_of(
        entry(sent={"Authorization": f"Bearer {token}"}),
        entry(f"https://app.example/?jwt={token}"),
        entry(body=token),
    )
    finding = only(report, "jwt-without-exp")
    assert finding.also == 2


def test_what_is_found_again_has_the_same_fingerprint_and_nothing_else_has() -> None:
    first = report_of(*SIGN_IN, setting("token=x1y2z3x1y2z3x1y2"))
    again = report_of(entry("https://else.example/"), *SIGN_IN, setting("token=a9b8c7a9b8c7a9b8"))
    assert {each.fingerprint for each in first.findings} == {each.fingerprint for each in again.findings}
    assert len({each.fingerprint for each in first.findings}) == len(first.findings)


def test_too_many_findings_of_a_rule_are_cut_and_told() -> None:
    report = report_of(
        *(entry(f"https://app.example/a{number}?access_token={OTHER}") for number in range(300))
    )
    assert len([each for each in report.findings if each.rule == "token-in-query"]) == 200
    assert any("100 more" in note for note in report.notes)


def test_findings_at_other_hosts_are_left_out_and_counted() -> None:
    bad = f"sid={SESSION}; Secure; SameSite=Lax; Max-Age=60"
    entries = [
        setting(bad, url=f"https://{host}/") for host in ("app.example", "api.app.example", "ads.test")
    ]
    report = report_of(*entries, hosts=frozenset({"app.example"}))
    assert {each.subject for each in report.findings if each.rule == "cookie-without-httponly"} == {
        'cookie "sid" of app.example',
        'cookie "sid" of api.app.example',
    }
    assert any("left out: 2" in note for note in report.notes)


def test_cookies_that_were_set_before_the_recording_are_named() -> None:
    assert any("__Host-session" in note for note in report_of(entry(sent=COOKIE)).notes)
