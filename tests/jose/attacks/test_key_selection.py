"""The keys are the caller's; a token can only point at one of them."""

import gc
import json
import os
import socket
import tracemalloc
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from coatcheck.jose import Key, KeySet, hazmat, jwe, jws, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    InvalidHeaderError,
    InvalidSignatureError,
    KeyImportError,
    KeySetError,
    NoMatchingKeyError,
    UnexpectedTypeError,
    WeakKeyError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    CLAIMS,
    SECRET,
    SIGN,
    b,
    flattened,
    hmac_tok,
    key,
    message,
    oct_jwk,
    private_jwk,
    public_jwk,
    refused,
    refused_everywhere,
    signed,
    tok,
    uint,
    verifier,
)


def _attacker_jwk(**members: Any) -> dict[str, Any]:
    return {**public_jwk(forging.ec_private("P-256", "attacker")), "alg": "ES256", **members}


def _by_attacker(header: dict[str, Any], payload: object = CLAIMS) -> str:
    """Write a token that is validly signed with the attacker's own key."""
    return tok(header, payload, forging.es(message(header, payload), forging.ec_private("P-256", "attacker")))


# --- keys that the token brings along -------------------------------------------------------------


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_cve_2026_27962_embedded_jwk_is_never_trusted(private: bool) -> None:  # noqa: FBT001
    jwk = private_jwk(forging.ec_private("P-256", "attacker")) if private else _attacker_jwk()
    named = KeySet([key("KES").with_kid("ours")])
    for extra in ({"typ": "JWT"}, {"cty": "JWT"}, {"x5t": "x"}):
        header = {"alg": "ES256", "jwk": jwk, **extra}
        refused_everywhere(InvalidSignatureError, _by_attacker(header), key("KES"))
        refused_everywhere(InvalidSignatureError, _by_attacker(header), named)
        refused_everywhere(NoMatchingKeyError, _by_attacker({**header, "kid": "attacker"}), named)
    beside = flattened(_by_attacker({"alg": "ES256"}), {"jwk": jwk})
    refused(InvalidSignatureError, jws.verify_json, beside, key("KES"))


def test_cve_2026_27962_embedded_secret_is_never_trusted() -> None:
    header = {"alg": "HS256", "jwk": oct_jwk(b"k" * 32)}
    refused_everywhere(InvalidSignatureError, hmac_tok(header, b"k" * 32), key("KHS"))
    refused_everywhere(AlgorithmMismatchError, hmac_tok(header, b"k" * 32), key("KES"))


@pytest.mark.parametrize("jwk", [None, 1, "x", [], {}, {"kty": "none"}, {"kty": {"a": []}}], ids=repr)
def test_embedded_jwk_of_any_form_changes_nothing(jwk: object) -> None:
    assert verifier(key("KES")).verify(signed("KES", {"alg": "ES256", "jwk": jwk})).claims.sub == "alice"
    refused_everywhere(InvalidSignatureError, _by_attacker({"alg": "ES256", "jwk": jwk}), key("KES"))


def test_cve_2025_24976_trusted_kid_with_foreign_jwk_is_refused() -> None:
    trusted = key("KES").with_kid("ours")
    for jwk in (_attacker_jwk(kid="ours"), {**_attacker_jwk(), "kid": trusted.thumbprint()}):
        for keys in (trusted, KeySet([trusted]), KeySet([trusted, key("KRS").with_kid("other")])):
            refused_everywhere(
                InvalidSignatureError, _by_attacker({"alg": "ES256", "kid": "ours", "jwk": jwk}), keys
            )


URLS = [
    *("http://127.0.0.1/jwks", "https://169.254.169.254/latest/meta-data", "file:///etc/passwd", "/dev/null"),
    *("data:application/json,{}", "gopher://127.0.0.1:6379/_FLUSHALL", "\\\\attacker\\share", ""),
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("parameter", ["jku", "x5u"])
def test_rfc8725_jku_and_x5u_are_never_fetched(parameter: str, url: str, no_io: list[str]) -> None:
    named = KeySet([key("KES").with_kid("ours")])
    forged = {"alg": "ES256", parameter: url}
    refused_everywhere(InvalidSignatureError, _by_attacker(forged), key("KES"))
    refused_everywhere(InvalidSignatureError, _by_attacker({**forged, "kid": "ours"}), named)
    refused_everywhere(NoMatchingKeyError, _by_attacker({**forged, "kid": "theirs"}), named)
    assert verifier(named).verify(signed("KES", forged)).claims.sub == "alice"
    assert not no_io


def test_the_watch_for_files_and_sockets_is_awake(no_io: list[str]) -> None:
    Path(os.devnull).open("rb").close()
    socket.socket().close()
    assert {event.partition("(")[0].partition(".")[0] for event in no_io} == {"open", "socket"}
    no_io.clear()


def test_x5c_in_the_header_is_never_trusted() -> None:
    certificate = forging.certificate(forging.ec_private("P-256", "attacker"), Encoding.DER)
    ours = forging.certificate(forging.ec_private(), Encoding.DER)
    x5c = [b(certificate).replace("-", "+").replace("_", "/") + "=" * (-len(b(certificate)) % 4)]
    digests = {"x5t": b(_digest(ours, hashes.SHA1())), "x5t#S256": b(_digest(ours, hashes.SHA256()))}  # noqa: S303
    named = KeySet([key("KES").with_kid("ours")])
    for header in (
        {"x5c": x5c},
        digests,
        {"x5c": x5c, **digests},
        {"x5c": "x"},
        {"x5c": [1]},
        {"x5c": [["!"]]},
    ):
        refused_everywhere(InvalidSignatureError, _by_attacker({"alg": "ES256", **header}), key("KES"))
        refused_everywhere(NoMatchingKeyError, _by_attacker({"alg": "ES256", "kid": "x", **header}), named)


def _digest(octets: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(octets)
    return digest.finalize()


# --- kid ------------------------------------------------------------------------------------------

HOSTILE_KIDS = [
    *("../../dev/null", "/dev/null", "/proc/self/environ", "..\\..\\nul", "file:///etc/passwd"),
    *("' OR 1=1 --", "x' UNION SELECT 'k'--", "*)(uid=*", "; id", "$(id)", "`id`", "| id", "{{7*7}}"),
    *(
        "${jndi:ldap://x}",
        "%s%n%d",
        "a\r\nSet-Cookie: x=y",
        "a\0b",
        "\u202eabc",
        "\x1b[2J",
        "",
        " ",
        "a" * 4_000,
    ),
    *("__class__", "0", "null", "<script>alert(1)</script>"),
]


@pytest.mark.parametrize("kid", HOSTILE_KIDS, ids=lambda kid: ascii(kid[:20]))
def test_rfc8725bis_hostile_kid_is_only_compared(kid: str, no_io: list[str]) -> None:
    secret, public = KeySet([key("KHS").with_kid("ours")]), KeySet([key("KES").with_kid("ours")])
    for forged in (b"", b"k", b"7" * 2, b"49"):
        token = hmac_tok({"alg": "HS256", "kid": kid}, forged)
        for keys in (secret, public):
            for error in refused_everywhere(NoMatchingKeyError, token, keys):
                assert isinstance(error, NoMatchingKeyError)
                assert error.kid == kid
                for text in (str(error), repr(error)):
                    assert text.isprintable()
                    assert len(text) < 500
    assert not no_io
    same = KeySet([key("KHS").with_kid(kid)])
    assert verifier(same).verify(signed("KHS", {"alg": "HS256", "kid": kid})).key.kid == kid


@pytest.mark.parametrize("kid", [None, 1, 1.0, True, ["1"], {"$ne": None}, [], 0], ids=repr)
def test_kid_that_is_not_a_string_is_refused(kid: object) -> None:
    named = key("KES").with_kid("1")
    for keys in (key("KES"), named, KeySet([named]), KeySet([named, key("KRS").with_kid("None")])):
        refused_everywhere(InvalidHeaderError, signed("KES", {"alg": "ES256", "kid": kid}), keys)
    refused(
        InvalidHeaderError, jws.verify_json, flattened(signed("KES", {"alg": "ES256"}), {"kid": kid}), named
    )
    jwe_token = forging.sealed({"alg": "dir", "enc": "A256GCM", "kid": kid}, SECRET[:32])
    refused(InvalidHeaderError, jwe.decrypt, jwe_token, key("KDIR").with_kid("1"))


@pytest.mark.parametrize("kid", [1, True, ["1"], b"1", 1.0], ids=repr)
def test_key_with_a_kid_that_is_not_a_string_is_not_made(kid: Any) -> None:
    refused(ConfigurationError, key("KES").with_kid, kid)
    refused(ConfigurationError, Key.generate, "ES256", kid=kid)
    refused(ConfigurationError, Key.from_secret, SECRET, "HS256", kid=kid)
    refused(KeyImportError, Key.from_jwk, oct_jwk(kid=kid))


@pytest.mark.parametrize(
    "kid",
    [
        *(
            "key-1",
            "KEY-1",
            "Key-1 ",
            " Key-1",
            "Key-1\0",
            "Key-1\n",
            "Key-",
            "Key-10",
            "ey-1",
            "",
            "Key\u20101",
        ),
        *("Key-\uff11", "Key-1\u200b", "\ufeffKey-1", "K\u0435y-1", "\u212aey-1", "Key%2D1", "Key+1"),
    ],
    ids=ascii,
)
def test_kid_is_compared_exactly(kid: str) -> None:
    keys = KeySet([key("KES").with_kid("Key-1"), key("KRS").with_kid("2")])
    refused_everywhere(NoMatchingKeyError, signed("KES", {"alg": "ES256", "kid": kid}), keys)
    assert keys.get(kid) is None


def test_kid_is_not_normalised() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    for ours, theirs in ((composed, decomposed), (decomposed, composed)):
        token = signed("KES", {"alg": "ES256", "kid": theirs})
        refused_everywhere(NoMatchingKeyError, token, key("KES").with_kid(ours))
        verifier(key("KES").with_kid(theirs)).verify(token)


def test_escaped_spelling_of_a_kid_is_the_same_kid() -> None:
    token = signed("KES", r'{"alg":"ES256","kid":"\u004bey-1"}')
    assert verifier(key("KES").with_kid("Key-1")).verify(token).key.kid == "Key-1"


# --- sets ----------------------------------------------------------------------------------------


def test_duplicate_kids_are_refused() -> None:
    es, rs = key("KES"), key("KRS")
    refused(KeySetError, KeySet, [es.with_kid("1"), rs.with_kid("1")])
    refused(KeySetError, KeySet, [es.with_kid("1"), es.with_kid("1")])
    refused(KeySetError, KeySet, [es.with_kid(""), rs.with_kid("")])
    refused(KeySetError, KeySet, [es.with_kid(es.thumbprint()), es.public().with_kid(es.thumbprint())])
    entries = [{**public_jwk(forging.ec_private()), "alg": "ES256", "kid": "1"}]
    entries.append({**public_jwk(forging.rsa_private()), "alg": "RS256", "kid": "1"})
    for jwks in ({"keys": entries}, json.dumps({"keys": entries}), {"keys": [entries[0], entries[0]]}):
        refused(KeySetError, KeySet.from_jwks, jwks)
    assert len(KeySet([es.with_kid("1"), rs.with_kid("1 ")])) == 2


def test_symmetric_and_public_keys_do_not_mix_in_a_set() -> None:
    for public in (key("KES"), key("KRS").public(), key("KOAEP")):
        for secret in (key("KHS"), key("KDIR"), key("KPB")):
            refused(KeySetError, KeySet, [secret, public])
            refused(KeySetError, KeySet, [public.with_kid("1"), secret.with_kid("2")])
    entries = [oct_jwk(kid="1"), {**public_jwk(forging.ec_private()), "alg": "ES256", "kid": "2"}]
    refused(KeySetError, KeySet.from_jwks, {"keys": entries})
    refused(KeySetError, KeySet.from_jwks, {"keys": entries[::-1]}, algorithms={"HS256", "ES256"})


def test_absent_kid_never_means_a_key_of_another_algorithm() -> None:
    other = forging.from_private(forging.ec_private("P-256", "other"), "ES256")
    keys = KeySet([other.with_kid("1"), key("KES").with_kid("2"), key("KRS").with_kid("3")])
    assert verifier(keys).verify(signed("KES", {"alg": "ES256"})).key.kid == "2"
    refused_everywhere(InvalidSignatureError, _by_attacker({"alg": "ES256"}), keys)
    refused_everywhere(InvalidSignatureError, signed("KES", {"alg": "ES256", "kid": "1"}), keys)
    refused_everywhere(AlgorithmMismatchError, signed("KRS", {"alg": "RS256", "kid": "2"}), keys)
    for alg in ("HS256", "PS256", "Ed25519", "none"):
        refused_everywhere(AlgorithmMismatchError, _by_attacker({"alg": alg}), keys)


def test_cve_2026_48524_unknown_kid_flood_changes_nothing(no_io: list[str]) -> None:
    keys = KeySet([key("KES").with_kid("1"), key("KRS").with_kid("2")])
    receiver = verifier(keys)
    good = signed("KES", {"alg": "ES256", "kid": "1"})
    before, held = list(keys), _held_after(receiver, 200)
    assert _held_after(receiver, 2_000) < held + 50_000
    assert list(keys) == before
    assert receiver.verify(good).key.kid == "1"
    assert not no_io


def _held_after(receiver: jwt.Verifier[Any], count: int) -> int:
    """Return the memory that the package still uses after refusing so many tokens with identifiers of their own."""
    tail = f".{b(CLAIMS)}.{b(bytes(64))}"
    tracemalloc.start()
    try:
        for _ in range(count):
            token = b({"alg": "ES256", "kid": os.urandom(16).hex()}) + tail
            refused(NoMatchingKeyError, receiver.verify, token)
        gc.collect()
        own = [
            tracemalloc.Filter(inclusive=True, filename_pattern=f"*coatcheck/{part}/*")
            for part in ("jose", "_core")
        ]
        return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(own).traces)
    finally:
        tracemalloc.stop()


def test_ghsa_869p_keys_are_values_never_callbacks_on_unverified_input() -> None:
    token = hmac_tok({"alg": "HS256", "kid": "1"}, SECRET)
    looked_up: list[object] = []

    def look_up(*arguments: object) -> Key:
        looked_up.append(arguments)
        return key("KHS")

    sources: tuple[Any, ...] = (look_up, {"1": key("KHS")}, [key("KHS")], (key("KHS"),), {key("KHS")}, Key)
    for source in (*sources, hazmat.read_unverified(token), oct_jwk(), json.dumps({"keys": [oct_jwk()]})):
        refused(ConfigurationError, jws.verify, token, source)
        refused(ConfigurationError, jws.verify_json, flattened(token), source)
        refused(ConfigurationError, jwt.Verifier, source, issuer=None, audience=None)
    assert not looked_up


# --- JWK Sets ------------------------------------------------------------------------------------------


def _good() -> dict[str, Any]:
    return {**public_jwk(forging.ec_private()), "alg": "ES256", "kid": "good"}


def test_jwks_of_the_wrong_shape_is_refused() -> None:
    shapes: tuple[Any, ...] = (
        {},
        {"keys": None},
        {"keys": {}},
        {"keys": "x"},
        {"keys": 1},
        {"Keys": []},
        _good(),
    )
    for shape in (*shapes, {"keys": {"0": _good()}}):
        refused(KeySetError, KeySet.from_jwks, shape)
        refused(KeySetError, KeySet.from_jwks, json.dumps(shape))
    for text in ("", "[]", "null", "x", b"\xff", f"[{json.dumps(_good())}]", '{"keys":[],"keys":[]}'):
        refused(KeyImportError, KeySet.from_jwks, text)
    nothing: tuple[Any, ...] = (None, 1, [], [_good()])
    for value in nothing:
        refused(ConfigurationError, KeySet.from_jwks, value)


UNKNOWN: dict[str, dict[str, Any]] = {
    "kty": {"kty": "XYZ"},
    "crv": {"crv": "P-999"},
    "alg": {"alg": "ES999"},
    "deprecated alg": {"alg": "RSA1_5"},
    "none": {"alg": "none"},
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_entries_of_a_jwks_are_ignored_and_named(case: str) -> None:
    unknown = {**_good(), "kid": "strange", **UNKNOWN[case]}
    for entries in ([unknown, _good()], [_good(), unknown], [unknown] * 50 + [_good()]):
        keys = KeySet.from_jwks(json.dumps({"keys": entries}))
        assert [taken.kid for taken in keys] == ["good"]
        assert len(keys.ignored) == len(entries) - 1
        assert keys.get("strange") is None
        refused_everywhere(NoMatchingKeyError, signed("KES", {"alg": "ES256", "kid": "strange"}), keys)


@pytest.mark.parametrize("hostile", ["x" * 100_000, "\x1b[2J\r\n", "\u202e"], ids=["long", "control", "bidi"])
@pytest.mark.parametrize("member", ["kty", "crv", "alg"])
def test_what_is_said_of_ignored_entries_is_short_and_printable(member: str, hostile: str) -> None:
    keys = KeySet.from_jwks({"keys": [{**_good(), member: hostile}]})
    assert len(keys.ignored) == 1
    assert keys.ignored[0].isprintable()
    assert len(keys.ignored[0]) < 1_000


def _broken() -> dict[str, tuple[type[KeyImportError | KeySetError], Any]]:
    rsa_jwk = {**public_jwk(forging.rsa_private()), "alg": "RS256"}
    return {
        "null": (KeySetError, None),
        "number": (KeySetError, 1),
        "list": (KeySetError, [_good()]),
        "text": (KeySetError, json.dumps(_good())),
        "empty": (KeyImportError, {}),
        "no alg": (KeyImportError, public_jwk(forging.ec_private())),
        "off the curve": (KeyImportError, {**_good(), "y": _good()["x"]}),
        "weak": (WeakKeyError, {**rsa_jwk, "n": b(uint(forging.rsa_private().private_numbers().p))}),
        "exponent one": (WeakKeyError, {**rsa_jwk, "e": "AQ"}),
        "ROCA": (WeakKeyError, {**rsa_jwk, "n": b(uint(forging.roca_modulus()))}),
        "small order": (
            WeakKeyError,
            {"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "x": b(b"\1" + bytes(31))},
        ),
        "kid of another type": (KeyImportError, {**_good(), "kid": 1}),
    }


BROKEN = [
    *("null", "number", "list", "text", "empty", "no alg", "off the curve", "weak", "exponent one", "ROCA"),
    *("small order", "kid of another type"),
]


@pytest.mark.parametrize("case", BROKEN)
def test_broken_entries_of_a_jwks_are_errors(case: str) -> None:
    kind, entry = _broken()[case]
    for entries in ([entry], [entry, _good()], [_good(), entry]):
        refused(kind, KeySet.from_jwks, {"keys": entries})
        refused(kind, KeySet.from_jwks, json.dumps({"keys": entries}))


def test_duplicate_member_in_a_jwks_is_refused() -> None:
    entry = json.dumps(_good())
    refused(KeyImportError, KeySet.from_jwks, f'{{"keys":[{entry[:-1]},"x":"AA"}}]}}')


def test_jwks_has_a_limited_size() -> None:
    many = [{**_good(), "kid": str(number)} for number in range(101)]
    assert len(KeySet.from_jwks({"keys": many[:100]})) == 100
    refused(KeySetError, KeySet.from_jwks, {"keys": many})
    refused(KeySetError, KeySet.from_jwks, {"keys": many * 100})
    refused(KeySetError, KeySet.from_jwks, {"keys": [{"kty": "XYZ"}] * 10_001})
    refused(KeyImportError, KeySet.from_jwks, json.dumps({"keys": [], "x": "y" * 5_000_000}))
    refused(KeySetError, KeySet, [key("KES").with_kid(str(number)) for number in range(101)])


# --- one verifier knows nothing of another ----------------------------------------------------------


def test_rfc8725_keys_belong_to_one_issuer() -> None:
    ours = KeySet([key("KES").with_kid("a")])
    verifier(ours).verify(signed("KES", {"alg": "ES256", "kid": "a"}))
    refused_everywhere(NoMatchingKeyError, _by_attacker({"alg": "ES256", "kid": "b"}), ours)
    refused_everywhere(InvalidSignatureError, _by_attacker({"alg": "ES256", "kid": "a"}), ours)


def test_cve_2026_35039_header_cache_never_decides_for_another_verifier() -> None:
    header = {"alg": "ES256", "typ": "at+jwt"}
    token = signed("KES", header)
    first = verifier(key("KES"), typ="at+jwt")
    other_key = verifier(forging.from_private(forging.ec_private("P-256", "attacker"), "ES256"), typ="at+jwt")
    for _ in range(3):
        assert first.verify(token).header.typ == "at+jwt"
        refused(InvalidSignatureError, other_key.verify, token)
        refused(UnexpectedTypeError, verifier(key("KES")).verify, token)
        refused(
            NoMatchingKeyError,
            verifier(key("KES").with_kid("1"), typ="at+jwt").verify,
            signed("KES", {**header, "kid": "2"}),
        )
        refused(AlgorithmMismatchError, verifier(key("KED"), typ="at+jwt").verify, token)
    assert other_key.verify(_by_attacker(header)).key.kid is None
    refused(InvalidSignatureError, first.verify, _by_attacker(header))


@pytest.mark.parametrize("name", SIGN)
def test_cve_2026_35039_known_header_lends_no_signature(name: str) -> None:
    receiver, header = verifier(key(name)), {"alg": forging.ALG[name]}
    good = signed(name, header)
    forged = {**CLAIMS, "sub": "admin"}
    for _ in range(2):
        refused(
            InvalidSignatureError,
            receiver.verify,
            tok(header, forged, forging.urlsafe_decoded(good.split(".")[2])),
        )
        refused(InvalidSignatureError, receiver.verify, tok(header, forged, b""))
        refused(InvalidSignatureError, receiver.verify, tok(header, forged, bytes(64)))
        assert receiver.verify(good).claims.sub == "alice"


def test_cve_2026_35039_refused_tokens_never_enter_the_cache_and_good_ones_do_not_fill_it() -> None:
    receiver = verifier(key("KHS"))
    for number in range(400):
        header = {"alg": "HS256", "n": number}
        refused(InvalidSignatureError, receiver.verify, hmac_tok(header, b"wrong"))
    assert not receiver._known
    for number in range(400):
        receiver.verify(signed("KHS", {"alg": "HS256", "n": number}))
    assert 0 < len(receiver._known) <= 128


def test_header_that_several_keys_may_mean_is_not_tied_to_one_of_them() -> None:
    attackers = forging.from_private(forging.ec_private("P-256", "attacker"), "ES256")
    both = verifier(KeySet([key("KES").with_kid("1"), attackers.with_kid("2")]))
    for _ in range(2):
        assert both.verify(signed("KES", {"alg": "ES256"})).key.kid == "1"
        assert both.verify(_by_attacker({"alg": "ES256"})).key.kid == "2"
