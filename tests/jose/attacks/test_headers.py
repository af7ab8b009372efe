"""The header is one strict JSON object, and what is critical in it is understood or refused."""

import json
import time
from typing import Any

import pytest

from coatcheck.jose import Key, Limits, jwe, jws, jwt
from coatcheck.jose.errors import (
    ConfigurationError,
    CriticalHeaderError,
    InvalidHeaderError,
    InvalidSignatureError,
    MalformedTokenError,
    TokenTooLargeError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    CLAIMS,
    SECRET,
    b,
    flattened,
    flattened_jwe,
    general,
    key,
    message,
    refused,
    refused_everywhere,
    sealed,
    signed,
    tok,
    verifier,
)


def _direct(header: dict[str, Any], plaintext: bytes = b"secret") -> str:
    """Write a JWE that is validly encrypted to the shared secret."""
    return sealed({"alg": "dir", "enc": "A256GCM", **header}, SECRET[:32], plaintext=plaintext)


def _json_jws(protected: dict[str, Any] | None, unprotected: Any, payload: object = CLAIMS) -> dict[str, Any]:
    """Write a flattened JWS that is validly signed with the secret."""
    segment = "" if protected is None else b(protected)
    signature = forging.hs(f"{segment}.{b(payload)}".encode())
    token = {"payload": b(payload), "protected": segment, "header": unprotected, "signature": b(signature)}
    return {name: member for name, member in token.items() if member is not None}


# --- crit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["bork"], "bork": "x"},
        {"crit": ["cnf"], "cnf": {"jkt": "x"}},
        {"crit": ["exp"], "exp": forging.NOW + 1},
        {"crit": ["b64", "bork"], "b64": True, "bork": 1},
        {"crit": ["bork", "b64"], "b64": True, "bork": 1},
        {"crit": ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": True},
    ],
    ids=lambda extension: "+".join(extension["crit"]),
)
def test_cve_2026_32597_unknown_crit_is_refused(extension: dict[str, Any]) -> None:
    for name in ("KHS", "KES"):
        token = signed(name, {"alg": forging.ALG[name], **extension})
        refused_everywhere(CriticalHeaderError, token, key(name))
    refused(CriticalHeaderError, jwe.decrypt, _direct(extension), key("KDIR"))
    refused(CriticalHeaderError, jwe.decrypt_json, flattened_jwe(_direct(extension)), key("KDIR"))
    nested = verifier(key("KES"), decrypt_with=key("KDIR"))
    inner = signed("KES", {"alg": "ES256", **extension}).encode()
    refused(CriticalHeaderError, nested.verify, _direct({"cty": "JWT"}, inner))
    good = signed("KES", {"alg": "ES256"}).encode()
    refused(CriticalHeaderError, nested.verify, _direct({"cty": "JWT", **extension}, good))
    assert nested.verify(_direct({"cty": "JWT"}, good)).claims.sub == "alice"


MALFORMED_CRIT = [
    *(
        [],
        None,
        "b64",
        "x",
        {},
        {"x": 1},
        1,
        True,
        [1],
        [None],
        [""],
        [["x"]],
        ["x", "x"],
        ["b64", "b64"],
        ["absent"],
    ),
    *(["alg"], ["kid"], ["typ"], ["enc"], ["crit"], ["jwk"], ["p2c"], ["x", 1], ["x", None]),
]


@pytest.mark.parametrize("crit", MALFORMED_CRIT, ids=repr)
def test_malformed_crit_is_refused(crit: object) -> None:
    header = {"crit": crit, "x": 1, "b64": True, "typ": "JWT", "kid": "1"}
    for understood in ((), ("x", "absent", "", "alg", "kid", "typ", "enc", "crit", "jwk", "p2c")):
        token = signed("KHS", {"alg": "HS256", **header})
        refused(CriticalHeaderError, jws.verify, token, key("KHS"), understood=understood)
        refused(CriticalHeaderError, jws.verify_json, flattened(token), key("KHS"), understood=understood)
        refused(CriticalHeaderError, jwe.decrypt, _direct(header), key("KDIR"), understood=understood)
    refused(CriticalHeaderError, verifier(key("KHS")).verify, token)


def test_crit_with_very_many_names_is_refused_quickly() -> None:
    names = [str(number) for number in range(1_000)]
    header = {"alg": "HS256", "crit": names, **dict.fromkeys(names, 1)}
    began = time.perf_counter()
    refused(TokenTooLargeError, jws.verify, signed("KHS", header), key("KHS"))
    wide = Limits(header=65_536)
    refused(CriticalHeaderError, jws.verify, signed("KHS", header), key("KHS"), limits=wide)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("understood", [(), ("x",)], ids=["unknown", "understood"])
def test_crit_outside_the_protected_header_is_refused(understood: tuple[str, ...]) -> None:
    for protected, unprotected in (
        ({"alg": "HS256"}, {"crit": ["x"], "x": 1}),
        ({"alg": "HS256", "x": 1}, {"crit": ["x"]}),
        ({"alg": "HS256", "crit": ["x"]}, {"x": 1}),
        ({"alg": "HS256", "crit": ["x"], "x": 1}, {"crit": ["x"]}),
        (None, {"alg": "HS256", "crit": ["x"], "x": 1}),
    ):
        token = _json_jws(protected, unprotected)
        either = (CriticalHeaderError, InvalidHeaderError)
        refused(either, jws.verify_json, token, key("KHS"), understood=understood)


@pytest.mark.parametrize("place", ["unprotected", "header"])
@pytest.mark.parametrize("understood", [(), ("x",)], ids=["unknown", "understood"])
def test_crit_outside_the_protected_header_of_a_jwe_is_refused(
    place: str, understood: tuple[str, ...]
) -> None:
    for protected, beside in (
        ({}, {"crit": ["x"], "x": 1}),
        ({"x": 1}, {"crit": ["x"]}),
        ({"crit": ["x"]}, {"x": 1}),
        ({"crit": ["x"], "x": 1}, {"crit": ["x"]}),
    ):
        token = flattened_jwe(_direct(protected), **{place: beside})
        either = (CriticalHeaderError, InvalidHeaderError)
        refused(either, jwe.decrypt_json, token, key("KDIR"), understood=understood)


def test_understood_covers_exactly_its_names() -> None:
    header = {"alg": "HS256", "crit": ["x"], "x": 1}
    assert jws.verify(signed("KHS", header), key("KHS"), understood={"x"}).header["x"] == 1
    assert jwe.decrypt(_direct({"crit": ["x"], "x": 1}), key("KDIR"), understood={"x"}).plaintext == b"secret"
    for crit in (["x", "y"], ["X"], ["x "], ["y"], ["x\0"], ["ｘ"]):  # noqa: RUF001
        members = {"crit": crit, "x": 1, "y": 1, **dict.fromkeys(crit, 1)}
        token = signed("KHS", {"alg": "HS256", **members})
        refused(CriticalHeaderError, jws.verify, token, key("KHS"), understood={"x"})
        refused(CriticalHeaderError, jws.verify_json, flattened(token), key("KHS"), understood={"x"})
        refused(CriticalHeaderError, jwe.decrypt, _direct(members), key("KDIR"), understood={"x"})


def test_understanding_b64_does_not_loosen_it() -> None:
    for b64 in ("false", 0, None, ["x"]):
        token = signed("KHS", {"alg": "HS256", "crit": ["b64"], "b64": b64})
        refused(InvalidHeaderError, jws.verify, token, key("KHS"), understood={"b64"})


# --- b64 and detached payloads -------------------------------------------------------------------


def _unencoded(header: dict[str, Any], payload: bytes) -> tuple[str, str]:
    """Return the protected header and the signature of an unencoded payload (RFC 7797)."""
    protected = b({"alg": "HS256", **header})
    return protected, b(forging.hs(protected.encode() + b"." + payload))


CRITICAL = {"b64": False, "crit": ["b64"]}


def test_rfc7797_b64_false_needs_crit_and_never_carries_a_jwt() -> None:
    payload = json.dumps(CLAIMS, separators=(",", ":")).encode()
    assert b"." not in payload.replace(b"https://i", b"")
    without, _ = _unencoded({"b64": False}, payload)
    signature = _unencoded({"b64": False}, payload)[1]
    for body in (payload.decode(), b(payload)):
        refused(InvalidHeaderError, jws.verify, f"{without}.{body}.{signature}", key("KHS"))
    detached = f"{without}..{signature}"
    refused(InvalidHeaderError, jws.verify, detached, key("KHS"), payload=payload)
    protected, signature = _unencoded(CRITICAL, payload)
    assert jws.verify(f"{protected}..{signature}", key("KHS"), payload=payload).payload == payload
    receiver = verifier(key("KHS"))
    refused(
        (InvalidHeaderError, MalformedTokenError),
        receiver.verify,
        f"{protected}.{payload.decode()}.{signature}",
    )
    encoded = signed("KHS", {"alg": "HS256", **CRITICAL})
    refused(InvalidHeaderError, receiver.verify, encoded)
    unencodable = _unencoded(CRITICAL, b(CLAIMS).encode())
    refused(InvalidHeaderError, receiver.verify, f"{unencodable[0]}.{b(CLAIMS)}.{unencodable[1]}")
    assert (
        receiver.verify(signed("KHS", {"alg": "HS256", "b64": True, "crit": ["b64"]})).claims.sub == "alice"
    )
    refused_everywhere(InvalidHeaderError, signed("KHS", {"alg": "HS256", "b64": True}), key("KHS"))


@pytest.mark.parametrize("b64", ["false", "true", 0, 1, None, [], {}, [False], 0.0], ids=repr)
def test_b64_that_is_no_protected_boolean_is_refused(b64: object) -> None:
    for crit in ({"crit": ["b64"]}, {"cty": "x"}):
        refused_everywhere(
            InvalidHeaderError, signed("KHS", {"alg": "HS256", "b64": b64, **crit}), key("KHS")
        )


@pytest.mark.parametrize("b64", [True, False])
def test_b64_in_the_unprotected_header_is_refused(b64: bool) -> None:  # noqa: FBT001
    either = (InvalidHeaderError, CriticalHeaderError)
    for protected in ({"alg": "HS256"}, {"alg": "HS256", "crit": ["b64"]}):
        refused(either, jws.verify_json, _json_jws(protected, {"b64": b64}), key("KHS"))
        refused(either, jws.verify_json, _json_jws(protected, {"b64": b64, "crit": ["b64"]}), key("KHS"))


@pytest.mark.parametrize("text", ["Zm9v", "", "AAAA"])
def test_mixed_b64_in_one_json_jws_is_refused(text: str) -> None:
    encoded, unencoded = b({"alg": "HS256"}), b({"alg": "HS256", **CRITICAL})
    signatures = [
        {"protected": protected, "signature": b(forging.hs(f"{protected}.{text}".encode()))}
        for protected in (encoded, unencoded)
    ]
    for order in (signatures, signatures[::-1], signatures * 2):
        refused(InvalidHeaderError, jws.verify_json, {"payload": text, "signatures": order}, key("KHS"))
    for one in signatures:
        assert jws.verify_json({"payload": text, "signatures": [one]}, key("KHS")).signatures


@pytest.mark.parametrize(
    "segment", ["A" * 60_000, "!" * 60_000, "A", "eyJ9", "\n"], ids=lambda text: text[:2] + str(len(text))
)
@pytest.mark.parametrize("b64", [True, False])
def test_cve_2026_48525_detached_token_with_a_payload_segment_is_refused(segment: str, b64: bool) -> None:  # noqa: FBT001
    protected = b({"alg": "HS256", **({} if b64 else CRITICAL)})
    body = b(b"x") if b64 else "x"
    signature = b(forging.hs(f"{protected}.{body}".encode()))
    assert jws.verify(f"{protected}..{signature}", key("KHS"), payload=b"x").payload == b"x"
    refused(MalformedTokenError, jws.verify, f"{protected}.{segment}.{signature}", key("KHS"), payload=b"x")
    huge = f"{protected}.{segment * (100_000_000 // len(segment))}.{signature}"
    began = time.perf_counter()
    refused(TokenTooLargeError, jws.verify, huge, key("KHS"), payload=b"x")
    assert time.perf_counter() - began < 0.5


def test_cve_2026_48990_unencoded_payload_is_counted() -> None:
    payload = b"x" * 1_000_000
    protected, signature = _unencoded(CRITICAL, payload)
    refused(TokenTooLargeError, jws.verify, f"{protected}.{payload.decode()}.{signature}", key("KHS"))
    token = {"payload": payload.decode(), "protected": protected, "signature": signature}
    refused(TokenTooLargeError, jws.verify_json, token, key("KHS"))
    refused(TokenTooLargeError, jws.verify_json, json.dumps(token), key("KHS"))
    generous = Limits(token=2_000_000)
    assert jws.verify_json(token, key("KHS"), limits=generous).payload == payload


def test_unencoded_payload_with_a_period_is_no_compact_token() -> None:
    for payload in (b"a.b", b".", b"a.b.c", b".."):
        protected, signature = _unencoded(CRITICAL, payload)
        refused(MalformedTokenError, jws.verify, f"{protected}.{payload.decode()}.{signature}", key("KHS"))
        refused(ConfigurationError, jws.sign, payload, key("KHS"), b64=False)
        assert jws.verify(f"{protected}..{signature}", key("KHS"), payload=payload).payload == payload


def test_detached_and_attached_payloads_are_not_confused() -> None:
    header = {"alg": "HS256"}
    attached = tok(header, b"mine", forging.hs(message(header, b"mine")))
    protected, _, signature = attached.split(".")
    detached = f"{protected}..{signature}"
    assert jws.verify(detached, key("KHS"), payload=b"mine").payload == b"mine"
    for payload in (b"other", b"mine", b""):
        refused(MalformedTokenError, jws.verify, attached, key("KHS"), payload=payload)
        refused(MalformedTokenError, jws.verify_json, flattened(attached), key("KHS"), payload=payload)
        refused(MalformedTokenError, jws.verify_json, general(attached), key("KHS"), payload=payload)
    for wrong in (b"other", b"", b(b"mine").encode()):
        refused(InvalidSignatureError, jws.verify, detached, key("KHS"), payload=wrong)
    refused(InvalidSignatureError, jws.verify, detached, key("KHS"))
    refused(InvalidSignatureError, verifier(key("KHS")).verify, detached)
    without = {"protected": protected, "signature": signature}
    refused(MalformedTokenError, jws.verify_json, without, key("KHS"))
    refused(MalformedTokenError, jws.verify_json, {"signatures": [without]}, key("KHS"))
    assert jws.verify_json(without, key("KHS"), payload=b"mine").payload == b"mine"
    no_octets: tuple[Any, ...] = ("", "mine", 0, False, [], bytearray(b"mine"))
    for payload in no_octets:
        refused(ConfigurationError, jws.verify, detached, key("KHS"), payload=payload)
        refused(ConfigurationError, jws.verify_json, without, key("KHS"), payload=payload)


# --- one object, read one way -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value", [("kid", "1"), ("typ", "JWT"), ("alg", "HS256"), ("x", 1), ("crit", ["x"])]
)
def test_header_names_must_be_disjoint(name: str, value: object) -> None:
    protected = {"alg": "HS256", name: value, "x": 1}
    for beside in (value, None, "other"):
        refused(
            InvalidHeaderError,
            jws.verify_json,
            _json_jws(protected, {name: beside}),
            key("KHS"),
            understood={"x"},
        )


@pytest.mark.parametrize(
    "name, value", [("kid", "1"), ("typ", "JWT"), ("alg", "dir"), ("enc", "A256GCM"), ("x", 1)]
)
def test_header_names_of_a_jwe_must_be_disjoint(name: str, value: object) -> None:
    token = _direct({name: value})
    for members in ({"unprotected": {name: value}}, {"header": {name: value}}):
        refused(InvalidHeaderError, jwe.decrypt_json, flattened_jwe(token, **members), key("KDIR"))
    both = flattened_jwe(_direct({}), unprotected={"x": 1, "y": 2}, header={"x": 1})
    refused(InvalidHeaderError, jwe.decrypt_json, both, key("KDIR"))
    entries = flattened_jwe(token) | {"recipients": [{"header": {name: value}}]}
    refused(InvalidHeaderError, jwe.decrypt_json, entries, key("KDIR"))


NO_TEXT: tuple[Any, ...] = (None, 1, True, [], {}, ["eyJ9"], b"eyJhbGciOiJIUzI1NiJ9")
NO_OBJECT: tuple[Any, ...] = (None, [], "x", 1, True, "", [["alg", "HS256"]])


def test_cve_2024_21664_absent_null_or_empty_protected_header_is_refused() -> None:
    either = (InvalidHeaderError, MalformedTokenError)
    good = flattened(signed("KHS", {"alg": "HS256"}))
    unsigned = {**good, "protected": "", "signature": b(forging.hs(f".{b(CLAIMS)}".encode()))}
    refused(InvalidHeaderError, jws.verify_json, unsigned, key("KHS"))
    del unsigned["protected"]
    refused(InvalidHeaderError, jws.verify_json, unsigned, key("KHS"))
    for value in NO_TEXT:
        refused(MalformedTokenError, jws.verify_json, {**good, "protected": value}, key("KHS"))
        refused(MalformedTokenError, jws.verify_json, {**good, "payload": value}, key("KHS"))
        refused(MalformedTokenError, jws.verify_json, {**good, "signature": value}, key("KHS"))
        refused(
            MalformedTokenError,
            jws.verify_json,
            {"payload": b(CLAIMS), "signatures": [{**good, "protected": value}]},
            key("KHS"),
        )
    for value in NO_OBJECT:
        refused(MalformedTokenError, jws.verify_json, {**good, "header": value}, key("KHS"))
    for token in (f".{b(CLAIMS)}.{good['signature']}", f".{b(CLAIMS)}.", f"{b('')}.{b('')}.", ".."):
        refused(either, jws.verify, token, key("KHS"))
        refused(either, verifier(key("KHS")).verify, token)


def test_cve_2024_21664_absent_null_or_empty_header_of_a_jwe_is_refused() -> None:
    either = (InvalidHeaderError, MalformedTokenError)
    good = flattened_jwe(_direct({}))
    for value in NO_OBJECT:
        refused(MalformedTokenError, jwe.decrypt_json, {**good, "unprotected": value}, key("KDIR"))
        refused(MalformedTokenError, jwe.decrypt_json, {**good, "header": value}, key("KDIR"))
        refused(
            MalformedTokenError, jwe.decrypt_json, {**good, "recipients": [{"header": value}]}, key("KDIR")
        )
    for value in NO_TEXT:
        for name in ("protected", "iv", "ciphertext", "tag", "aad", "encrypted_key"):
            refused(MalformedTokenError, jwe.decrypt_json, {**good, name: value}, key("KDIR"))
    refused(InvalidHeaderError, jwe.decrypt_json, {**good, "protected": ""}, key("KDIR"))
    refused(either, jwe.decrypt, "." + _direct({}).partition(".")[2], key("KDIR"))
    refused(either, jwe.decrypt, "....", key("KDIR"))


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ALG","alg":"none"}',
        '{"alg":"none","alg":"ALG"}',
        '{"alg":"ALG","alg":"ALG"}',
        r'{"alg":"ALG","\u0061lg":"none"}',
        r'{"\u0061lg":"none","alg":"ALG"}',
        '{"alg":"ALG","kid":"1","kid":"2"}',
        '{"alg":"ALG","crit":["x"],"crit":["b64"],"b64":true}',
        '{"alg":"ALG","jwk":{"kty":"EC","kty":"oct"}}',
        '{"alg":"ALG","x":{"y":[{"z":1,"z":2}]}}',
        '{"alg":"ALG","":1,"":2}',
    ],
)
def test_duplicate_header_names_are_refused(header: str) -> None:
    for name in ("KHS", "KES"):
        refused_everywhere(
            InvalidHeaderError, signed(name, header.replace("ALG", forging.ALG[name])), key(name)
        )
    encrypted = header.replace("ALG", "dir")[:-1] + ',"enc":"A256GCM"}'
    refused(InvalidHeaderError, jwe.decrypt, sealed(encrypted, SECRET[:32]), key("KDIR"))


GOOD = '{"alg":"HS256"}'
NO_HEADERS: dict[str, bytes] = {
    "array": b"[]",
    "array of one": b'[{"alg":"HS256"}]',
    "null": b"null",
    "string": b'"x"',
    "number": b"1",
    "true": b"true",
    "empty": b"",
    "white space": b"  ",
    "trailing text": b'{"alg":"HS256"}x',
    "second object": b'{"alg":"HS256"}{"alg":"none"}',
    "trailing NUL": b'{"alg":"HS256"}\0',
    "leading NUL": b'\0{"alg":"HS256"}',
    "single quotes": b"{'alg':'HS256'}",
    "bare names": b'{alg:"HS256"}',
    "trailing comma": b'{"alg":"HS256",}',
    "comment": b'{"alg":"HS256"/*x*/}',
    "line comment": b'{"alg":"HS256"}//x',
    "NaN": b'{"alg":"HS256","x":NaN}',
    "Infinity": b'{"alg":"HS256","x":Infinity}',
    "number out of range": b'{"alg":"HS256","x":1e400}',
    "5000 digits": b'{"alg":"HS256","x":' + b"1" * 5_000 + b"}",
    "leading zero": b'{"alg":"HS256","x":01}',
    "plus sign": b'{"alg":"HS256","x":+1}',
    "hexadecimal": b'{"alg":"HS256","x":0x1}',
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16LE": GOOD.encode("utf-16-le"),
    "UTF-16BE": GOOD.encode("utf-16-be"),
    "UTF-32": GOOD.encode("utf-32"),
    "UTF-32LE": GOOD.encode("utf-32-le"),
    "UTF-32BE": GOOD.encode("utf-32-be"),
    "UTF-7": b'+AHs-"alg":"HS256"+AH0-',
    "not UTF-8": b'{"alg":"HS256","x":"\xff"}',
    "not UTF-8 in a name": b'{"alg":"HS256","\xff":1}',
    "overlong": b'{"alg":"HS256","x":"\xc0\x80"}',
    "surrogate in UTF-8": b'{"alg":"HS256","x":"\xed\xa0\x80"}',
    "truncated UTF-8": b'{"alg":"HS256","x":"\xe2\x82"}',
    "lone surrogate": rb'{"alg":"HS256","x":"\ud800"}',
    "reversed surrogates": rb'{"alg":"HS256","x":"\udc00\ud800"}',
    "control character": b'{"alg":"HS256","x":"\x01"}',
    "line feed in a string": b'{"alg":"HS256","x":"\n"}',
    "bad escape": rb'{"alg":"HS256","x":"\x"}',
    "form feed": b'{"alg":"HS256"\x0c}',
    "no-break space": b'{"alg":"HS256"\xc2\xa0}',
    "deep": b'{"alg":"HS256","x":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "unclosed": b'{"alg":"HS256","x":' + b"[" * 1_000,
}


@pytest.mark.parametrize("case", NO_HEADERS)
def test_rfc8725_header_must_be_one_utf8_json_object(case: str) -> None:
    token = signed("KHS", NO_HEADERS[case])
    refused(InvalidHeaderError, jws.verify, token, key("KHS"))
    refused(InvalidHeaderError, verifier(key("KHS")).verify, token)
    refused((InvalidHeaderError, MalformedTokenError), jws.verify_json, flattened(token), key("KHS"))
    encrypted = NO_HEADERS[case].replace(b"HS256", b'dir","enc":"A256GCM')
    refused(InvalidHeaderError, jwe.decrypt, sealed(encrypted, SECRET[:32]), key("KDIR"))


@pytest.mark.parametrize(
    "header",
    [
        '{ "alg" : "HS256" }',
        '\t{"alg":\n"HS256"}\r\n',
        ' \n{"typ":"JWT",\r\n "alg":"HS256"}',
        r'{"alg":"HS\u0032\u00356"}',
    ],
)
def test_rfc8725_white_space_and_escapes_in_a_header_are_json(header: str) -> None:
    assert verifier(key("KHS")).verify(signed("KHS", header)).header.alg == "HS256"
    assert jws.verify(signed("KHS", header), key("KHS")).header.alg == "HS256"


def test_deep_mapping_as_unprotected_header_is_refused() -> None:
    deep = _deep(5_000)
    either = (MalformedTokenError, InvalidHeaderError, TokenTooLargeError)
    refused(either, jws.verify_json, flattened(signed("KHS", {"alg": "HS256"}), deep), key("KHS"))
    refused(either, jwe.decrypt_json, flattened_jwe(_direct({}), unprotected=deep), key("KDIR"))


@pytest.mark.parametrize("name", ["kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["x"]], ids=repr)
def test_registered_parameter_of_another_type_is_refused(name: str, value: object) -> None:
    refused_everywhere(InvalidHeaderError, signed("KHS", {"alg": "HS256", name: value}), key("KHS"))
    refused(InvalidHeaderError, jwe.decrypt, _direct({name: value}), key("KDIR"))


def test_header_that_was_verified_cannot_be_changed() -> None:
    header = jws.verify(signed("KHS", {"alg": "HS256", "x": {"y": [1]}}), key("KHS")).header
    with pytest.raises(TypeError):
        header["alg"] = "none"  # type: ignore[index]
    with pytest.raises(TypeError):
        header["x"]["y"] = 2
    assert header["x"]["y"] == (1,)


# --- what the caller may add ---------------------------------------------------------------------------


def _deep(levels: int) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(levels):
        nested = {"x": nested}
    return nested


DEEP = _deep(5_000)
CIRCULAR: dict[str, Any] = {}
CIRCULAR["x"] = [CIRCULAR]
JWS_HEADERS: tuple[dict[str, Any], ...] = (
    *({"alg": "none"}, {"alg": "ES256"}, {"kid": "other"}, {"b64": False}, {"b64": True}, {"crit": ["x"]}),
    *({"crit": []}, {"crit": ["alg"]}, {"crit": "x"}, {"typ": 1}, {"cty": None}, {"kid": None}, {"jku": 1}),
    *({"x": object()}, {"x": float}, {"x": [{"y": object()}]}, {"x": "\ud800"}, DEEP, CIRCULAR),
)


@pytest.mark.parametrize("header", JWS_HEADERS, ids="-".join)
def test_extra_header_cannot_override_what_the_library_sets(header: dict[str, Any]) -> None:
    ours = key("KES").with_kid("ours")
    refused(ConfigurationError, jws.sign, b"{}", ours, header=header)
    refused(ConfigurationError, jws.sign_json, b"{}", jws.SignerInfo(key=ours, protected=header))
    refused(ConfigurationError, jwt.Signer, ours, issuer="i", header=header)
    for name in ("typ", "cty"):
        refused(ConfigurationError, jws.sign, b"{}", ours, **{name: "x"}, header={name: "y"})


@pytest.mark.parametrize("name", ["alg", "enc", "kid", "zip", "epk", "iv", "tag", "p2s", "crit"])
def test_extra_header_of_a_jwe_cannot_override_what_the_library_sets(name: str) -> None:
    for ours in (key("KKW"), key("KDIR"), key("KOAEP"), key("KECDH"), Key.generate("A256GCMKW"), key("KPB")):
        for value in ("x", None, ["alg"]):
            refused(ConfigurationError, jwe.encrypt, b"{}", ours.with_kid("ours"), header={name: value})
            refused(ConfigurationError, jwe.encrypt_json, b"{}", ours.with_kid("ours"), header={name: value})


@pytest.mark.parametrize("p2c", [1, 0, -1, 999, "1000", 1000.0, True, None], ids=repr)
def test_password_is_never_protected_by_few_iterations(p2c: object) -> None:
    refused(ConfigurationError, jwe.encrypt, b"{}", key("KPB"), header={"p2c": p2c})
    refused(ConfigurationError, jwe.encrypt_json, b"{}", [key("KPB")], header={"p2c": p2c})


@pytest.mark.parametrize(
    "kid", ['","alg":"none', '"}', "\\", '\\","alg":"none', "\n", "\0", "\u2028", "é", "."], ids=ascii
)
def test_header_values_are_written_as_one_json_string(kid: str) -> None:
    token = jws.sign(b"{}", key("KES").with_kid(kid), header={"x": kid, kid: 1})
    written = json.loads(forging.urlsafe_decoded(token.split(".")[0]))
    assert written == {"alg": "ES256", "kid": kid, "x": kid, kid: 1}
    assert jws.verify(token, key("KES").with_kid(kid)).header.kid == kid
    encrypted = jwe.encrypt(b"{}", key("KDIR").with_kid(kid))
    assert jwe.decrypt(encrypted, key("KDIR").with_kid(kid)).header.kid == kid
