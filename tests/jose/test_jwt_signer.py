"""Signers: every token says who issued it, when, and when it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from coatcheck.jose import Claims, Key, hazmat, jwe, jws, jwt
from coatcheck.jose.errors import ConfigurationError, KeyUseError
from tests.jose.samples import ENCRYPTING_NAMES, SIGNATURE_NAMES, key_for, other_side

NOW = 1_700_000_000
KEY = key_for("ES256")
ISSUER = "https://id.example"


class Access(Claims):
    scope: str = ""


class Bare(msgspec.Struct):
    sub: str


class Until(msgspec.Struct):
    end: datetime = msgspec.field(name="exp")


def make(key: Key = KEY, **options: Any) -> jwt.Signer:
    return jwt.Signer(key, **{"issuer": ISSUER, "clock": lambda: NOW, **options})


def claims_of(token: str, key: Key = KEY) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(jws.verify(token, key).payload)
    return claims


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
def test_a_token_says_who_issued_it_when_and_when_it_ends(alg: str) -> None:
    key = key_for(alg)
    token = make(key).sign({"sub": "alice"})
    assert claims_of(token, other_side(key)) == {"iss": ISSUER, "iat": NOW, "exp": NOW + 300, "sub": "alice"}
    assert jws.verify(token, key).header == {"alg": alg, "kid": key.kid, "typ": "JWT"}


def test_a_token_without_claims_of_its_own_is_still_complete() -> None:
    assert claims_of(make().sign({})) == {"iss": ISSUER, "iat": NOW, "exp": NOW + 300}
    assert claims_of(make().sign(Claims())) == {"iss": ISSUER, "iat": NOW, "exp": NOW + 300}


def test_without_an_issuer_there_is_no_issuer() -> None:
    assert claims_of(make(issuer=None).sign({})) == {"iat": NOW, "exp": NOW + 300}
    assert claims_of(make(issuer=None).sign({"iss": "other"}))["iss"] == "other"


@pytest.mark.parametrize("audience", ["a", ["a"], ["a", "b"]])
def test_the_audience_of_the_signer_is_that_of_its_tokens_unless_their_claims_name_it(audience: Any) -> None:
    signer = make(audience=audience)
    assert claims_of(signer.sign({}))["aud"] == audience
    assert claims_of(signer.sign({"aud": ["c"]}))["aud"] == ["c"]
    assert claims_of(signer.sign(Claims(aud="c")))["aud"] == "c"
    assert claims_of(make(audience=tuple(audience)).sign({}))["aud"] == [*audience]


def test_names_with_percent_signs_stay_as_they_are() -> None:
    signer = make(issuer="https://id.example/%d%s", audience="100%")
    claims = claims_of(signer.sign({"sub": "%d"}))
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("https://id.example/%d%s", "100%", "%d")


def test_the_lifetime_of_the_signer_is_that_of_its_tokens_unless_their_claims_end_them() -> None:
    signer = make(lifetime=timedelta(hours=1, microseconds=5))
    assert claims_of(signer.sign({}))["exp"] == NOW + 3600
    assert claims_of(signer.sign({"exp": NOW + 1}))["exp"] == NOW + 1
    assert claims_of(signer.sign(Claims(exp=NOW + 1)))["exp"] == NOW + 1


def test_tokens_without_end_are_signed_only_with_the_name_from_hazmat() -> None:
    signer = make(lifetime=hazmat.NO_EXPIRY)
    assert claims_of(signer.sign({})) == {"iss": ISSUER, "iat": NOW}
    assert claims_of(signer.sign({"nbf": 1.5})) == {"iss": ISSUER, "iat": NOW, "nbf": 1.5}
    with pytest.raises(ConfigurationError):
        make(lifetime=None)


@pytest.mark.parametrize(
    "now, issued",
    [
        (1, 1),
        (1.9, 1),
        (0, 0),
        (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 1_000_000_000),
        (datetime(2001, 9, 9, 3, 46, 40, tzinfo=timezone(timedelta(hours=2))), 1_000_000_000),
    ],
)
def test_the_time_of_issue_is_the_one_given_or_the_clock_s(now: float | datetime, issued: int) -> None:
    assert claims_of(make().sign({}, now=now))["iat"] == issued
    assert claims_of(make(clock=lambda: 7.9).sign({}))["iat"] == 7


@pytest.mark.parametrize(
    "now",
    ["1", True, float("nan"), float("inf"), 10**400, datetime(2001, 1, 1)],  # noqa: DTZ001
)
def test_a_time_that_is_none_is_refused(now: Any) -> None:
    with pytest.raises(ConfigurationError):
        make().sign({}, now=now)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "alice", "n": 1, "list": [1, {"a": None}]},
        {"sub": "alice", "nbf": NOW, "jti": "1"},
        MappingProxyType({"sub": "alice", "n": 1}),
        Access(sub="alice", scope="read"),
        Access(sub="alice", nbf=NOW, scope="read"),
        Claims(sub="alice", jti="1"),
        Bare("alice"),
    ],
)
def test_claims_are_given_in_any_form_and_arrive_unchanged(claims: Any) -> None:
    plain = dict(claims) if isinstance(claims, MappingProxyType) else msgspec.to_builtins(claims)
    assert claims_of(make().sign(claims)) == {"iss": ISSUER, "iat": NOW, "exp": NOW + 300, **plain}


@pytest.mark.parametrize(
    "time, written",
    [
        (NOW + 60, NOW + 60),
        (NOW + 60.0, NOW + 60),
        (NOW + 60.5, NOW + 60.5),
        (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 1_000_000_000),
        (datetime(2001, 9, 9, 1, 46, 40, 500_000, tzinfo=UTC), 1_000_000_000.5),
        (datetime(2001, 9, 9, 3, 46, 40, tzinfo=timezone(timedelta(hours=2))), 1_000_000_000),
        (10**30, 10**30),
    ],
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_in_claims_are_numbers_or_moments_and_are_written_as_numbers(
    name: str, time: float | datetime, written: float
) -> None:
    assert claims_of(make().sign({name: time}))[name] == written


def test_times_in_structs_are_written_as_numbers() -> None:
    assert claims_of(make().sign(Until(datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC))))["exp"] == 1_000_000_000


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "time",
    ["1", None, float("nan"), float("inf"), True, [], datetime(2001, 1, 1)],  # noqa: DTZ001
)
def test_times_in_claims_that_are_none_are_refused(name: str, time: Any) -> None:
    with pytest.raises(ConfigurationError):
        make().sign({name: time})


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": 5},
        {"sub": None},
        {"jti": 5},
        {"iss": None},
        {"iss": 5},
        {"aud": 5},
        {"aud": None},
        {"aud": [5]},
        {"aud": {"a": 1}},
        {"x": object()},
        {"x": "\ud800"},
        {"x": 1j},
        {1j: 1},
    ],
)
def test_claims_that_no_strict_verifier_would_accept_are_not_signed(claims: Any) -> None:
    for form in (claims, MappingProxyType(claims)):
        with pytest.raises(ConfigurationError):
            make().sign(form)


def test_claims_that_contradict_the_signer_s_issuer_are_not_signed() -> None:
    for claims in ({"iss": "other"}, Claims(iss="other"), MappingProxyType({"iss": "other"})):
        with pytest.raises(ConfigurationError, match="contradicts the signer's issuer"):
            make().sign(claims)
    assert claims_of(make().sign({"iss": ISSUER}))["iss"] == ISSUER


@pytest.mark.parametrize("claims", [None, "text", 5, [("sub", "alice")], b"{}"])
def test_what_is_no_set_of_claims_is_not_signed(claims: Any) -> None:
    with pytest.raises(ConfigurationError, match="Claims are given as"):
        make().sign(claims)


@pytest.mark.parametrize(
    "options",
    [
        {"typ": ""},
        {"typ": 5},
        {"typ": None},
        {"issuer": 5},
        {"issuer": "\ud800"},
        {"audience": 5},
        {"audience": []},
        {"audience": [5]},
        {"audience": "\ud800"},
        {"lifetime": 300},
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta(seconds=-1)},
        {"lifetime": timedelta(milliseconds=999)},
        {"header": {"alg": "none"}},
        {"header": {"typ": "x"}},
        {"header": {"kid": "x"}},
        {"header": {"b64": False}},
        {"header": {"x": object()}},
        {"header": {"x": "\ud800"}},
        {"header": {"crit": ["x"]}},
    ],
)
def test_a_signer_is_not_made_of_arguments_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        make(**options)


@pytest.mark.parametrize("key", [None, "secret", b"secret", {"kty": "oct"}])
def test_a_signer_takes_a_key_and_nothing_else(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a Key"):
        make(key)


def restricted(key: Key, *operations: str) -> Key:
    jwk = {name: value for name, value in key.to_private_jwk().items() if name != "use"}
    return Key.from_jwk({**jwk, "key_ops": list(operations)})


@pytest.mark.parametrize("key", [KEY.public(), key_for("ECDH-ES"), restricted(KEY, "verify")])
def test_a_signer_is_not_made_of_a_key_that_may_not_sign(key: Key) -> None:
    with pytest.raises(KeyUseError):
        make(key)


@pytest.mark.parametrize("key", [KEY, key_for("RSA1_5"), "text", restricted(key_for("A256KW"), "unwrapKey")])
def test_a_signer_does_not_encrypt_to_a_key_that_may_not_encrypt(key: Any) -> None:
    with pytest.raises((KeyUseError, ConfigurationError)):
        make(encrypt_to=key)


def test_the_header_says_the_kind_of_token_and_what_the_caller_adds() -> None:
    header = jws.verify(make(typ="at+jwt", header={"x": 1}).sign({}), KEY).header
    assert header == {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt", "x": 1}


@pytest.mark.parametrize("alg", [name for name in ENCRYPTING_NAMES if not name.startswith("PBES2")])
def test_a_token_can_be_signed_and_then_encrypted(alg: str) -> None:
    recipient = key_for(alg)
    token = make(encrypt_to=other_side(recipient)).sign({"sub": "alice"})
    outer = jwe.decrypt(token, recipient)
    assert outer.header.cty == "JWT"
    assert claims_of(outer.plaintext.decode())["sub"] == "alice"


def test_the_content_encryption_of_tokens_can_be_chosen() -> None:
    token = make(encrypt_to=key_for("A256KW"), enc="A128CBC-HS256").sign({})
    assert jwe.decrypt(token, key_for("A256KW")).header.enc == "A128CBC-HS256"


def test_the_text_about_a_signer_shows_no_secret() -> None:
    key = Key.generate("HS256")
    assert repr(make(key)) == f"<Signer JWT issuer='{ISSUER}' key={key!r}>"
    assert key.to_private_jwk()["k"] not in repr(make(key))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "nest", [lambda x: {"x": x}, lambda x: {"x": [1, {"y": x}]}, lambda x: {"exp": NOW, "x": x}]
)
def test_a_number_that_json_does_not_have_is_not_signed_as_null(number: float, nest: Any) -> None:
    with pytest.raises(ConfigurationError, match="number that JSON cannot write"):
        make().sign(nest(number))


def test_a_null_that_the_caller_wrote_is_signed() -> None:
    assert claims_of(make().sign({"nickname": None}))["nickname"] is None


@pytest.mark.parametrize("claims", [{1: "x"}, {None: "x"}, {"a": 1, 2.5: "x"}, {"exp": NOW, 1: "x"}])
def test_a_claim_whose_name_is_no_text_is_not_signed(claims: Any) -> None:
    with pytest.raises(ConfigurationError, match="names of claims must be text"):
        make().sign(claims)


def test_a_signer_has_no_empty_issuer() -> None:
    with pytest.raises(ConfigurationError, match="not empty"):
        make(issuer="")


def test_a_default_of_a_registered_claim_is_signed_like_any_other_value() -> None:
    class Fixed(Claims):
        aud: str = "https://api.example"
        sub: str = "nobody"

    claims = claims_of(make().sign(Fixed()))
    assert (claims["aud"], claims["sub"]) == ("https://api.example", "nobody")


def test_a_renamed_registered_claim_is_signed_under_its_own_name() -> None:
    class Shouting(Claims, rename="upper"):
        role: str

    claims = claims_of(make().sign(Shouting(sub="alice", role="x")))
    assert (claims["sub"], claims["ROLE"]) == ("alice", "x")
