"""Input that costs more to refuse than to send.

Memory and operations are counted; the few times that are taken are compared with each other or with a bound far away.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from coatcheck._core.json import nests_deeper_than
from coatcheck.jose import JOSEError, Key, KeySet, Limits, hazmat, jwe, jws
from coatcheck.jose.errors import (
    ConfigurationError,
    DecryptionError,
    InvalidClaimError,
    InvalidHeaderError,
    InvalidSignatureError,
    IssuerMismatchError,
    KeyImportError,
    KeySetError,
    MalformedTokenError,
    NoMatchingKeyError,
    TokenTooLargeError,
    UnsupportedKeyError,
    WeakKeyError,
)
from tests.jose.attacks.forging import (
    CLAIMS,
    b,
    from_private,
    key,
    refused,
    rsa_private,
    signed,
    tok,
    verifier,
)
from tests.jose.attacks.measuring import peak_memory
from tests.jose.attacks.tampering import encrypted, to_recipient

MEGABYTE = 1_000_000
HUGE = 10 * MEGABYTE
ES256 = {"alg": "ES256"}


def entrances() -> dict[str, Callable[[Any], object]]:
    """Everything that takes a compact token."""
    return {
        "jws.verify": lambda token: jws.verify(token, key("KES")),
        "jws.verify detached": lambda token: jws.verify(token, key("KES"), payload=b"x"),
        "jwe.decrypt": lambda token: jwe.decrypt(token, key("KKW")),
        "verifier": verifier(key("KES")).verify,
        "nested verifier": verifier(key("KES"), decrypt_with=key("KKW")).verify,
        "read_unverified": hazmat.read_unverified,
    }


ENTRANCES = entrances()


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_cve_2025_61920_oversized_segment_is_refused_undecoded(
    entrance: Callable[[Any], object], place: int
) -> None:
    good = signed("KES", ES256) if place < 3 else to_recipient("A256KW").compact()
    parts = good.split(".")
    parts[place] = "A" * HUGE
    token = ".".join(parts)
    for given in (token, token.encode()):
        with peak_memory() as peak:
            refused(TokenTooLargeError, entrance, given)
        assert peak.octets < MEGABYTE


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
def test_cve_2025_61920_one_character_too_many(entrance: Callable[[Any], object]) -> None:
    refused(TokenTooLargeError, entrance, "é" * 65_537)
    refused(TokenTooLargeError, entrance, tok(ES256).ljust(65_537, "A"))
    assert type(refused_somehow(entrance, tok(ES256).ljust(65_536, "A"))) is not TokenTooLargeError


def refused_somehow(entrance: Callable[[Any], object], token: str) -> JOSEError | None:
    try:
        entrance(token)
    except JOSEError as error:
        return error
    return None


def test_cve_2025_61920_largest_token_is_read() -> None:
    payload = json.dumps({**CLAIMS, "x": ""})
    room = (65_536 - len(signed("KES", ES256, payload))) * 3 // 4 - 3
    token = signed("KES", ES256, {**CLAIMS, "x": "y" * room})
    assert 65_000 < len(token) <= 65_536
    verifier(key("KES")).verify(token)


@pytest.mark.parametrize("name", ["payload", "protected", "signature"])
def test_cve_2025_61920_oversized_member_of_a_json_jws_is_refused(name: str) -> None:
    protected, payload, signature = signed("KES", ES256).split(".")
    members = {"protected": protected, "payload": payload, "signature": signature, name: "A" * HUGE}
    text = json.dumps(members)
    for given in (members, text, text.encode()):
        with peak_memory() as peak:
            refused(TokenTooLargeError, jws.verify_json, given, key("KES"))
        assert peak.octets < MEGABYTE


@pytest.mark.parametrize("name", ["protected", "encrypted_key", "iv", "ciphertext", "tag", "aad"])
def test_cve_2025_61920_oversized_member_of_a_json_jwe_is_refused(name: str) -> None:
    members = to_recipient("A256KW").flattened(**{name: "A" * HUGE})
    text = json.dumps(members)
    for given in (members, text, text.encode()):
        with peak_memory() as peak:
            refused(TokenTooLargeError, jwe.decrypt_json, given, key("KKW"))
        assert peak.octets < MEGABYTE


@pytest.mark.parametrize("read", [Key.from_jwk, KeySet.from_jwks], ids=["jwk", "jwks"])
def test_oversized_key_is_refused_undecoded(read: Callable[[Any], object]) -> None:
    text = '{"keys":[],"x":"' + "A" * HUGE + '"}'
    for given in (text, text.encode()):
        with peak_memory() as peak:
            refused((KeyImportError, KeySetError), read, given)
        assert peak.octets < 3 * MEGABYTE


def test_oversized_key_file_is_refused() -> None:
    for text in (
        "-----BEGIN PUBLIC KEY-----\n" + "A" * MEGABYTE,
        "-----BEGIN PRIVATE KEY-----\n" + "A" * MEGABYTE,
    ):
        refused(KeyImportError, Key.from_pem, text, "RS256")
        refused(KeyImportError, Key.from_der, text.encode(), "RS256")


def test_header_limit_is_enforced() -> None:
    def header_of(length: int) -> str:
        return '{"alg":"ES256","x":"' + "a" * (length * 3 // 4 - 22) + '"}'

    assert len(b(header_of(8192))) == 8192
    verifier(key("KES")).verify(signed("KES", header_of(8192)))
    refused(TokenTooLargeError, verifier(key("KES")).verify, signed("KES", header_of(8196)))
    refused(TokenTooLargeError, jws.verify, signed("KES", {**ES256, "kid": "k" * 8000}), key("KES"))
    refused(
        NoMatchingKeyError, jws.verify, signed("KES", {**ES256, "kid": "k" * 6000}), key("KES").with_kid("k")
    )
    many = {**ES256, **dict.fromkeys(map(str, range(400)), 1)}
    jws.verify(signed("KES", many), key("KES"))
    jws.verify(signed("KES", ES256), key("KES"), limits=Limits(header=len(b(ES256))))
    refused(
        TokenTooLargeError,
        jws.verify,
        signed("KES", ES256),
        key("KES"),
        limits=Limits(header=len(b(ES256)) - 1),
    )


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize(
    "text", ["." * 60_000, "a." * 30_000, ".a" * 30_000, "eyJ9." * 12_000, "." * 5, "." * 6]
)
def test_cve_2025_30204_a_million_dots_cost_nothing(entrance: Callable[[Any], object], text: str) -> None:
    with peak_memory() as peak:
        refused((MalformedTokenError, InvalidHeaderError), entrance, text)
    assert peak.octets < 500_000, "a list of thousands of parts was made"


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
def test_cve_2025_30204_ten_million_dots_cost_nothing(entrance: Callable[[Any], object]) -> None:
    dots = "." * 10**7
    with peak_memory() as peak:
        refused(TokenTooLargeError, entrance, dots)
    assert peak.octets < MEGABYTE


def counted(ours: Key, operation: str, primitive: Callable[..., Any]) -> tuple[Key, list[int]]:
    """Return a key of the same material whose private or public operation is counted."""
    calls: list[int] = []

    def counting(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return primitive(*arguments, **options)

    copy = ours.with_kid("k")
    object.__setattr__(copy, operation, counting)
    return copy, calls


def test_signature_count_is_limited() -> None:
    ours, calls = counted(key("KES"), "verify", key("KES").verify)
    protected, payload, signature = tok({**ES256, "kid": "k"}, CLAIMS, bytes(64)).split(".")
    entry = {"protected": protected, "signature": signature}
    for count in (17, 100_000):
        token = {"payload": payload, "signatures": [entry] * count}
        refused(TokenTooLargeError, jws.verify_json, token, ours)
        refused(TokenTooLargeError, jws.verify_json, json.dumps(token), ours)
    assert calls == []
    refused(InvalidSignatureError, jws.verify_json, {"payload": payload, "signatures": [entry] * 16}, ours)
    assert len(calls) <= 16


def test_recipient_count_is_limited() -> None:
    ours, calls = counted(key("KOAEP"), "decrypt_key", key("KOAEP").decrypt_key)
    members = encrypted({"enc": "A256GCM"}, bytes(32)).flattened(encrypted_key=None)
    entry = {"header": {"alg": "RSA-OAEP-256"}, "encrypted_key": b(bytes(256))}
    for count in (17, 100_000):
        token = {**members, "recipients": [entry] * count}
        refused(TokenTooLargeError, jwe.decrypt_json, token, ours)
    assert calls == []
    refused(
        (DecryptionError, NoMatchingKeyError), jwe.decrypt_json, {**members, "recipients": [entry] * 16}, ours
    )
    assert len(calls) <= 16
    limits = Limits(recipients=1)
    refused(TokenTooLargeError, jwe.decrypt_json, {**members, "recipients": [entry] * 2}, ours, limits=limits)


# --- what errors carry ---------------------------------------------------------------------------------


def long_things() -> list[tuple[Callable[..., object], Any]]:
    long = "hunter2" * 800  # fits the header's limit
    very_long = "hunter2" * 5000
    check, strict = verifier(key("KES")), verifier(key("KES"), claims=dict[str, int])
    calls: list[tuple[Callable[..., object], Any]] = [
        *((entrance, "hunter2" * 10**6) for entrance in ENTRANCES.values()),
        *((entrance, very_long) for entrance in ENTRANCES.values()),
        *((entrance, f"{very_long}.{very_long}."[:60_000]) for entrance in ENTRANCES.values()),
    ]
    for name in ("alg", "kid", "typ", "cty", "enc", "zip", "hunter2"):
        token = signed("KES", {**ES256, "kid": "k", name: long})
        calls += [(entrance, token) for entrance in ENTRANCES.values()]
        calls.append((lambda token: jws.verify(token, key("KES").with_kid("k")), token))
        calls.append((verifier(key("KES"), typ="at+jwt").verify, token))
    for crit in ([long], ["hunter2"] * 300, [f"hunter2{number}" for number in range(200)]):
        calls.append((check.verify, signed("KES", {**ES256, "crit": crit})))
    for name in ("iss", "aud", "sub", "exp", "hunter2"):
        for value in (very_long, [very_long], {very_long: very_long}):
            calls += [
                (each.verify, signed("KES", ES256, {**CLAIMS, name: value})) for each in (check, strict)
            ]
    for members in (
        {"kty": very_long},
        {"kty": "EC", "crv": very_long},
        {"kty": "EC", "crv": "P-256", "x": very_long, "alg": "ES256"},
        {"kty": "oct", "k": very_long, "alg": very_long},
        {"kty": "RSA", "alg": "RS256", "use": very_long},
        {"kty": "RSA", "alg": "RS256", "key_ops": [very_long]},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": very_long},
        {"kty": "RSA", "alg": "RS256", "n": very_long * 10, "e": "AQAB"},
    ):
        calls.append((Key.from_jwk, members))
        calls.append((lambda members: Key.from_jwk(members, alg="ES384"), members))
    calls += [(Key.from_jwk, very_long), (lambda text: Key.from_pem(text, "RS256"), very_long)]
    calls.append((Key.generate, very_long))
    return calls


def test_cve_2025_65015_errors_never_carry_the_token() -> None:
    refusals = 0
    for call, argument in long_things():
        try:
            call(argument)
        except JOSEError as error:
            refusals += 1
            for shown in (str(error), repr(error), error.message, repr(error.args), error.detail or ""):
                assert len(shown) < 1000
                assert shown.count("hunter2") < 20
    assert refusals > 50


# --- numbers and texts -----------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [5_000, 5_900])
@pytest.mark.parametrize("sign", ["", "-"])
def test_giant_integers_are_refused_quickly(digits: int, sign: str) -> None:
    number = sign + "9" * digits
    refused(InvalidHeaderError, jws.verify, signed("KES", f'{{"alg":"ES256","x":{number}}}'), key("KES"))
    refused(
        InvalidHeaderError,
        jwe.decrypt,
        encrypted(f'{{"alg":"dir","enc":"A256GCM","p2c":{number}}}', bytes(32), enc="A256GCM").compact(),
        key("KDIR"),
    )
    refused(KeyImportError, Key.from_jwk, f'{{"kty":"RSA","n":"AQAB","e":{number},"alg":"RS256"}}')
    refused(KeyImportError, KeySet.from_jwks, f'{{"keys":[{{"kty":{number}}}]}}')


def test_giant_integers_in_claims_are_refused_quickly() -> None:
    for digits in (5_000, 45_000):
        payload = f'{{"exp":{"9" * digits},{json.dumps({**CLAIMS, "y": 1})[1:]}'.replace('"exp": ', '"z": ')
        for claims in (None, dict):
            demands = {} if claims is None else {"claims": claims}
            started = time.perf_counter()
            refused(
                (InvalidClaimError, MalformedTokenError),
                verifier(key("KES"), **demands).verify,
                signed("KES", ES256, payload),
            )
            assert time.perf_counter() - started < 1


HOSTILE_TEXTS: dict[str, Callable[[int], bytes]] = {
    "backslashes": lambda size: b'{"a":"' + b"\\" * size,
    "escaped quotes, unterminated": lambda size: b"[" * 40 + b'"' + b'\\"' * (size // 2),
    "escaped quotes, cut in an escape": lambda size: b"[" * 40 + b'"' + b'\\"' * (size // 2) + b"\\",
    "quotes": lambda size: b"[" * 40 + b'"' * (size + 1),
    "brackets in a string": lambda size: b'{"a":"' + b"[" * size + b'"}',
    "unterminated string": lambda size: b"[" * 40 + b'"' + b"a" * size,
    "empty arrays": lambda size: b"[]," * (size // 3),
    "escapes": lambda size: b'{"a":"' + b"\\u0041" * (size // 6) + b'"}',
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_parsing_is_linear(text: Callable[[int], bytes]) -> None:
    """A quadratic scan of a megabyte takes minutes; a linear one, a fraction of a second."""
    hostile = text(MEGABYTE)
    started = time.perf_counter()
    nests_deeper_than(hostile, 50)
    calls: list[tuple[Callable[[Any], object], str | bytes]] = [
        (Key.from_jwk, hostile[:MEGABYTE]),
        (KeySet.from_jwks, hostile[:MEGABYTE]),
        (lambda token: jws.verify_json(token, key("KES")), text(130_000)),
        (lambda token: jws.verify(token, key("KES")), signed("KES", text(6_000))),
        (verifier(key("KES")).verify, signed("KES", ES256, text(48_000))),
    ]
    for call, argument in calls:
        with pytest.raises(JOSEError):
            call(argument)
    assert time.perf_counter() - started < 10


# --- keys that take long -------------------------------------------------------------------------------


def slow_keys() -> dict[str, dict[str, Any]]:
    n = rsa_private().public_key().public_numbers().n
    octets = n.to_bytes(256, "big")
    giant = (n << 14_400 | n).to_bytes(2056, "big")
    return {
        "giant modulus": {"kty": "RSA", "alg": "RS256", "n": b(giant), "e": "AQAB"},
        "giant exponent": {"kty": "RSA", "alg": "RS256", "n": b(octets), "e": b(octets[:250])},
        "modulus of a megabit": {"kty": "RSA", "alg": "RS256", "n": b(b"\xff" * 125_000), "e": "AQAB"},
    }


@pytest.mark.parametrize("jwk", slow_keys().values(), ids=slow_keys())
def test_slow_public_keys_are_refused(jwk: dict[str, Any]) -> None:
    started = time.perf_counter()
    refused((WeakKeyError, UnsupportedKeyError), Key.from_jwk, jwk)
    refused((WeakKeyError, UnsupportedKeyError), KeySet.from_jwks, {"keys": [jwk]})
    assert time.perf_counter() - started < 1


def test_slow_private_key_is_refused_before_its_primes_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsa, "rsa_recover_prime_factors", lambda *_: pytest.fail("began to search"))
    number = b((2**16_383 + 2**8_000 + 3 * 2**100 + 1).to_bytes(2048, "big"))
    jwk = {"kty": "RSA", "alg": "RS256", "n": number, "e": "AQAB", "d": number}
    refused((WeakKeyError, UnsupportedKeyError), Key.from_jwk, jwk)


def test_private_rsa_key_without_its_primes_is_still_read() -> None:
    numbers = rsa_private().private_numbers()
    public = numbers.public_numbers
    members = {"n": public.n, "e": public.e, "d": numbers.d}
    jwk = {name: b(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in members.items()}
    ours = Key.from_jwk({"kty": "RSA", "alg": "PS256", **jwk})
    assert ours.thumbprint() == from_private(rsa_private(), "PS256").thumbprint()


# --- limits that make no sense -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["token", "header", "depth", "recipients", "iterations"])
@pytest.mark.parametrize(
    "value", [0, -1, None, float("inf"), float("nan"), "1", True, 1.0, [], b"1"], ids=repr
)
def test_limits_must_be_positive_integers(name: str, value: Any) -> None:
    refused(ConfigurationError, Limits, **{name: value})


def test_huge_limits_are_no_error() -> None:
    limits = Limits(token=2**70, header=2**70, depth=2**70, recipients=2**70, iterations=2**70)
    jws.verify(signed("KES", ES256), key("KES"), limits=limits)
    deep = '{"alg":"ES256","x":' + "[" * 20_000 + "]" * 20_000 + "}"
    refused(InvalidHeaderError, jws.verify, signed("KES", deep), key("KES"), limits=limits)
    payload = '{"x":' + "[" * 20_000 + "]" * 20_000 + "," + json.dumps(CLAIMS)[1:]
    for claims in (dict, dict[str, Any]):
        refused(
            MalformedTokenError,
            verifier(key("KES"), claims=claims, limits=limits).verify,
            signed("KES", ES256, payload),
        )
    refused(
        IssuerMismatchError,
        verifier(key("KES"), limits=limits).verify,
        signed("KES", ES256, {**CLAIMS, "iss": "x"}),
    )


def nested_mapping(levels: int) -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(levels):
        deep = {"a": deep}
    return deep


@pytest.mark.parametrize("levels", [300, 1_000, 100_000])
def test_mapping_that_nests_deep_is_refused(levels: int) -> None:
    """A mapping comes from some other parser, whose bounds nobody knows."""
    deep = nested_mapping(levels)
    protected, payload, signature = signed("KES", ES256).split(".")
    token = {"protected": protected, "payload": payload, "signature": signature, "header": {"x": deep}}
    sealed = to_recipient("A256KW").flattened(unprotected={"x": deep})
    calls: list[Callable[[], object]] = [
        lambda: jws.verify_json(token, key("KES")),
        lambda: jwe.decrypt_json(sealed, key("KKW")),
        lambda: jws.sign(b"x", key("KES"), header={"x": deep}),
        lambda: jwe.encrypt(b"x", key("KKW"), header={"x": deep}),
        lambda: Key.from_jwk({**key("KES").to_jwk(), "more": deep}),
    ]
    for call in calls[:4]:
        if levels > 300:
            refused((InvalidHeaderError, MalformedTokenError, ConfigurationError), call)
    calls[4]()
