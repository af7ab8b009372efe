"""The claims that are compared with: read with suspicion, and told of without their values."""

import json
from typing import Any

import msgspec
import pytest

from coatcheck.comparison.claims import LARGEST_FILE, default_claims, describe, read_claims
from coatcheck.comparison.credentials import make_issuance
from coatcheck.comparison.errors import ClaimsError


@pytest.mark.parametrize(
    "octets, said",
    [
        pytest.param(b" " * (LARGEST_FILE + 1), "64 KiB", id="too large"),
        pytest.param(b"", "not valid JSON", id="empty"),
        pytest.param(b"[]", "one JSON object", id="a list"),
        pytest.param(b'"text"', "one JSON object", id="text"),
        pytest.param(b"null", "one JSON object", id="null"),
        pytest.param(b"{", "not valid JSON", id="cut off"),
        pytest.param(b'{"a": 1, "a": 2}', "repeated", id="a name twice"),
        pytest.param(b'{"a": {"b": 1, "b": 2}}', "repeated", id="a name twice, inside"),
        pytest.param(b'{"a": NaN}', "not valid JSON", id="NaN"),
        pytest.param(b'{"a": Infinity}', "not valid JSON", id="infinity"),
        pytest.param(b'{"a": 1e999}', "not valid JSON", id="a number out of range"),
        pytest.param(b'{"a": "\xff"}', "not valid JSON", id="not UTF-8"),
        pytest.param(b'{"a": "\\ud800"}', "not valid JSON", id="half a surrogate pair"),
        pytest.param(b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "nested", id="deep"),
        pytest.param(b"[" * 60_000, "nested", id="very deep"),
        pytest.param(b'{"sub": 5}', "'sub'", id="sub is a number"),
        pytest.param(b'{"iss": ["a"]}', "'iss'", id="iss is a list"),
        pytest.param(b'{"iss": ""}', "'iss'", id="iss is empty"),
        pytest.param(b'{"jti": null}', "'jti'", id="jti is null"),
        pytest.param(b'{"aud": []}', "'aud'", id="aud is empty"),
        pytest.param(b'{"aud": [1]}', "'aud'", id="aud holds a number"),
        pytest.param(b'{"aud": {}}', "'aud'", id="aud is an object"),
    ],
)
def test_what_no_token_could_say_is_refused_with_a_reason(octets: bytes, said: str) -> None:
    with pytest.raises(ClaimsError) as caught:
        read_claims(octets)
    assert caught.value.code == "invalid_claims"
    assert said in caught.value.message


def test_a_large_but_allowed_file_makes_tokens_of_every_design() -> None:
    subject = read_claims(json.dumps({"blob": "x" * (LARGEST_FILE - 20)}).encode())
    issuance = make_issuance(subject)
    assert all(len(issuance.token(design)) > LARGEST_FILE for design in issuance.tokens)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"exp": "never", "iat": [], "nbf": None},
        {"exp": 1, "iat": 1, "nbf": 99_999_999_999},
        {"jti": ""},
        {"jti": "abc", "aud": ["one", "two"], "iss": "me"},
        {"kid": "x", "": 1, "client_id": 4, "a b": True},
    ],
    ids=["nothing", "odd times", "old times", "an empty jti", "registered ones", "odd names"],
)
def test_tokens_are_made_whatever_the_claims_say_of_time_and_of_themselves(given: dict[str, Any]) -> None:
    subject = read_claims(json.dumps(given).encode())
    issuance = make_issuance(subject)
    for design, tokens in issuance.tokens.items():
        claims = tokens.verifier.verify(issuance.token(design)).claims
        kept = {name: value for name, value in given.items() if name not in {"exp", "iat", "nbf", "jti"}}
        assert kept.items() <= claims.items()
        assert len(claims["jti"]) == len(given.get("jti", "x" * 22))
        assert ("nbf" in claims) == ("nbf" in given)


def test_a_byte_order_mark_is_no_part_of_the_claims() -> None:
    assert read_claims(b'\xef\xbb\xbf{"a": 1}').given == {"a": 1}


def test_two_tokens_are_never_the_same() -> None:
    issuance = make_issuance(default_claims())
    assert len({issuance.token("jwt-hs256") for _ in range(20)}) == 20


def test_sizes_of_claims_add_up_to_the_json_that_is_signed() -> None:
    subject = default_claims()
    issuance = make_issuance(subject)
    written = issuance.claims()
    used = describe(subject, written)
    compact = json.dumps(written, separators=(",", ":"), ensure_ascii=False)
    assert used.octets == len(compact.encode())
    # Each claim with a comma, but for the last, and two braces.
    assert used.octets == sum(each.octets for each in used.claims) - 1 + 2
    verified = issuance.tokens["jwt-es256"].verifier.verify(issuance.token("jwt-es256"))
    assert abs(len(verified.payload) - used.octets) < 4


def test_what_is_told_of_claims_holds_no_value_and_no_name_that_looks_personal() -> None:
    values = {
        "email": "grace@example.com",
        "grace@example.com": True,
        "contact": {"deep": ["call", "+44 20 7946 0958"]},
        "address_seen": "192.0.2.55",
        "givenName": "Grace",
        "plan": "gold-plated",
        "weird\u202ename": 1,
        "n": 1.5,
        "none": None,
        "yes": False,
        "https://example.com/roles": ["r"],
    }
    subject = read_claims(json.dumps(values).encode())
    used = describe(subject, make_issuance(subject).claims())
    text = msgspec.json.encode(used).decode()
    for hidden in ("grace", "Grace", "7946", "192.0.2", "gold-plated", "\u202e"):
        assert hidden not in text
        assert hidden not in repr(subject)
    by_name = {each.name: each for each in used.claims}
    assert by_name["email"].personal == by_name["givenName"].personal == "its name says so"
    assert by_name["contact"].personal == "its value looks so"
    assert by_name["plan"].personal is None
    assert by_name["sub"].personal is None
    assert by_name["https://example.com/roles"].personal is None
    kinds = {name: by_name[name].kind for name in ("plan", "n", "none", "yes", "contact")}
    assert kinds == {
        "plan": "text",
        "n": "number",
        "none": "null",
        "yes": "true or false",
        "contact": "object",
    }
    assert {name for name, each in by_name.items() if not each.given} == {
        "iss",
        "sub",
        "aud",
        "iat",
        "exp",
        "jti",
    }


def test_a_claim_that_every_jwt_library_would_take_is_taken_as_default() -> None:
    used = describe(default_claims(), make_issuance(default_claims()).claims())
    assert used.source == "the default"
    assert {each.name for each in used.claims if each.personal} == {"email", "name"}
