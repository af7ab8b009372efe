"""Verifiers: of the tokens of one issuer, for one audience, of one kind, and at the right time."""

from __future__ import annotations

import dataclasses
import gc
import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Literal, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core import base64url
from coatcheck.jose import Claims, Key, KeySet, Limits, hazmat, jwe, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    AudienceMismatchError,
    ClaimError,
    ConfigurationError,
    CriticalHeaderError,
    DecryptionError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidHeaderError,
    InvalidSignatureError,
    IssuedInFutureError,
    IssuerMismatchError,
    KeyUseError,
    MalformedTokenError,
    MissingClaimError,
    NoMatchingKeyError,
    TokenError,
    TokenNotYetValidError,
    TokenTooLargeError,
    TokenTooOldError,
    UnexpectedTypeError,
)
from tests.jose.samples import SIGNATURE_NAMES, encryption_header, key_for, other_side, segment, signed

NOW = 1_700_000_000
KEY = key_for("HS256")
ISSUER, AUDIENCE = "https://id.example", "https://api.example"
GOOD = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60, "sub": "alice"}
HEADER = {"alg": "HS256", "kid": KEY.kid, "typ": "JWT"}


def make(key: Any = KEY, **options: Any) -> jwt.Verifier[Any]:
    settings = {"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: NOW, **options}
    return jwt.Verifier(key, **settings)


def token_of(claims: object, header: object = HEADER, key: Key = KEY) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return signed(payload, key, header)


def good(**changes: object) -> str:
    """A token with claims changed, or left out where the change is ``...``."""
    return token_of({name: value for name, value in {**GOOD, **changes}.items() if value is not ...})


# What is accepted


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
def test_what_a_signer_signs_its_verifier_accepts(alg: str) -> None:
    key = key_for(alg)
    signer = jwt.Signer(key, issuer=ISSUER, audience=AUDIENCE, clock=lambda: NOW)
    for _ in range(2):  # the second time, the header is a known one
        verifier = make(other_side(key))
        for _ in range(2):
            verified = verifier.verify(signer.sign({"sub": "alice", "jti": "1"}))
            assert verified.claims == Claims(
                iss=ISSUER, aud=AUDIENCE, sub="alice", jti="1", iat=NOW, exp=NOW + 300
            )
            assert verified.header == {"alg": alg, "kid": key.kid, "typ": "JWT"}
            assert verified.key.kid == key.kid
            assert json.loads(verified.payload)["sub"] == "alice"


def test_a_token_is_accepted_as_text_and_as_bytes() -> None:
    verifier = make()
    assert verifier.verify(good()) == verifier.verify(good().encode())


def test_the_clock_is_the_system_s_unless_another_is_given() -> None:
    verifier = jwt.Verifier(KEY, issuer=ISSUER, audience=AUDIENCE)
    token = jwt.Signer(KEY, issuer=ISSUER, audience=AUDIENCE).sign({"sub": "alice"})
    assert verifier.verify(token).claims.sub == "alice"
    with pytest.raises(ExpiredTokenError):
        verifier.verify(good())


# Times


def outcome(claims: dict[str, object], **options: Any) -> str:
    """The code of the refusal, or that there was none."""
    now = options.pop("now", None)
    try:
        make(**options).verify(good(**claims), now=now)
    except ClaimError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("leeway", [0, 10, 600])
@pytest.mark.parametrize("scale", [1, 1.0])
def test_times_hold_to_the_second_with_leeway(leeway: int, scale: float) -> None:
    def with_leeway(**claims: Any) -> str:
        return outcome(
            {name: value * scale for name, value in claims.items()}, leeway=timedelta(seconds=leeway)
        )

    assert with_leeway(exp=NOW - leeway + 1) == "accepted"
    assert with_leeway(exp=NOW - leeway) == "token_expired"
    assert with_leeway(nbf=NOW + leeway) == "accepted"
    assert with_leeway(nbf=NOW + leeway + 1) == "token_not_yet_valid"
    assert with_leeway(iat=NOW + leeway) == "accepted"
    assert with_leeway(iat=NOW + leeway + 1) == "issued_in_future"


def test_the_leeway_is_ten_seconds_unless_asked_otherwise() -> None:
    assert outcome({"exp": NOW - 9}) == "accepted"
    assert outcome({"exp": NOW - 10}) == "token_expired"


@pytest.mark.parametrize("age", [1, 60, 86_400])
def test_a_token_older_than_allowed_is_refused(age: int) -> None:
    options: dict[str, Any] = {"max_age": timedelta(seconds=age), "leeway": timedelta(0)}
    assert outcome({"iat": NOW - age}, **options) == "accepted"
    assert outcome({"iat": NOW - age - 1}, **options) == "token_too_old"
    assert outcome({"iat": NOW - age - 1}, **{**options, "leeway": timedelta(seconds=1)}) == "accepted"
    assert outcome({}, **options) == "missing_claim"


@pytest.mark.parametrize(
    "now",
    [
        NOW,
        float(NOW),
        datetime.fromtimestamp(NOW, UTC),
        datetime.fromtimestamp(NOW, timezone(timedelta(hours=5))),
    ],
)
def test_the_time_can_be_given_with_each_token(now: float | datetime) -> None:
    verifier = make(clock=lambda: 0)
    assert verifier.verify(good(iat=NOW), now=now).claims.sub == "alice"
    with pytest.raises(IssuedInFutureError):
        verifier.verify(good(iat=NOW))


class Nowhere(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None

    dst = utcoffset

    def tzname(self, _: datetime | None, /) -> str:
        return "nowhere"


@pytest.mark.parametrize(
    "now",
    [
        "1",
        True,
        [],
        float("nan"),
        float("inf"),
        10**400,
        datetime(2001, 1, 1),  # noqa: DTZ001
        datetime(2001, 1, 1, tzinfo=Nowhere()),
    ],
)
def test_a_time_that_is_none_is_refused(now: Any) -> None:
    with pytest.raises(ConfigurationError):
        make().verify(good(), now=now)


@pytest.mark.parametrize("claims", [{}, {"nbf": NOW}, {"iat": NOW}])
def test_a_clock_that_returns_no_number_accepts_nothing(claims: dict[str, object]) -> None:
    for options in ({}, {"require": (), "max_age": timedelta(1)}):
        with pytest.raises(ConfigurationError):
            make(clock=lambda: float("nan"), **options).verify(good(**claims))


@pytest.mark.parametrize("huge", [10**400, 1e308])
def test_numbers_of_any_size_are_compared(huge: float) -> None:
    assert outcome({"exp": huge}) == "accepted"
    assert outcome({"exp": -huge}) == "token_expired"
    assert outcome({"nbf": huge}) == "token_not_yet_valid"
    assert outcome({"iat": huge}) == "issued_in_future"
    assert outcome({"iat": -huge}, max_age=timedelta(days=1)) == "token_too_old"


@given(st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12), st.integers(0, 600))
def test_a_token_is_never_accepted_at_or_after_its_end_and_leeway(end: float, leeway: int) -> None:
    accepted = outcome({"exp": end}, leeway=timedelta(seconds=leeway)) == "accepted"
    assert accepted is (end > NOW - leeway)


@pytest.mark.parametrize(
    "claims, options, kind, details",
    [
        ({"exp": NOW - 10}, {}, ExpiredTokenError, ("exp", NOW - 10, NOW - 10)),
        ({"nbf": NOW + 11}, {}, TokenNotYetValidError, ("nbf", NOW + 11, NOW + 10)),
        ({"iat": NOW + 11}, {}, IssuedInFutureError, ("iat", NOW + 11, NOW + 10)),
        ({"iat": 0}, {"max_age": timedelta(1)}, TokenTooOldError, ("iat", 0, NOW - 10 - 86400)),
        ({"iss": "x"}, {}, IssuerMismatchError, ("iss", "x", ISSUER)),
        ({"iss": "x"}, {"issuer": None}, IssuerMismatchError, ("iss", "x", None)),
        ({"iss": ...}, {}, MissingClaimError, ("iss", None, ISSUER)),
        ({"aud": "x"}, {}, AudienceMismatchError, ("aud", "x", (AUDIENCE,))),
        ({"aud": ["x", "y"]}, {}, AudienceMismatchError, ("aud", ("x", "y"), (AUDIENCE,))),
        ({"aud": ...}, {}, MissingClaimError, ("aud", None, (AUDIENCE,))),
        ({"exp": ...}, {}, MissingClaimError, ("exp", None, None)),
        ({}, {"require": ["scope"]}, MissingClaimError, ("scope", None, None)),
    ],
)
def test_a_refused_claim_is_named_with_its_value_and_what_was_expected(
    claims: dict[str, object], options: dict[str, Any], kind: type[ClaimError], details: tuple[object, ...]
) -> None:
    with pytest.raises(kind) as caught:
        make(**options).verify(good(**claims))
    assert (caught.value.claim, caught.value.value, caught.value.expected) == details


# Issuer, audience and other demands


@pytest.mark.parametrize(
    "demanded, stated, accepted",
    [
        ("a", "a", True),
        ("a", ["a"], True),
        ("a", ["b", "a"], True),
        (["a", "b"], "b", True),
        (("a", "b"), ["c", "b"], True),
        ({"a"}, "a", True),
        ("a", "b", False),
        ("a", ["b"], False),
        ("a", [], False),
        ("a", "", False),
        ("a", "A", False),
        ("ab", "a", False),
        ("a", ["ab"], False),
        ("a", ..., False),
        (["a"], ..., False),
        (None, ..., True),
        (None, "a", False),
        (None, [], False),
        (None, "", False),
        (hazmat.ANY_AUDIENCE, ..., True),
        (hazmat.ANY_AUDIENCE, "a", True),
        (hazmat.ANY_AUDIENCE, ["b"], True),
    ],
)
def test_the_audience_must_name_the_recipient(demanded: Any, stated: object, accepted: bool) -> None:  # noqa: FBT001
    assert (outcome({"aud": stated}, audience=demanded) == "accepted") is accepted


@pytest.mark.parametrize(
    "demanded, stated, accepted",
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "A", False),
        ("a", "a/", False),
        ("a", "", False),
        ("a", ..., False),
        (None, ..., True),
        (None, "a", False),
        (None, "", False),
        (hazmat.ANY_ISSUER, "b", True),
        (hazmat.ANY_ISSUER, ..., True),
    ],
)
def test_the_issuer_must_be_the_one_demanded(demanded: Any, stated: object, accepted: bool) -> None:  # noqa: FBT001
    assert (outcome({"iss": stated}, issuer=demanded) == "accepted") is accepted


@pytest.mark.parametrize("name", ["exp", "sub", "jti", "iat", "nbf", "aud", "iss", "scope", "http://x/y"])
def test_required_claims_must_be_there(name: str) -> None:
    options: dict[str, Any] = {
        "require": [name],
        "issuer": hazmat.ANY_ISSUER,
        "audience": hazmat.ANY_AUDIENCE,
    }
    stated: dict[str, object] = {"iat": NOW, "nbf": NOW, "jti": "1", "scope": "", "http://x/y": False}
    assert outcome(stated, **options) == "accepted"
    assert outcome({**stated, name: ...}, **options) == "missing_claim"
    if name in stated and name not in {"iat", "nbf", "jti"}:
        assert outcome({**stated, name: None}, **options) == "missing_claim"


def test_the_end_is_required_unless_the_caller_waives_it() -> None:
    assert outcome({"exp": ...}) == "missing_claim"
    assert outcome({"exp": ...}, require=()) == "accepted"
    assert outcome({"exp": NOW - 60}, require=()) == "token_expired"


@pytest.mark.parametrize(
    "options",
    [
        {"issuer": ""},
        {"issuer": 5},
        {"issuer": ["a"]},
        {"audience": ""},
        {"audience": []},
        {"audience": [""]},
        {"audience": 5},
        {"audience": [5]},
        {"audience": b"a"},
        {"require": "exp"},
        {"require": [5]},
        {"require": None},
        {"leeway": 10},
        {"leeway": timedelta(seconds=-1)},
        {"leeway": timedelta(minutes=10, microseconds=1)},
        {"max_age": 10},
        {"max_age": timedelta(0)},
        {"typ": ""},
        {"typ": None},
        {"typ": 5},
        {"claims": 5},
        {"claims": dict[int | str, tuple[list[int], int] | list[str]]},
    ],
)
def test_a_verifier_is_not_made_of_demands_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        make(**options)


@pytest.mark.parametrize("keys", [None, "secret", b"secret", KeySet([]), [KEY], {"kty": "oct"}])
def test_a_verifier_takes_keys_and_nothing_else(keys: Any) -> None:
    with pytest.raises(ConfigurationError):
        make(keys)
    if keys is not None:
        with pytest.raises(ConfigurationError):
            make(decrypt_with=keys)


def restricted(key: Key, *operations: str) -> Key:
    jwk = {name: value for name, value in key.to_private_jwk().items() if name != "use"}
    return Key.from_jwk({**jwk, "key_ops": list(operations)})


def test_a_verifier_is_not_made_without_a_key_that_may_do_its_work() -> None:
    for key in (key_for("ECDH-ES"), restricted(key_for("ES256"), "sign")):
        with pytest.raises(KeyUseError):
            make(key)
    for key in (key_for("ES256"), key_for("ECDH-ES").public(), restricted(key_for("A256KW"), "wrapKey")):
        with pytest.raises(KeyUseError):
            make(decrypt_with=key)


def test_of_a_mixed_set_a_verifier_uses_the_keys_that_may_do_its_work() -> None:
    mixed = KeySet([key_for("ES256").public(), key_for("ECDH-ES")])
    signer = jwt.Signer(
        key_for("ES256"),
        issuer=ISSUER,
        audience=AUDIENCE,
        clock=lambda: NOW,
        encrypt_to=key_for("ECDH-ES").public(),
    )
    assert make(mixed, decrypt_with=mixed).verify(signer.sign({"sub": "alice"})).claims.sub == "alice"


def test_the_text_about_a_verifier_says_what_it_demands_and_shows_no_secret() -> None:
    assert repr(make(audience=["b", "a"])) == f"<Verifier JWT issuer='{ISSUER}' audience=['a', 'b']>"


# Header and form


@pytest.mark.parametrize(
    "expected, stated, accepted",
    [
        ("JWT", "JWT", True),
        ("JWT", "jwt", True),
        ("JWT", "application/jwt", True),
        ("JWT", ..., True),
        ("JWT", "at+jwt", False),
        ("JWT", "", False),
        ("JWT", "application/application/jwt", False),
        ("JWT", "text/jwt", False),
        ("at+jwt", "at+jwt", True),
        ("at+jwt", "AT+JWT", True),
        ("at+jwt", "application/at+jwt", True),
        ("application/at+jwt", "at+jwt", True),
        ("at+jwt", "JWT", False),
        ("at+jwt", ..., False),
        ("text/plain", "text/plain", True),
        ("application/a/b", "a/b", False),
    ],
)
def test_the_kind_of_token_must_be_the_one_demanded(expected: str, stated: object, accepted: bool) -> None:  # noqa: FBT001
    header = {name: value for name, value in {**HEADER, "typ": stated}.items() if value is not ...}
    verifier = make(typ=expected)
    if accepted:
        assert verifier.verify(token_of(GOOD, header)).claims.sub == "alice"
    else:
        with pytest.raises(UnexpectedTypeError) as caught:
            verifier.verify(token_of(GOOD, header))
        assert (caught.value.typ, caught.value.expected) == (None if stated is ... else stated, expected)


@pytest.mark.parametrize(
    "header, kind",
    [
        ([], InvalidHeaderError),
        ({}, InvalidHeaderError),
        ({**HEADER, "alg": 5}, InvalidHeaderError),
        ({**HEADER, "typ": 5}, InvalidHeaderError),
        ({**HEADER, "kid": 5}, InvalidHeaderError),
        ({**HEADER, "alg": "none"}, AlgorithmMismatchError),
        ({**HEADER, "alg": "HS512"}, AlgorithmMismatchError),
        ({**HEADER, "kid": "other"}, NoMatchingKeyError),
        ({**HEADER, "crit": ["exp"], "exp": 1}, CriticalHeaderError),
        ({**HEADER, "b64": False, "crit": ["b64"]}, InvalidHeaderError),
    ],
)
def test_a_header_that_breaks_the_rules_is_refused_every_time(header: object, kind: type[Exception]) -> None:
    verifier = make()
    for _ in range(2):
        with pytest.raises(kind):
            verifier.verify(token_of(GOOD, header))


HEAD, BODY, SIGNATURE = good().split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a",
        HEAD,
        f"{HEAD}.{BODY}",
        f"{good()}.",
        f".{good()}",
        f"{good()}.{SIGNATURE}",
        f"{HEAD}.{BODY}=.{SIGNATURE}",
        f"{good()}=",
        f"{good()}\n",
        f" {good()}",
        f"{good()}é",
        jwe.encrypt(good().encode(), key_for("A256GCM")),
        5,
        None,
        bytearray(good().encode()),
    ],
)
def test_what_has_not_the_form_of_a_signed_token_is_refused(token: Any) -> None:
    verifier = make()
    for _ in range(2):
        with pytest.raises((MalformedTokenError, InvalidHeaderError)):
            verifier.verify(token)
        assert verifier.verify(good()).claims.sub == "alice"


def test_the_refusal_of_an_encrypted_token_says_what_is_missing() -> None:
    with pytest.raises(MalformedTokenError, match="decrypt_with"):
        make().verify(jwe.encrypt(good().encode(), key_for("A256GCM")))


@pytest.mark.parametrize("known", [False, True])
def test_a_bad_signature_is_refused_under_a_new_and_under_a_known_header(known: bool) -> None:  # noqa: FBT001
    verifier = make()
    if known:
        verifier.verify(good())
    for forged in (
        f"{HEAD}.{segment({**GOOD, 'sub': 'mallory'})}.{SIGNATURE}",
        f"{HEAD}.{BODY}.{base64url.encode(bytes(32))}",
        f"{HEAD}.{BODY}.",
        f"{HEAD}..{SIGNATURE}",
    ):
        with pytest.raises(InvalidSignatureError):
            verifier.verify(forged)


def test_no_claim_is_looked_at_before_the_signature() -> None:
    with pytest.raises(InvalidSignatureError):
        make().verify(f"{HEAD}.{base64url.encode(b'no json')}.{SIGNATURE}")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b'{"iss":}',
        b'{"sub":"\xff"}',
        b'{"x":"\xff"}',
        b'{"\xff":1}',
        b'{"x":' + b"[" * 32 + b"]" * 32 + b"}",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("kind", [Claims, dict])
def test_a_signed_payload_that_is_no_object_of_claims_is_refused(payload: bytes, kind: Any) -> None:
    with pytest.raises(MalformedTokenError):
        make(claims=kind, limits=Limits(token=200_000)).verify(token_of(payload))


WRONG_VALUES: dict[str, list[object]] = {
    **{name: [None, 5, True, [], {}, ["a"]] for name in ("iss", "sub", "jti")},
    "aud": [None, 5, {}, [5], [None], [["a"]]],
    **{name: [None, "1", True, [], {}] for name in ("exp", "nbf", "iat")},
}


@pytest.mark.parametrize(
    "name, value", [(name, value) for name in WRONG_VALUES for value in WRONG_VALUES[name]]
)
@pytest.mark.parametrize("kind", [Claims, dict])
def test_a_registered_claim_of_another_type_is_refused(name: str, value: object, kind: Any) -> None:
    with pytest.raises(InvalidClaimError) as caught:
        make(claims=kind).verify(good(**{name: value}))
    assert caught.value.claim == name


# Types of claims


class Access(Claims):
    client_id: str
    scope: str = ""


class Narrow(Claims, kw_only=True):
    sub: str
    exp: int


class WithDefaults(Claims):
    iss: str = ISSUER
    aud: str = AUDIENCE
    exp: int | float = NOW * 2


class WithFactory(Claims):
    aud: str | tuple[str, ...] = msgspec.field(default_factory=lambda: AUDIENCE)


class Renamed(Claims):
    sub: str | None = msgspec.field(name="user", default=None)


class Looser(Claims):
    sub: Any = None


class Plain(msgspec.Struct):
    sub: str
    level: int = 0


class Other(msgspec.Struct, rename={"user": "sub"}):
    user: str


@dataclasses.dataclass
class Record:
    sub: str
    exp: int


class Typed(TypedDict):
    sub: str


def test_a_subclass_of_claims_has_the_registered_claims_and_its_own() -> None:
    claims = make(claims=Access).verify(good(client_id="app", scope="read")).claims
    assert claims == Access(
        client_id="app", scope="read", iss=ISSUER, aud=AUDIENCE, exp=NOW + 60, sub="alice"
    )
    assert make(claims=Access).verify(good(client_id="app")).claims.scope == ""


def test_the_missing_claim_of_a_subclass_is_named() -> None:
    with pytest.raises(MissingClaimError, match="'client_id' is missing") as caught:
        make(claims=Access).verify(good())
    assert caught.value.claim == "client_id"
    with pytest.raises(InvalidClaimError) as wrong:
        make(claims=Access).verify(good(client_id=5))
    assert wrong.value.claim == "client_id"


def test_a_narrowed_field_is_required_and_of_that_type() -> None:
    assert make(claims=Narrow).verify(good()).claims.sub == "alice"
    with pytest.raises(MissingClaimError):
        make(claims=Narrow).verify(good(sub=...))
    with pytest.raises(InvalidClaimError) as caught:
        make(claims=Narrow).verify(good(exp=NOW + 60.5))
    assert caught.value.claim == "exp"


@pytest.mark.parametrize(
    "kind, expected",
    [
        (dict, GOOD),
        (dict[str, Any], GOOD),
        (object, GOOD),
        (Plain, Plain("alice")),
        (Other, Other("alice")),
        (Record, Record("alice", NOW + 60)),
        (Typed, {"sub": "alice"}),
        (Renamed, Renamed(iss=ISSUER, aud=AUDIENCE, exp=NOW + 60)),
        (Looser, Looser(iss=ISSUER, aud=AUDIENCE, exp=NOW + 60, sub="alice")),
    ],
)
def test_claims_come_in_the_type_asked_for_and_are_checked_all_the_same(kind: Any, expected: object) -> None:
    verifier = make(claims=kind)
    verified = verifier.verify(good())
    assert verified.claims == expected
    for claims, error in (
        ({"exp": NOW - 60}, ExpiredTokenError),
        ({"nbf": NOW + 60}, TokenNotYetValidError),
        ({"iss": "x"}, IssuerMismatchError),
        ({"aud": "x"}, AudienceMismatchError),
        ({"aud": ...}, MissingClaimError),
        ({"iat": "1"}, InvalidClaimError),
        ({"jti": None}, InvalidClaimError),
    ):
        with pytest.raises(error):
            verifier.verify(good(**claims))


@pytest.mark.parametrize("kind", [WithDefaults, WithFactory])
def test_a_default_of_the_caller_s_type_does_not_stand_in_for_a_claim(kind: Any) -> None:
    assert make(claims=kind).verify(good()).claims.sub == "alice"
    with pytest.raises(MissingClaimError):
        make(claims=kind).verify(good(aud=...))
    with pytest.raises(MissingClaimError):
        make(claims=kind).verify(good(exp=...))
    with pytest.raises(MissingClaimError):
        make(claims=kind).verify(good(iss=...))


@pytest.mark.parametrize("kind", [int, str, list, Literal["x"], bytes])
def test_a_type_that_no_object_can_become_accepts_nothing(kind: Any) -> None:
    with pytest.raises(MalformedTokenError):
        make(claims=kind).verify(good())


def test_the_words_of_a_hostile_value_do_not_become_the_name_of_a_claim() -> None:
    class Strict(Claims):
        scope: Literal["read"] = "read"

    hostile = "x - at `$.sub` Object missing required field `iss`"
    with pytest.raises(InvalidClaimError) as caught:
        make(claims=Strict).verify(good(scope=hostile))
    assert caught.value.claim == "scope"


def test_the_same_claims_can_be_read_as_another_type() -> None:
    verified = make().verify(good(client_id="app"))
    assert verified.as_type(dict) == {**GOOD, "client_id": "app"}
    assert verified.as_type(Access).client_id == "app"
    assert verified.as_type(Record) == Record("alice", NOW + 60)
    with pytest.raises(MissingClaimError):
        make().verify(good()).as_type(Access)
    with pytest.raises(ConfigurationError):
        verified.as_type(5)  # type: ignore[arg-type]


def test_a_verified_token_stays_as_it_is() -> None:
    verified = make().verify(good())
    for name in ("claims", "header", "key", "payload"):
        with pytest.raises(AttributeError):
            setattr(verified, name, None)
    with pytest.raises(AttributeError):
        verified.claims.sub = "mallory"


# Nesting


def nested(inner: str, recipient: Key, **options: Any) -> str:
    settings = {"cty": "JWT", "header": encryption_header(recipient.alg), **options}
    return jwe.encrypt(inner.encode(), other_side(recipient), **settings)


@pytest.mark.parametrize("alg", ["ECDH-ES", "RSA-OAEP-256", "A256KW", "A256GCM", "PBES2-HS256+A128KW"])
def test_a_token_signed_and_then_encrypted_is_verified_at_one_go(alg: str) -> None:
    recipient = key_for(alg)
    verifier = make(decrypt_with=recipient)
    for cty in ("JWT", "jwt", "application/jwt"):
        verified = verifier.verify(nested(good(), recipient, cty=cty))
        assert verified.claims.sub == "alice"
        assert verified.header.alg == "HS256"


def test_what_is_inside_an_encrypted_token_must_say_that_it_is_a_token() -> None:
    recipient = key_for("A256GCM")
    for cty in (None, "text/plain", "jwk+json"):
        with pytest.raises(UnexpectedTypeError):
            make(decrypt_with=recipient).verify(nested(good(), recipient, cty=cty))


def test_a_verifier_of_encrypted_tokens_accepts_no_others() -> None:
    recipient = key_for("A256GCM")
    verifier = make(decrypt_with=recipient)
    with pytest.raises(MalformedTokenError):
        verifier.verify(good())
    with pytest.raises(MalformedTokenError):
        verifier.verify(nested(json.dumps(GOOD), recipient))
    with pytest.raises(InvalidSignatureError):
        verifier.verify(nested(f"{HEAD}.{BODY}.AAAA", recipient))
    with pytest.raises(NoMatchingKeyError):
        verifier.verify(nested(good(), Key.generate("A256GCM")))
    with pytest.raises(DecryptionError):
        verifier.verify(nested(good(), Key.generate("A256GCM").with_kid(None)))


def test_compressed_content_is_never_read() -> None:
    recipient = key_for("A256GCM")
    with pytest.raises(InvalidHeaderError, match="compressed"):
        make(decrypt_with=recipient).verify(nested(good(), recipient, compress=True))


# Keys and memory


def test_of_several_keys_without_identifier_the_one_that_signed_is_found_every_time() -> None:
    keys = [Key.generate("ES256").with_kid(None) for _ in range(3)]
    verifier = make(KeySet(keys))
    for _ in range(2):
        for key in keys:
            assert verifier.verify(token_of(GOOD, {"alg": "ES256"}, key)).key is key
    with pytest.raises(InvalidSignatureError):
        verifier.verify(token_of(GOOD, {"alg": "ES256"}, Key.generate("ES256")))


def test_a_thousand_different_headers_are_verified_without_the_memory_growing() -> None:
    verifier = make()

    def verify_some(first: int) -> None:
        for number in range(first, first + 1000):
            header = {**HEADER, "x": number, "y": "z" * 5000}
            assert verifier.verify(token_of(GOOD, header)).header["x"] == number

    tracemalloc.start()
    try:
        verify_some(0)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        verify_some(1000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # A thousand headers of this size would take more than ten million.
    assert grown < 2_000_000


def test_headers_of_forged_tokens_are_not_remembered() -> None:
    verifier = make()
    header = {**HEADER, "x": 1}
    forged = f"{segment(header)}.{BODY}.{base64url.encode(bytes(32))}"
    for _ in range(2):
        with pytest.raises(InvalidSignatureError):
            verifier.verify(forged)
    assert verifier.verify(token_of(GOOD, header)).header["x"] == 1


def test_a_token_beyond_the_limits_is_refused() -> None:
    with pytest.raises(TokenTooLargeError):
        make(limits=Limits(token=len(good()) - 1)).verify(good())
    with pytest.raises(TokenTooLargeError):
        make(limits=Limits(header=len(HEAD) - 1)).verify(good())
    assert make(limits=Limits(token=len(good()), header=len(HEAD))).verify(good()).claims.sub == "alice"


@given(st.text(max_size=60) | st.binary(max_size=60) | st.from_regex(r"[\w-]{0,9}\.[\w-]{0,9}\.[\w-]{0,9}"))
def test_any_text_whatever_is_refused_with_a_token_error(text: str | bytes) -> None:
    with pytest.raises(TokenError):
        make().verify(text)
