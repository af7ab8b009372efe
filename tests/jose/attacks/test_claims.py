"""Claims that a lenient verifier would read as it likes."""

import json
import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest

from coatcheck.jose import Claims, Key, KeySet, hazmat, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    AudienceMismatchError,
    ClaimError,
    ConfigurationError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidHeaderError,
    InvalidSignatureError,
    IssuedInFutureError,
    IssuerMismatchError,
    JOSEError,
    MalformedTokenError,
    MissingClaimError,
    NoMatchingKeyError,
    TokenNotYetValidError,
    TokenTooLargeError,
    TokenTooOldError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    hmac_tok,
    key,
    refused,
    signed,
    tok,
    verifier,
)

ES256 = {"alg": "ES256"}
NAIVE = datetime.fromisoformat("2030-01-01")
EVERY_KIND: list[Any] = [Claims, dict, dict[str, Any]]


def claiming(raw: str | bytes | None = None, /, **changes: Any) -> str:
    """Sign the good claims with changes (``...`` takes one out), or any payload."""
    if raw is not None:
        return signed("KES", ES256, raw)
    return signed(
        "KES", ES256, {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    )


def spelled(name: str, text: str) -> str:
    """Sign the good claims with one of them spelled as the text."""
    others = json.dumps({each: value for each, value in CLAIMS.items() if each != name})
    return claiming(f'{{"{name}":{text},{others[1:]}')


def check(token: str, **demands: Any) -> jwt.VerifiedToken[Any]:
    return verifier(key("KES"), **demands).verify(token)


def claim_refused(
    kinds: type[JOSEError] | tuple[type[JOSEError], ...], claim: str, token: str, **demands: Any
) -> None:
    error = refused(kinds, check, token, **demands)
    if isinstance(error, ClaimError):
        assert error.claim == claim


# --- issuer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "iss", ["abcb", "abc", "_", "", "__abcb__x", "x__abcb__", "__abcb_", "__ABCB__", "__abcb__ "]
)
def test_cve_2024_53861_part_of_the_issuer_is_refused(iss: str) -> None:
    check(claiming(iss="__abcb__"), issuer="__abcb__")
    claim_refused(IssuerMismatchError, "iss", claiming(iss=iss), issuer="__abcb__")


@pytest.mark.parametrize(
    "issuer", [[ISSUER], (ISSUER,), {ISSUER}, {ISSUER: 1}, b"https://i", 1, True], ids=repr
)
def test_cve_2024_53861_issuer_is_one_string(issuer: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), issuer=issuer)


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize(
    "iss", [["https://i", "https://evil"], ["https://i"], 1, 1.5, True, False, None, {}], ids=repr
)
def test_cve_2025_30144_issuer_array_is_refused(iss: object, claims: Any) -> None:
    claim_refused(InvalidClaimError, "iss", claiming(iss=iss), claims=claims)
    claim_refused(InvalidClaimError, "iss", claiming(iss=iss), claims=claims, issuer=hazmat.ANY_ISSUER)


def test_absent_issuer_is_refused() -> None:
    claim_refused(MissingClaimError, "iss", claiming(iss=...))
    claim_refused(IssuerMismatchError, "iss", claiming(), issuer=None)
    check(claiming(iss=...), issuer=None)


@pytest.mark.parametrize(
    "iss",
    [
        *(
            "https://i/",
            "HTTPS://I",
            "https://I",
            "https://i:443",
            "https://i.evil",
            "https://i/../i",
            "http://i",
        ),
        *(
            "https://i?",
            "https://i#",
            "https://%69",
            "https://i\0",
            " https://i",
            "https://i\n",
            "https://evil/https://i",
        ),
        *("https://ı", "https://і", "https://i\u0301", "https://i\u200b", "ｈttps://i", "https:/i", "i"),  # noqa: RUF001
    ],
    ids=ascii,
)
def test_issuer_is_compared_exactly(iss: str) -> None:
    claim_refused(IssuerMismatchError, "iss", claiming(iss=iss))


def test_issuer_is_not_normalised() -> None:
    claim_refused(
        IssuerMismatchError, "iss", claiming(iss="https://caf\u0065\u0301"), issuer="https://caf\u00e9"
    )


# --- audience ------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize(
    "aud",
    [["other"], [], "", ["A"], ["a "], "xa", ["xa"], "a,b", "a b", ["a,b"], [""], "ab", ["aa", "aaa"], "A"],
    ids=repr,
)
def test_cve_2020_26160_audience_array_is_checked(aud: object, claims: Any) -> None:
    claim_refused(AudienceMismatchError, "aud", claiming(aud=aud), claims=claims)


def test_cve_2020_26160_any_of_several_audiences_will_do() -> None:
    for aud in ("a", ["a"], ["a", "other"], ["other", "a"], ["a", "a"]):
        check(claiming(aud=aud))
        check(claiming(aud=aud), audience=["b", "a"])
    claim_refused(AudienceMismatchError, "aud", claiming(aud=["a"]), audience=["b", "c"])
    claim_refused(AudienceMismatchError, "aud", claiming(aud="ab"), audience=["a", "b"])
    claim_refused(MissingClaimError, "aud", claiming(aud=...))
    claim_refused(AudienceMismatchError, "aud", claiming(), audience=None)
    check(claiming(aud=...), audience=None)


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize(
    "aud", [["a", 1], ["a", None], [["a"]], ["a", ["a"]], {"a": 1}, {"a": True}, 1, True, None, 1.5], ids=repr
)
def test_audience_with_non_string_members_is_refused(aud: object, claims: Any) -> None:
    claim_refused(InvalidClaimError, "aud", claiming(aud=aud), claims=claims)
    claim_refused(InvalidClaimError, "aud", claiming(aud=aud), claims=claims, audience=hazmat.ANY_AUDIENCE)


def test_very_many_audiences_are_compared() -> None:
    claim_refused(
        AudienceMismatchError,
        "aud",
        claiming(aud=[f"{number:x}" for number in range(11, 5000) if number != 10]),
    )


@pytest.mark.parametrize(
    "value", ["", [], (), {}, 1, True, re.compile(".*"), len, b"a", [1], [None], [""], ["a", ""]], ids=repr
)
def test_absent_issuer_or_audience_is_a_configuration_error(value: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), audience=value)
    refused(ConfigurationError, verifier, key("KES"), issuer=value)


def test_only_hazmat_switches_issuer_and_audience_off() -> None:
    with pytest.raises(TypeError):
        jwt.Verifier(key("KES"))  # type: ignore[call-overload]
    stranger = claiming(iss="https://evil", aud="other")
    check(stranger, issuer=hazmat.ANY_ISSUER, audience=hazmat.ANY_AUDIENCE)
    claim_refused(IssuerMismatchError, "iss", stranger, audience=hazmat.ANY_AUDIENCE)
    claim_refused(AudienceMismatchError, "aud", stranger, issuer=hazmat.ANY_ISSUER)


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", EVERY_KIND)
def test_missing_or_null_expiry_is_refused(claims: Any) -> None:
    claim_refused(MissingClaimError, "exp", claiming(exp=...), claims=claims)
    check(claiming(exp=...), claims=claims, require=())
    for require in (("exp",), ()):
        claim_refused(InvalidClaimError, "exp", claiming(exp=None), claims=claims, require=require)
        for text in ("null", " null", "null ,\n"[:5]):
            claim_refused(InvalidClaimError, "exp", spelled("exp", text), claims=claims, require=require)


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize("require", [("exp",), ()], ids=["required", "not required"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "text",
    [
        *(
            '"99999999999"',
            '""',
            '"1"',
            "true",
            "false",
            "[]",
            "{}",
            "[1]",
            '{"a":1}',
            "null",
            "1e400",
            "-1e400",
        ),
        *("9" * 5000, "-" + "9" * 5000, '"NaN"', '"Infinity"'),
    ],
    ids=lambda text: text[:12],
)
def test_cve_2026_25537_time_claim_of_wrong_type_is_refused(
    name: str, text: str, require: tuple[str, ...], claims: Any
) -> None:
    kinds = (InvalidClaimError, MalformedTokenError) if text.strip("-")[0] in "19" else InvalidClaimError
    claim_refused(kinds, name, spelled(name, text), require=require, claims=claims)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x10", "1_000", "nan", "--1", "1e", "'1'", ""],
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_cve_2026_25537_time_claim_that_is_no_json_is_refused(name: str, text: str) -> None:
    refused(MalformedTokenError, check, spelled(name, text))


@pytest.mark.parametrize(
    "text", ["0", "-1", "-0", "-0.0", "1.5", "1e-400", "-1e308", f"-{2**63}", f"-{2**64}", "-" + "9" * 300]
)
def test_cve_2026_25537_time_long_past_is_past(text: str) -> None:
    claim_refused(ExpiredTokenError, "exp", spelled("exp", text))
    check(spelled("nbf", text))
    check(spelled("iat", text))
    claim_refused(TokenTooOldError, "iat", spelled("iat", text), max_age=timedelta(days=1))


@pytest.mark.parametrize(
    "text", [str(2**53), str(2**63 - 1), str(2**63), str(2**64), "1e308", "9" * 300, "9" * 400, "9" * 4000]
)
def test_time_far_in_the_future_never_overflows(text: str) -> None:
    claim_refused(TokenNotYetValidError, "nbf", spelled("nbf", text))
    claim_refused(IssuedInFutureError, "iat", spelled("iat", text))
    claim_refused(IssuedInFutureError, "iat", spelled("iat", text), max_age=timedelta(days=1))
    assert check(spelled("exp", text)).claims.exp > NOW  # no ceiling


def test_expiry_holds_on_the_exact_second() -> None:
    none, ten = timedelta(0), timedelta(seconds=10)
    for leeway in (none, ten):
        seconds = leeway.total_seconds()
        claim_refused(ExpiredTokenError, "exp", claiming(exp=NOW - seconds), leeway=leeway)
        claim_refused(ExpiredTokenError, "exp", claiming(exp=NOW - seconds - 0.001), leeway=leeway)
        claim_refused(ExpiredTokenError, "exp", claiming(exp=NOW - seconds - 1), leeway=leeway)
        check(claiming(exp=NOW - seconds + 0.001), leeway=leeway)
        check(claiming(nbf=NOW + seconds), leeway=leeway)
        claim_refused(TokenNotYetValidError, "nbf", claiming(nbf=NOW + seconds + 0.001), leeway=leeway)
        check(claiming(iat=NOW + seconds), leeway=leeway)
        claim_refused(IssuedInFutureError, "iat", claiming(iat=NOW + seconds + 0.001), leeway=leeway)


@pytest.mark.parametrize(
    "leeway",
    [
        timedelta(seconds=-1),
        timedelta(microseconds=-1),
        timedelta(minutes=10, microseconds=1),
        timedelta(days=3650),
        *(10, 10.0, math.nan, math.inf, None, "10", True, timedelta.max),
    ],
    ids=repr,
)
def test_leeway_is_from_zero_to_ten_minutes(leeway: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), leeway=leeway)


@pytest.mark.parametrize("max_age", [timedelta(0), timedelta(seconds=-1), 10, math.inf, "1", True], ids=repr)
def test_max_age_is_a_positive_duration(max_age: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), max_age=max_age)


@pytest.mark.parametrize("reading", [math.nan, math.inf, -math.inf, 10**400, None, "1", True], ids=repr)
def test_broken_clock_accepts_nothing(reading: Any) -> None:
    for token in (claiming(), claiming(nbf=NOW)):
        refused(ConfigurationError, verifier(key("KES"), clock=lambda: reading).verify, token)


def test_clock_that_runs_far_ahead_accepts_nothing() -> None:
    refused(ExpiredTokenError, verifier(key("KES"), clock=lambda: 1e308).verify, claiming())


@pytest.mark.parametrize("clock", [None, 5, "time"])
def test_clock_must_be_callable(clock: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), clock=clock)


def test_clock_that_goes_back_is_asked_each_time() -> None:
    readings = iter([NOW, NOW + 1000, NOW, NOW - 1000])
    ours = verifier(key("KES"), clock=lambda: float(next(readings)))
    token = claiming()
    ours.verify(token)
    refused(ExpiredTokenError, ours.verify, token)
    ours.verify(token)
    refused(IssuedInFutureError, ours.verify, token)


@pytest.mark.parametrize(
    "now", [math.nan, math.inf, -math.inf, "1", True, NAIVE, 10**400, -(10**400)], ids=str
)
def test_now_must_be_a_point_in_time(now: Any) -> None:
    refused(ConfigurationError, verifier(key("KES")).verify, claiming(), now=now)
    refused(ConfigurationError, jwt.Signer(key("KES"), issuer=ISSUER).sign, {}, now=now)


def test_issued_at_in_the_future_is_refused() -> None:
    for iat in (NOW + 11, NOW + 315_360_000, NOW + 10.001):
        claim_refused(IssuedInFutureError, "iat", claiming(iat=iat, exp=NOW + 10**9))
    claim_refused(InvalidClaimError, "iat", claiming(iat="x"))
    hour = timedelta(hours=1)
    claim_refused(MissingClaimError, "iat", claiming(iat=...), max_age=hour)
    claim_refused(InvalidClaimError, "iat", claiming(iat=None), max_age=hour)
    claim_refused(TokenTooOldError, "iat", claiming(iat=NOW - 3611), max_age=hour)
    check(claiming(iat=NOW - 3610), max_age=hour)
    claim_refused(ExpiredTokenError, "exp", claiming(iat=NOW, exp=NOW - 100))


# --- types and forms ---------------------------------------------------------------------------


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize("name", ["sub", "jti"])
@pytest.mark.parametrize("value", [1, 1.5, True, ["a"], {"a": "b"}, None, []], ids=repr)
def test_subject_and_token_id_must_be_strings(name: str, value: object, claims: Any) -> None:
    for require in (("exp",), ("exp", name)):
        claim_refused(InvalidClaimError, name, claiming(**{name: value}), require=require, claims=claims)
    claim_refused(MissingClaimError, name, claiming(**{name: ...}), require=("exp", name), claims=claims)


NO_OBJECTS = {
    "array": "[]",
    "array of names": '["exp"]',
    "array of objects": json.dumps([CLAIMS]),
    "null": "null",
    "true": "true",
    "number": "1",
    "string": '"x"',
    "token in a string": json.dumps(tok(ES256)),
    "empty": "",
    "white space": " ",
    "not JSON": "exp=1",
    "two objects": json.dumps(CLAIMS) * 2,
    "object and more": json.dumps(CLAIMS) + "x",
    "open object": json.dumps(CLAIMS)[:-1],
    "trailing comma": json.dumps(CLAIMS)[:-1] + ",}",
    "single quotes": str(CLAIMS),
    "comment": "/**/" + json.dumps(CLAIMS),
    "form": "iss=https%3A%2F%2Fi&aud=a",
    "NUL behind": json.dumps(CLAIMS) + "\0",
}


@pytest.mark.parametrize("claims", [*EVERY_KIND, list, Any, object])
@pytest.mark.parametrize("payload", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_payload_that_is_no_object_is_refused(payload: str, claims: Any) -> None:
    if claims is object:  # which msgspec takes for Any, or not at all
        claims = Any
    for require in (("exp",), ("exp", "tenant"), ()):
        kinds = (MalformedTokenError, InvalidClaimError)
        refused(kinds, check, claiming(payload), claims=claims, require=require, issuer=hazmat.ANY_ISSUER)


@pytest.mark.parametrize(
    "payload",
    [
        '{"sub":"a","sub":"admin",%s',
        '{"sub":"a","\\u0073ub":"admin",%s',
        '{"\\u0073ub":"a","sub":"admin",%s',
        '{"sub":"a","deep":{"x":{"y":1,"y":2}},"sub":"admin",%s',
    ],
)
def test_duplicate_claims_are_read_one_way(payload: str) -> None:
    """RFC 7519 section 4 allows to take the last; what must not happen is that two readers take different ones."""
    rest = {name: value for name, value in CLAIMS.items() if name != "sub"}
    token = claiming(payload.replace("%s", json.dumps(rest)[1:]))

    class Typed(Claims):
        sub: str

    readings = [
        check(token).claims.sub,
        check(token, claims=dict).claims["sub"],
        check(token, claims=Typed).claims.sub,
    ]
    verified = check(token)
    readings += [
        verified.as_type(dict)["sub"],
        verified.as_type(Typed).sub,
        json.loads(verified.payload)["sub"],
    ]
    readings.append(hazmat.read_unverified(token).payload and json.loads(verified.payload)["sub"])
    assert set(readings) == {"admin"}


def test_duplicate_expiry_cannot_be_played_off() -> None:
    for first, second in ((1, NOW + 9), (NOW + 9, 1)):
        token = claiming(json.dumps(CLAIMS).replace('"exp": ', f'"exp": {first}, "exp": {second}, "x": '))
        if second == 1:
            claim_refused(ExpiredTokenError, "exp", token)
            claim_refused(ExpiredTokenError, "exp", token, claims=dict)
        else:
            assert check(token).claims.exp == check(token, claims=dict).claims["exp"] == NOW + 9


BAD_TEXT = {
    "not UTF-8": b"\xff",
    "overlong": b"\xc0\x80",
    "surrogate": b"\xed\xa0\x80",
    "cut": b"\xe2\x82",
    "beyond Unicode": b"\xf4\x90\x80\x80",
}
PLACES = {
    "known claim": b'"sub":"%s"',
    "unknown claim": b'"x":"%s"',
    "nested": b'"x":{"y":["%s"]}',
    "name": b'"%s":1',
    "nested name": b'"x":{"%s":1}',
    "issuer": b'"iss":"%s"',
}


@pytest.mark.parametrize("claims", EVERY_KIND)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("text", BAD_TEXT.values(), ids=BAD_TEXT)
def test_rfc8725_claims_must_be_utf8_everywhere(text: bytes, place: bytes, claims: Any) -> None:
    payload = b"{" + place.replace(b"%s", text) + b"," + json.dumps(CLAIMS).encode()[1:]
    for require in (("exp",), ("exp", "tenant")):
        refused(MalformedTokenError, check, claiming(payload), claims=claims, require=require)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_rfc8725_claims_in_another_encoding_are_refused(codec: str) -> None:
    payload = json.dumps({**CLAIMS, "x": "é"}, ensure_ascii=False).encode(codec)
    refused(MalformedTokenError, check, claiming(payload))
    refused(MalformedTokenError, check, claiming(payload), claims=dict)


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\udc00x"', '"a\x01b"', '"\\x"', '"open', "1e400", "9" * 5000, "tru", "[1,]"]
)
@pytest.mark.parametrize("require", [("exp",), ("exp", "tenant"), ("exp", "x")], ids=str)
@pytest.mark.parametrize("claims", EVERY_KIND)
def test_rubbish_in_a_claim_that_nobody_reads_raises_nothing_foreign(
    text: str, require: tuple[str, ...], claims: Any
) -> None:
    token = claiming(f'{{"x":{text},"tenant":"t",{json.dumps(CLAIMS)[1:]}')
    try:
        check(token, require=require, claims=claims)
    except (MalformedTokenError, InvalidClaimError):
        return
    assert claims is Claims
    assert text[0] in "19", "only a number that is never converted may pass unread"


NESTINGS: list[Callable[[int], str]] = [
    lambda levels: "[" * levels + "]" * levels,
    lambda levels: '{"a":' * levels + "1" + "}" * levels,
    lambda levels: '[{"":' * (levels // 2) + "1" + "}]" * (levels // 2),
    lambda levels: "[" * levels,
]


@pytest.mark.parametrize("nesting", NESTINGS, ids=["arrays", "objects", "both", "unclosed"])
@pytest.mark.parametrize("levels", [33, 34, 1000, 8000])
def test_cve_2025_53864_deep_nesting_is_refused(nesting: Callable[[int], str], levels: int) -> None:
    kinds = (MalformedTokenError, TokenTooLargeError)
    for name in ("x", "sub", "aud"):
        for claims in EVERY_KIND:
            refused(
                kinds,
                check,
                claiming(f'{{"{name}":{nesting(levels)},{json.dumps(CLAIMS)[1:]}'),
                claims=claims,
            )
    header = f'{{"alg":"ES256","x":{nesting(levels)}}}'
    refused((InvalidHeaderError, TokenTooLargeError), check, signed("KES", header))


def test_cve_2025_53864_brackets_inside_strings_do_not_count() -> None:
    text = "[{" * 1000
    escaped = '\\"[[{' * 100
    payload = f'{{"x":{json.dumps(text)},"y":"{escaped}",{json.dumps(CLAIMS)[1:]}'
    assert check(claiming(payload), claims=dict).claims["x"] == text
    check(claiming(f'{{"x":{"[" * 31}{"]" * 31},{json.dumps(CLAIMS)[1:]}'))
    refused(MalformedTokenError, check, claiming(f'{{"x":{"[" * 32}{"]" * 32},{json.dumps(CLAIMS)[1:]}'))


def test_cve_2025_53864_nothing_overflows_near_the_end_of_the_stack() -> None:
    token = claiming(f'{{"x":{"[" * 31}{"]" * 31},{json.dumps(CLAIMS)[1:]}')
    header = signed("KES", f'{{"alg":"ES256","x":{"[" * 31}{"]" * 31}}}')
    ours, fresh = verifier(key("KES")), verifier(key("KES"), claims=dict)

    def descend(levels: int) -> None:
        if levels:
            descend(levels - 1)
            return
        ours.verify(token)
        fresh.verify(token)
        ours.verify(header)

    used = len(__import__("inspect").stack())
    descend(sys.getrecursionlimit() - used - 200)


class Access(Claims):
    scope: str
    admin: bool = False
    roles: tuple[str, ...] = ()
    level: int = 0
    kind: Literal["user", "app"] = "user"


@pytest.mark.parametrize(
    "name, value",
    [
        *(("scope", value) for value in list[Any]((["a"], 1, None, True, {}))),
        *(("admin", value) for value in list[Any]((1, 0, "true", "false", None, []))),
        *(("roles", value) for value in list[Any](("admin", {"admin": 1}, [1], [None], [["admin"]], None))),
        *(("level", value) for value in ("1", 1.5, True, None, [1], "")),
        *(("kind", value) for value in ("", "User", "admin", ["user"], None, 1)),
    ],
)
def test_claims_are_typed_without_coercion(name: str, value: object) -> None:
    good = check(claiming(scope="a", more="x"), claims=Access)
    assert good.claims == Access(**CLAIMS, scope="a")
    claim_refused(InvalidClaimError, name, claiming(**{"scope": "a", name: value}), claims=Access)
    refused(InvalidClaimError, check(claiming(**{"scope": "a", name: value})).as_type, Access)


def test_missing_typed_claim_is_named() -> None:
    claim_refused(MissingClaimError, "scope", claiming(), claims=Access)


# --- order and demands ---------------------------------------------------------------------------


def test_cve_2024_51744_claims_are_not_looked_at_before_the_signature() -> None:
    bad = {**CLAIMS, "exp": 1, "aud": "hunter2-audience", "iss": "https://evil", "sub": 1}
    attacker = forging.ec_private("P-256", "attacker")
    for payload in (bad, "not JSON", "[" * 5000, b"\xff"):
        forged = tok(ES256, payload, forging.es(forging.message(ES256, payload), attacker))
        cases: list[tuple[type[JOSEError], str, Key | KeySet]] = [
            (InvalidSignatureError, forged, key("KES")),
            (InvalidSignatureError, tok(ES256, payload, b""), key("KES")),
            (AlgorithmMismatchError, hmac_tok({"alg": "HS256"}, b"x", payload), key("KES")),
            (AlgorithmMismatchError, tok({"alg": "none"}, payload), key("KES")),
            (NoMatchingKeyError, tok({**ES256, "kid": "x"}, payload), key("KES").with_kid("y")),
            (NoMatchingKeyError, tok({**ES256, "kid": "x"}, payload), KeySet([key("KES").with_kid("y")])),
        ]
        for kind, token, keys in cases:
            error = refused(kind, verifier(keys).verify, token)
            assert "hunter2" not in f"{error!r}{error}{vars(error)}"


def test_required_claims_must_be_present_in_the_token() -> None:
    class Tenant(Claims):
        tenant: str = "ours"

    class Invented(Claims):
        exp: int = NOW + 1000
        iss: str = ISSUER
        aud: str = AUDIENCE
        sub: str = "nobody"

    require = ("exp", "sub", "tenant")
    for claims in (Claims, Tenant, dict):
        check(claiming(tenant="t"), claims=claims, require=require)
        claim_refused(MissingClaimError, "tenant", claiming(), claims=claims, require=require)
        refused(
            (MissingClaimError, InvalidClaimError),
            check,
            claiming(tenant=None),
            claims=claims,
            require=require,
        )
        claim_refused(MissingClaimError, "sub", claiming(sub=..., tenant="t"), claims=claims, require=require)
        claim_refused(MissingClaimError, "unheard", claiming(), claims=claims, require=("unheard",))
    for name in ("exp", "iss", "aud", "sub"):
        claim_refused(
            MissingClaimError, name, claiming(**{name: ...}), claims=Invented, require=("exp", "sub")
        )


@pytest.mark.parametrize(
    "require", ["exp", None, 1, [1], [None], {"exp": 1}.get], ids=lambda each: type(each).__name__
)
def test_require_is_a_collection_of_names(require: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), require=require)


@pytest.mark.parametrize("claims", [1, "Claims", None, len, [int]], ids=repr)
def test_claims_is_a_type_that_can_be_decoded(claims: Any) -> None:
    try:
        made = verifier(key("KES"), claims=claims)
    except ConfigurationError:
        return
    refused((MalformedTokenError, InvalidClaimError), made.verify, claiming())


def signer(**settings: Any) -> jwt.Signer:
    return jwt.Signer(
        key("KES"), **{"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: float(NOW), **settings}
    )


@pytest.mark.parametrize(
    "claims",
    [
        *({"iss": value} for value in ("https://evil", "", None, 1, ["https://i"])),
        *({"exp": value} for value in list[Any](("x", None, True, math.nan, math.inf, [], NAIVE))),
        *({"iat": value} for value in ("x", None, False, math.nan)),
        *({"nbf": value} for value in ("x", None, True, -math.inf)),
        *({"sub": value} for value in (1, None, ["a"])),
        *({"aud": value} for value in list[Any]((1, None, [1], {"a": 1}))),
        *({"x": value} for value in (object(), len, 1j, "\ud800")),
        *({"jti": value} for value in (1, b"x")),
        *(1, None, "sub", [("sub", "x")], b"{}"),
    ],
    ids=lambda each: ascii(each).partition(" at 0x")[0],
)
def test_signer_refuses_claims_that_make_no_sense(claims: Any) -> None:
    refused(ConfigurationError, signer().sign, claims)


class Unsparing(Claims, omit_defaults=False):
    scope: str = "a"


class Plain(msgspec.Struct):
    sub: str = "alice"
    scope: str = "a"


@pytest.mark.parametrize(
    "claims",
    [
        *(
            {},
            {"sub": "x"},
            Claims(),
            Claims(sub="x"),
            Plain(),
            Unsparing(),
            Unsparing(sub="x"),
            Access(scope="b"),
        ),
        *(
            {"iss": ISSUER},
            {"x": {1}},
            {"x": b"octets"},
            {"aud": [AUDIENCE, "b"]},
            {"x": "%d %s"},
        ),
        *(
            {"exp": NOW + 3650 * 86_400},
            {"exp": datetime(2037, 1, 1, tzinfo=UTC)},
            {"nbf": NOW},
            {'\n"': "\\"},
        ),
        *(Claims(exp=NOW + 5), Claims(iss=ISSUER), Claims(aud=(AUDIENCE,))),
    ],
    ids=repr,
)
def test_signer_claims_cannot_be_overridden(claims: Any) -> None:
    token = signer().sign(claims)
    verified = check(token, require=("exp", "iat"))
    assert verified.claims.iss == ISSUER
    pairs = json.loads(verified.payload, object_pairs_hook=list)
    assert len(dict(pairs)) == len(pairs), "a claim is written twice"


@pytest.mark.parametrize(
    "lifetime",
    [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999), 300, math.inf, None, "300"],
    ids=repr,
)
def test_lifetime_is_a_duration(lifetime: Any) -> None:
    refused(ConfigurationError, signer, lifetime=lifetime)


HOSTILE_TEXTS = [
    "client-1",
    "x\r\nSet-Cookie: a=b",
    "\0",
    "<script>alert(1)</script>",
    "\u202ecod.exe",
    "\u2028",
    "\x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_claim_values_are_escaped_in_messages(text: str) -> None:
    class Strict(Claims, forbid_unknown_fields=True):
        kind: Literal["user"] = "user"

    assert check(claiming(sub=text)).claims.sub == text  # data like any other
    tokens = [
        claiming(iss=text),
        claiming(aud=text),
        claiming(kind=text),
        claiming(**{text: 1}),
        claiming(exp=text),
        claiming(kind=f"{text} - at `$.{text}`"),
        claiming(kind=(text * 4000)[:30_000]),
    ]
    for token in tokens:
        error = refused(
            (InvalidClaimError, MalformedTokenError, IssuerMismatchError, AudienceMismatchError),
            check,
            token,
            claims=Strict,
        )
        for shown in (str(error), repr(error), error.message):
            assert shown.isprintable()
            assert len(shown) < 1000
        if isinstance(error, InvalidClaimError):
            assert error.claim in {"iss", "aud", "kind", "exp"} or error.claim.isprintable()
