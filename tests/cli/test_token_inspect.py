"""``coatcheck token inspect``: shows anything that has the form of a token, judges it, and never vouches for it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from coatcheck.jose import Key, jwe, jws, jwt

NOW = 1_800_000_000
GOOD = {"iss": "i", "aud": "a", "sub": "u", "iat": NOW, "exp": NOW + 300}
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "k"}

Run = Callable[..., Result]
Make = Callable[..., str]


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


NAN, ENDLESS = encoded(b'{"x":NaN}'), encoded(b'{"exp":1e999}')


def report_of(run: Run, token: str, *options: str) -> Any:
    shown = run("token", "inspect", "--json", "-", *options, given=token)
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


def codes(run: Run, token: str, *options: str) -> dict[str, str]:
    findings = report_of(run, token, *options)["findings"]
    return {finding["code"]: finding["severity"] for finding in findings}


# What is shown


def test_a_faultless_token_brings_no_warning_and_still_no_trust(run: Run, token: str) -> None:
    shown = run("token", "inspect", token)
    assert shown.exit_code == 0
    assert "Not verified" in shown.stdout
    assert "No warnings, which does not make the token genuine" in shown.stdout
    assert "valid" not in shown.stdout.lower()
    assert report_of(run, token)["verified"] is False


def test_times_are_told_in_words(run: Run, forge: Make) -> None:
    claims = {**GOOD, "exp": NOW - 180, "nbf": NOW + 300, "iat": NOW, "auth_time": NOW - 86_400}
    shown = run("token", "inspect", forge(HEADER, claims)).stdout
    assert "expired 3 minutes ago, 2027-01-15 07:57:00 UTC" in shown
    assert "in 5 minutes, 2027-01-15 08:05:00 UTC" in shown
    assert "just now" in shown
    assert "1 day ago" in shown


def test_the_weight_is_told_beside_a_session_identifier(run: Run, token: str) -> None:
    weight = report_of(run, token)["weight"]
    assert weight["token"] == len(token)
    assert weight["authorization"] == len(f"Authorization: Bearer {token}\r\n")
    assert weight["cookie"] == len(f"Cookie: __Host-session={token}\r\n")
    assert weight["session_cookie"] == 43 + 25
    assert weight["ratio"] == round(weight["cookie"] / 68, 1)
    assert sum(weight["segments"].values()) + 2 == len(token)
    assert "with a session ID 68 MB" in run("token", "inspect", token).stdout


@pytest.mark.parametrize(
    "dressed", ["{}", "Bearer {}", "bearer  {}\n", "\n  {} \r\n", "Authorization: DPoP {}", "\ufeff{}"]
)
def test_what_stands_around_a_token_does_not_matter(run: Run, token: str, dressed: str) -> None:
    assert report_of(run, dressed.format(token))["weight"]["token"] == len(token)


def test_the_token_comes_from_argument_file_input_or_environment(run: Run, token: str, tmp_path: Any) -> None:
    (tmp_path / "t").write_text(token)
    shown = [
        run("token", "inspect", token),
        run("token", "inspect", "-", given=token),
        run("token", "inspect", "--file", "t"),
        run("token", "inspect", "--file", "-", given=token),
        run("token", "inspect", "--token-env", "T", env={"T": token}),
    ]
    assert {each.stdout for each in shown} == {shown[0].stdout}
    assert {each.exit_code for each in shown} == {0}


def test_an_encrypted_token_shows_its_header_and_nothing_else(run: Run) -> None:
    token = jwe.encrypt(b"hidden", Key.generate("ECDH-ES+A256KW"))
    shown = run("token", "inspect", token)
    assert "encrypted: only the holder" in shown.stdout
    assert "No warnings" in shown.stdout
    report = report_of(run, token)
    assert (report["kind"], report["claims"], report["content"]) == ("JWE", None, None)
    assert list(report["weight"]["segments"]) == [
        "header",
        "encrypted key",
        "initialisation vector",
        "ciphertext",
        "tag",
    ]


def test_json_serialisations_are_shown_with_every_header(run: Run, key: Key) -> None:
    other = Key.generate("Ed25519")
    general = json.dumps(
        jws.sign_json(b'{"sub":"u"}', [key, jws.SignerInfo(key=other, unprotected={"x": 1})])
    )
    report = report_of(run, general)
    assert report["form"] == "general JSON"
    assert [len(header["unprotected"]) for header in report["headers"]] == [0, 1]
    shown = run("token", "inspect", "-", given=general).stdout
    assert "Header 2" in shown
    assert "Unprotected header 2, which anyone can change" in shown
    assert "It has 2 signatures" in shown
    assert report_of(run, json.dumps(jws.sign_json(b"{}", key)))["form"] == "flattened JSON"
    recipients = [Key.generate("ECDH-ES+A256KW"), Key.generate("RSA-OAEP-256")]
    assert codes(run, json.dumps(jwe.encrypt_json(b"x", recipients)))["several"] == "note"
    assert report_of(run, json.dumps(jwe.encrypt_json(b"x", recipients[0])))["form"] == "flattened JSON"


def test_a_header_may_be_all_unprotected(run: Run) -> None:
    token = json.dumps({"payload": "e30", "header": {"alg": "ES256", "crit": ["x"]}, "signature": "c2ln"})
    assert codes(run, token).keys() >= {"unprotected_algorithm", "unprotected_critical"}
    assert "\nHeader\n" not in run("token", "inspect", "-", given=token).stdout


def test_content_that_is_no_json_object_is_shown_as_text(run: Run, key: Key) -> None:
    assert "two\n" in run("token", "inspect", jws.sign(b"one\ntwo", key)).stdout
    assert codes(run, jws.sign(b"one", key))["no_claims"] == "note"
    assert "(4 bytes of binary content)" in run("token", "inspect", jws.sign(b"\xff\xfe\xfd\xfc", key)).stdout
    assert report_of(run, jws.sign(b"a" * 5000, key))["content"].endswith("a…")
    assert "none in the token: detached" in run("token", "inspect", jws.sign(b"x", key, detached=True)).stdout
    assert codes(run, jws.sign(b"x y", key, b64=False)).keys() >= {"unencoded", "critical"}
    detached = json.dumps(jws.sign_json(b"x", key, detached=True))
    assert "detached" in run("token", "inspect", "-", given=detached).stdout


def test_an_empty_header_is_shown_as_such(run: Run, forge: Make) -> None:
    assert "(empty)" in run("token", "inspect", forge({}, GOOD)).stdout


# Warnings


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "NONE"])
def test_an_unsigned_token_is_shown_with_a_loud_warning(run: Run, forge: Make, name: str) -> None:
    token = forge({"alg": name}, GOOD, signature="")
    shown = run("token", "inspect", token)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].strip() == "UNSIGNED: anyone can have written every word of this."
    assert codes(run, token)["unsigned"] == "danger"


def test_a_signature_cut_off_is_as_loud(run: Run, forge: Make) -> None:
    token = forge(HEADER, GOOD, signature="")
    assert codes(run, token) == {"no_signature": "danger"}
    assert "UNSIGNED" in run("token", "inspect", token).stdout


@pytest.mark.parametrize(
    "header, code, severity",
    [
        ({"alg": "EdDSA"}, "deprecated_algorithm", "warning"),
        ({"alg": "RS256"}, "rsa_pkcs1", "note"),
        ({"alg": "XS256"}, "unknown_algorithm", "warning"),
        ({"alg": 5}, "unknown_algorithm", "warning"),
        ({"typ": None}, "no_type", "note"),
        ({"typ": "JWT"}, "generic_type", "note"),
        ({"typ": "application/jwt"}, "generic_type", "note"),
        ({"jku": "https://x"}, "remote_key_jku", "danger"),
        ({"x5u": "https://x"}, "remote_key_x5u", "danger"),
        ({"x5c": ["x"]}, "embedded_x5c", "warning"),
        ({"jwk": 5}, "embedded_jwk", "warning"),
        ({"jwk": {"kty": "EC"}}, "unusable_key", "warning"),
        ({"crit": ["x"], "x": 1}, "critical", "note"),
        ({"zip": "DEF"}, "compressed", "warning"),
        ({"kid": 5}, "kid_type", "warning"),
        ({"kid": "../../dev/null"}, "kid_injection", "danger"),
        ({"kid": "x' UNION SELECT 'k"}, "kid_injection", "danger"),
        ({"kid": "$(id)"}, "kid_injection", "danger"),
        ({"kid": "https://x/k"}, "kid_injection", "danger"),
        ({"kid": "k" * 300}, "kid_injection", "danger"),
        ({"p2c": 10}, "few_rounds", "danger"),
        ({"p2c": "many"}, "few_rounds", "danger"),
        ({"p2c": 10_000_000}, "many_rounds", "danger"),
        ({"p2c": 100_000}, "moderate_rounds", "note"),
    ],
)
def test_a_header_that_is_wrong_brings_just_its_warning(
    run: Run, forge: Make, header: dict[str, Any], code: str, severity: str
) -> None:
    whole = {name: value for name, value in {**HEADER, **header}.items() if value is not None}
    assert codes(run, forge(whole, GOOD))[code] == severity


@pytest.mark.parametrize("rounds", [600_000, 1_200_000])
def test_a_good_count_of_rounds_brings_none(run: Run, forge: Make, rounds: int) -> None:
    assert codes(run, forge({**HEADER, "p2c": rounds}, GOOD)) == {}


def test_weak_encryption_is_named(run: Run) -> None:
    def forged(header: dict[str, Any]) -> str:
        return f"{encoded(json.dumps(header).encode())}.AA.AA.AA.AA"

    assert codes(run, forged({"alg": "RSA1_5", "enc": "A256GCM"})) == {"deprecated_algorithm": "danger"}
    assert codes(run, forged({"alg": "RSA-OAEP", "enc": "A1"})) == {"unknown_encryption": "warning"}
    assert codes(run, forged({"alg": "RSA-OAEP"})) == {"unknown_encryption": "warning"}
    assert codes(run, forged({"alg": "RS256", "enc": "A128CBC-HS256"})) == {"unknown_algorithm": "warning"}
    assert codes(run, forged({"alg": "dir", "enc": "A128CBC-HS256"})) == {}


def test_a_key_that_the_token_brings_is_judged(run: Run, forge: Make, key: Key) -> None:
    public = forge({**HEADER, "jwk": key.to_jwk()}, GOOD)
    assert codes(run, public) == {"embedded_jwk": "warning"}
    private = forge({**HEADER, "jwk": key.to_private_jwk()}, GOOD)
    assert codes(run, private)["private_key_in_header"] == "danger"
    weak = {"kty": "RSA", "n": encoded(b"\xff" * 128), "e": "AQAB"}
    assert codes(run, forge({**HEADER, "alg": "PS256", "jwk": weak}, GOOD))["weak_key"] == "danger"


@pytest.mark.parametrize("typ", ["secevent+jwt", "application/SECEVENT+jwt"])
def test_a_security_event_need_not_expire(run: Run, forge: Make, typ: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != "exp"}
    assert "no_expiry" not in codes(run, forge({**HEADER, "typ": typ}, claims))
    assert "no_expiry" in codes(run, forge({**HEADER, "typ": "jwt"}, claims))


@pytest.mark.parametrize(
    "claims, code, severity",
    [
        ({"exp": None}, "no_expiry", "danger"),
        ({"exp": "soon"}, "time_type", "warning"),
        ({"exp": True}, "time_type", "warning"),
        ({"exp": NOW * 1000}, "milliseconds", "danger"),
        ({"exp": NOW + 7200}, "long_life", "warning"),
        ({"exp": NOW + 90_000}, "long_life", "danger"),
        ({"iat": None}, "unknown_lifetime", "note"),
        ({"exp": NOW - 5, "iat": NOW - 5}, "no_life", "warning"),
        ({"exp": NOW - 5, "iat": NOW - 50}, "expired", "warning"),
        ({"nbf": NOW + 5}, "not_yet_valid", "warning"),
        ({"iat": NOW + 90, "exp": NOW + 100}, "issued_in_future", "warning"),
        ({"aud": None}, "no_audience", "warning"),
        ({"aud": []}, "no_audience", "warning"),
        ({"iss": None}, "no_issuer", "warning"),
        ({"password": "x"}, "secret_in_payload", "danger"),
        ({"apiKey": "x"}, "secret_in_payload", "danger"),
        ({"a": {"b": [{"client-secret": 5}, "x"]}}, "secret_in_payload", "danger"),
        ({"a": {"api-key": 5}}, "secret_in_payload", "danger"),
        ({"x": "-----BEGIN EC PRIVATE KEY-----"}, "secret_in_payload", "danger"),
        ({"x": "AKIAIOSFODNN7EXAMPLE"}, "secret_in_payload", "danger"),
        ({"x": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln"}, "secret_in_payload", "danger"),
        ({"x": ["sk_live_0123456789abc"]}, "secret_in_payload", "danger"),
        ({"email": "a@b.example"}, "personal_data", "warning"),
        ({"https://x.example/phone_number": "1"}, "personal_data", "warning"),
        ({"dateOfBirth": "1990"}, "personal_data", "warning"),
        ({"ssn": "078-05-1120"}, "personal_data", "warning"),
        ({"sub": "a@b.example"}, "personal_data", "warning"),
        ({"x": "4111 1111 1111 1111"}, "personal_data", "warning"),
        ({"x": 4111111111111111}, "personal_data", "warning"),
        ({"x": "pay to DE89 3704 0044 0532 0130 00"}, "personal_data", "warning"),
    ],
)
def test_claims_that_are_wrong_bring_their_warning(
    run: Run, forge: Make, claims: dict[str, Any], code: str, severity: str
) -> None:
    whole = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}
    assert codes(run, forge(HEADER, whole))[code] == severity


@pytest.mark.parametrize(
    "claims",
    [
        {"x": "4111 1111 1111 1112"},
        {"x": "DE89 3704 0044 0532 0130 01"},
        {"password": ""},
        {"email": None},
        {"email_verified": True},
        {"email": False},
        {"x": 1.5},
        {"nbf": NOW, "exp": NOW + 3600},
        {"exp": NOW + 7200, "typ": "x"},
    ],
)
def test_what_only_looks_similar_brings_no_warning(run: Run, forge: Make, claims: dict[str, Any]) -> None:
    header = {**HEADER, "typ": claims.pop("typ", "at+jwt")}
    assert codes(run, forge(header, {**GOOD, **claims})) == {}


def test_many_findings_of_a_kind_are_summed_up(run: Run, forge: Make) -> None:
    claims = {**GOOD, **{f"a{i}": {"password": "x"} for i in range(12)}}
    assert "and 4 more" in run("token", "inspect", forge(HEADER, claims)).stdout


@pytest.mark.parametrize("secret", ["secret", "your-256-bit-secret", "changeme", ""])
@pytest.mark.parametrize("name", ["HS256", "HS384", "HS512"])
def test_a_secret_out_of_a_tutorial_is_recognised(run: Run, secret: str, name: str) -> None:
    message = f"{encoded(json.dumps({**HEADER, 'alg': name}).encode())}.{encoded(json.dumps(GOOD).encode())}"
    digest = hmac.digest(secret.encode(), message.encode(), getattr(hashlib, f"sha{name[2:]}"))
    assert codes(run, f"{message}.{encoded(digest)}") == {"well_known_secret": "danger"}


def test_a_good_secret_is_not_recognised(run: Run) -> None:
    token = jwt.Signer(Key.generate("HS256"), issuer="i", audience="a", typ="at+jwt").sign({}, now=NOW)
    assert codes(run, token) == {}


@pytest.mark.parametrize(
    "length, code",
    [(3200, "near_cookie_limit"), (4200, "too_large_for_cookie"), (9000, "too_large_for_headers")],
)
def test_a_large_token_is_called_large(run: Run, forge: Make, length: int, code: str) -> None:
    token = forge(HEADER, {**GOOD, "x": "y" * (length * 3 // 4 - 100)})
    assert code in codes(run, token)


def test_what_a_strict_reader_refuses_is_shown_with_a_warning(run: Run) -> None:
    header, claims = encoded(json.dumps(HEADER).encode()), encoded(json.dumps(GOOD).encode())
    assert codes(run, f"{header}.{claims}.c2ln+/==") == {"not_canonical": "warning"}
    twice = encoded(b'{"alg":"none","alg":"ES256","typ":"at+jwt"}')
    assert codes(run, f"{twice}.{claims}.c2ln") == {"not_canonical": "warning"}
    assert "repeats the member 'alg'" in run("token", "inspect", f"{twice}.{claims}.c2ln").stdout
    assert codes(run, f"{header}.{NAN}.c2ln")["not_canonical"] == "warning"
    both = json.dumps({"payload": "e30", "protected": header, "header": {"kid": "2"}, "signature": "c2ln"})
    assert "stands in two headers" in run("token", "inspect", "-", given=both).stdout


# The key that is given along


def test_the_key_given_is_judged_and_not_used(run: Run, token: str, key_file: str, forge: Make) -> None:
    assert codes(run, token, "--key", key_file) == {}
    assert codes(run, forge({**HEADER, "alg": "PS256"}, GOOD), "--key", key_file) == {"other_key": "warning"}
    weak = {"kty": "RSA", "n": encoded(b"\xff" * 128), "e": "AQAB"}
    shown = run("token", "inspect", token, "--key-env", "K", "--json", env={"K": json.dumps(weak)})
    assert "weak_key" in shown.stdout
    small = run(
        "token", "inspect", forge({"alg": "HS256"}, GOOD), "--key", "-", "--alg", "HS256", given="short"
    )
    assert "The key given is weak" in small.stdout
    assert "coatcheck key generate HS256" in small.stdout
    wrong = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
    shown = run("token", "inspect", token, "--key", "-", given=json.dumps(wrong))
    assert "The key given cannot be used" in shown.stdout


# What is no token


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b",
        "a.b.c.d",
        "x y z",
        "ä.b.c",
        "e30.e30.a",
        "W10.e30.c2ln",
        "!.e30.c2ln",
        "AAAA.e30.c2ln",
        "e30.e30.c2ln\ne30.e30.c2ln",
        "-----BEGIN PUBLIC KEY-----",
        "{",
        "{}",
        '{"kty":"EC"}',
        '{"keys":[]}',
        '{"payload":"e30","signature":5}',
        '{"payload":5,"signature":"c2ln"}',
        '{"payload":"e30","signature":"c2ln","header":5}',
        '{"payload":"e30","signatures":[]}',
        '{"payload":"e30","signatures":[5]}',
        '{"payload":"e30","signatures":[' + ",".join(["{}"] * 17) + "]}",
        '{"ciphertext":"AA","recipients":5}',
        '{"a":' * 70 + "1" + "}" * 70,
    ],
)
def test_what_is_no_token_ends_with_status_2_and_one_line(run: Run, text: str) -> None:
    shown = run("token", "inspect", "-", given=text)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("coatcheck: This is") or shown.stderr.startswith("coatcheck: The token")
    assert shown.stderr.endswith(" [malformed_token]\n")
    assert shown.stderr.count("\n") == 1


# Hostile text

HOSTILE = (
    "\x1b[31m\x1b]0;x\x07\x9b2J\r\b\u202eevil\u2066\u200b\ud800[bold red]x[/] :smile:" + "a" + "\u0301" * 9
)


@pytest.mark.parametrize(
    "header, claims",
    [
        ({**HEADER, "kid": HOSTILE, HOSTILE: 1, "typ": HOSTILE, "alg": HOSTILE}, GOOD),
        (HEADER, {**GOOD, "sub": HOSTILE, HOSTILE: [HOSTILE], "iss": HOSTILE, "password": HOSTILE}),
        (HEADER, {**GOOD, "a": {HOSTILE: "x@example.com"}}),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_hostile_text_cannot_steer_the_terminal(
    run: Run, forge: Make, header: Any, claims: Any, options: tuple[str, ...]
) -> None:
    shown = run("token", "inspect", forge(header, claims), *options)
    assert shown.exit_code == 0
    for character in "\x1b\x07\x9b\r\b\u202e\u2066\u200b":
        assert character not in shown.stdout
    assert "\u0301" * 3 not in shown.stdout


def test_markup_is_shown_as_it_is(run: Run, forge: Make) -> None:
    shown = run("token", "inspect", forge(HEADER, {**GOOD, "sub": "[bold red]x[/] :smile: [link=file:///]"}))
    assert '"[bold red]x[/] :smile: [link=file:///]"' in shown.stdout


def test_hostile_content_keeps_its_lines_and_nothing_else(run: Run, key: Key) -> None:
    shown = run("token", "inspect", jws.sign(b"one\x1b[2J\ntwo\t\xe2\x80\xae", key)).stdout
    assert "  one\\x1b[2J\n" in shown
    assert "\u202e" not in shown


def test_values_are_shortened_where_they_are_shown_and_whole_in_json(run: Run, forge: Make) -> None:
    token = forge(HEADER, {**GOOD, "x": "y" * 1000, "deep": json.loads("[" * 60 + "]" * 60)})
    shown = " ".join(run("token", "inspect", token).stdout.split())
    assert "… (1,002 characters)" in shown
    assert "y" * 1000 in run("token", "inspect", token, "--json").stdout


def test_a_time_beyond_any_calendar_does_no_harm(run: Run, forge: Make) -> None:
    for moment in (10**30, -(10**30), 1e308):
        assert "beyond any calendar" in run("token", "inspect", forge(HEADER, {**GOOD, "exp": moment})).stdout
    assert run("token", "inspect", f"{forge(HEADER).split('.')[0]}.{ENDLESS}.c2ln").exit_code == 0


def test_another_time_can_be_named(run: Run, token: str) -> None:
    assert "expired" in codes(run, token, "--at", "2028-01-01T00:00:00Z")
    assert "expired" in codes(run, token, "--at", str(NOW + 301))
    for wrong in ("tomorrow", "2028-01-01T00:00:00"):
        assert run("token", "inspect", token, "--at", wrong).exit_code == 2


def test_names_in_a_token_that_are_secrets_themselves_are_not_shown(run: Run, forge: Make) -> None:
    claims = {
        "accounts": {"sk_live_4eC39HqLyjWDarjtT1zdp7dc": {"secret": "x"}, "ann@example.com": {"pin": 1}}
    }
    found = report_of(run, forge(HEADER, {**GOOD, **claims}))["findings"]
    told = next(str(each) for each in found if each["code"] == "secret_in_payload")
    assert "accounts.….secret" in told
    assert "sk_live" not in told
    assert "ann@" not in told
