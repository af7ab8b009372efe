"""Signed octets: what is made is accepted, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coatcheck._core import base64url
from coatcheck.jose import Key, KeySet, Limits, jws
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    CriticalHeaderError,
    InvalidHeaderError,
    InvalidSignatureError,
    KeyUseError,
    MalformedTokenError,
    NoMatchingKeyError,
    TokenTooLargeError,
)
from tests.jose.samples import SIGNATURE_NAMES, key_for, other_side, signed, thawed

KEY = key_for("ES256")
OTHER = key_for("Ed25519")
PAYLOAD = b"the payload \x00\xff"
TOKEN = jws.sign(PAYLOAD, KEY)
PROTECTED, BODY, SIGNATURE = TOKEN.split(".")
FLATTENED = jws.sign_json(PAYLOAD, KEY)
GENERAL = jws.sign_json(PAYLOAD, [KEY, OTHER])


# Compact


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
def test_what_is_signed_verifies_with_the_other_side_s_key(alg: str) -> None:
    key = key_for(alg)
    verified = jws.verify(jws.sign(PAYLOAD, key), other_side(key))
    assert verified.payload == PAYLOAD
    assert verified.header == {"alg": alg, "kid": key.kid}
    assert verified.key.kid == key.kid
    assert len(verified.signatures) == 1
    assert verified.signatures[0].unprotected == {}


def test_a_token_is_accepted_as_text_and_as_bytes() -> None:
    assert jws.verify(TOKEN, KEY) == jws.verify(TOKEN.encode(), KEY)


def test_the_header_says_what_the_caller_adds() -> None:
    token = jws.sign(b"", KEY.with_kid(None), typ="a+jws", cty="text/plain", header={"n": [1, {"a": None}]})
    header = jws.verify(token, KEY).header
    assert thawed(header) == {"alg": "ES256", "typ": "a+jws", "cty": "text/plain", "n": [1, {"a": None}]}
    assert (header.alg, header.kid, header.typ, header.cty, header.enc) == (
        "ES256",
        None,
        "a+jws",
        "text/plain",
        None,
    )
    assert len(header) == 4
    assert "'typ': 'a+jws'" in repr(header)


def test_nobody_can_change_a_verified_header() -> None:
    header = jws.verify(jws.sign(b"", KEY, header={"a": {"b": [1]}}), KEY).header
    with pytest.raises(TypeError):
        header["a"] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        header["a"]["b"] = 1
    assert header["a"]["b"] == (1,)


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "cty", "b64"])
def test_the_caller_cannot_override_what_the_library_writes(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{name}' is not to be given here"):
        jws.sign(b"", KEY, typ="JWT", cty="JWT", header={name: "x"})


@pytest.mark.parametrize(
    "options",
    [
        {"typ": 5},
        {"header": {"jku": 5}},
        {"header": {"x5t#S256": []}},
        {"header": {"x": object()}},
        {"header": {"x": "\ud800"}},
        {"header": {"x": {1j}}},
        {"header": {"crit": ["missing"]}},
        {"header": {"crit": []}},
        {"header": {"crit": "x", "x": 1}},
        {"header": {"crit": 5}, "b64": False},
        {"header": {"crit": ["x", "x"], "x": 1}},
        {"header": {"crit": ["alg"]}},
        {"header": {"crit": ["b64"]}, "b64": False},
    ],
)
def test_a_header_that_no_verifier_would_accept_is_not_signed(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        jws.sign(b"", KEY, **options)


@pytest.mark.parametrize("payload", ["text", None, bytearray(b"x"), {}])
def test_a_payload_is_bytes(payload: Any) -> None:
    for refused in (
        lambda: jws.sign(payload, KEY),
        lambda: jws.sign_json(payload, KEY),
    ):
        with pytest.raises(ConfigurationError, match="payload must be bytes"):
            refused()
    if payload is not None:
        detached = jws.sign(b"", KEY, detached=True)
        with pytest.raises(ConfigurationError, match="payload must be bytes"):
            jws.verify(detached, KEY, payload=payload)


def test_nothing_is_signed_with_a_public_key_or_one_for_encryption() -> None:
    for key in (KEY.public(), key_for("ECDH-ES")):
        with pytest.raises(KeyUseError):
            jws.sign(b"", key)
        with pytest.raises(KeyUseError):
            jws.sign_json(b"", key)


def test_nothing_is_verified_with_a_key_that_must_not_verify() -> None:
    jwk = {name: value for name, value in KEY.to_private_jwk().items() if name != "use"}
    with pytest.raises(KeyUseError, match="to verify"):
        jws.verify(TOKEN, Key.from_jwk({**jwk, "key_ops": ["sign"]}))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a",
        PROTECTED,
        f"{PROTECTED}.{BODY}",
        f"{TOKEN}.",
        f".{TOKEN}",
        f"{TOKEN}.{SIGNATURE}",
        f" {TOKEN}",
        f"{TOKEN} ",
        f"{TOKEN}\n",
        f"{TOKEN}=",
        f"{PROTECTED}=.{BODY}.{SIGNATURE}",
        f"{PROTECTED}.{BODY}=.{SIGNATURE}",
        f"{TOKEN}é",
        f"{TOKEN}\ud800",
        TOKEN.encode() + b"\xff",
        5,
        None,
        bytearray(TOKEN.encode()),
        FLATTENED,
    ],
)
def test_what_has_not_the_form_of_a_token_is_refused(token: Any) -> None:
    with pytest.raises((MalformedTokenError, InvalidHeaderError, InvalidSignatureError)):
        jws.verify(token, KEY)


def test_a_payload_that_is_not_canonical_is_refused_though_its_signature_holds() -> None:
    message = f"{PROTECTED}.QR"
    token = f"{message}.{base64url.encode(KEY.sign(message.encode()))}"
    with pytest.raises(MalformedTokenError, match="payload is not canonical"):
        jws.verify(token, KEY)


@pytest.mark.parametrize(
    "header, kind",
    [
        ([], InvalidHeaderError),
        ({}, InvalidHeaderError),
        ({"alg": None}, InvalidHeaderError),
        ({"alg": ["ES256"]}, InvalidHeaderError),
        ({"alg": "ES256", "kid": 5}, InvalidHeaderError),
        ({"alg": "ES256", "typ": None}, InvalidHeaderError),
        ({"alg": "ES256", "jku": {}}, InvalidHeaderError),
        ({"alg": "es256"}, AlgorithmMismatchError),
        ({"alg": "none"}, AlgorithmMismatchError),
        ({"alg": "ES256", "kid": "other"}, NoMatchingKeyError),
        ({"alg": "ES256", "crit": None}, CriticalHeaderError),
        ({"alg": "ES256", "crit": []}, CriticalHeaderError),
        ({"alg": "ES256", "crit": {}}, CriticalHeaderError),
        ({"alg": "ES256", "crit": "exp", "exp": 1}, CriticalHeaderError),
        ({"alg": "ES256", "crit": ["exp"], "exp": 1}, CriticalHeaderError),
        ({"alg": "ES256", "crit": ["exp"]}, CriticalHeaderError),
        ({"alg": "ES256", "crit": [5]}, CriticalHeaderError),
        ({"alg": "ES256", "crit": ["b64", "b64"], "b64": True}, CriticalHeaderError),
        ({"alg": "ES256", "crit": ["alg"]}, CriticalHeaderError),
        ({"alg": "ES256", "crit": ["b64"]}, CriticalHeaderError),
        ({"alg": "ES256", "b64": False}, InvalidHeaderError),
        ({"alg": "ES256", "b64": True}, InvalidHeaderError),
        ({"alg": "ES256", "b64": 0, "crit": ["b64"]}, InvalidHeaderError),
        ({"alg": "ES256", "b64": "false", "crit": ["b64"]}, InvalidHeaderError),
    ],
)
def test_a_header_that_breaks_the_rules_is_refused_though_the_signature_holds(
    header: object, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        jws.verify(signed(PAYLOAD, KEY, header), KEY)


@pytest.mark.parametrize("text", [b"", b"{", b'{"alg":"ES256","alg":"ES256"}', b'{"alg":"\xff"}', b'"alg"'])
def test_a_header_that_is_no_strict_json_object_is_refused(text: bytes) -> None:
    message = f"{base64url.encode(text)}.{BODY}"
    with pytest.raises(InvalidHeaderError, match="header"):
        jws.verify(f"{message}.{base64url.encode(KEY.sign(message.encode()))}", KEY)


def test_a_critical_extension_is_accepted_where_the_caller_understands_it() -> None:
    token = jws.sign(PAYLOAD, KEY, header={"crit": ["exp", "nbf"], "exp": 1, "nbf": 2})
    assert jws.verify(token, KEY, understood=["nbf", "exp"]).payload == PAYLOAD
    for too_few in ((), ["exp"], {"EXP", "nbf"}):
        with pytest.raises(CriticalHeaderError):
            jws.verify(token, KEY, understood=too_few)


@pytest.mark.parametrize("understood", ["exp", 5, [5], None])
def test_what_is_understood_must_be_a_collection_of_names(understood: Any) -> None:
    with pytest.raises(ConfigurationError, match="'understood'"):
        jws.verify(TOKEN, KEY, understood=understood)
    with pytest.raises(ConfigurationError, match="'understood'"):
        jws.verify_json(FLATTENED, KEY, understood=understood)


def test_a_stated_default_of_b64_is_the_default() -> None:
    header = {"alg": "ES256", "b64": True, "crit": ["b64"]}
    assert jws.verify(signed(PAYLOAD, KEY, header), KEY).payload == PAYLOAD


# Detached and unencoded payloads


@pytest.mark.parametrize("b64", [True, False])
@pytest.mark.parametrize("payload", [PAYLOAD, b"with.periods", "ünï".encode(), b""])
def test_a_detached_payload_is_handed_in_to_verify(payload: bytes, b64: bool) -> None:  # noqa: FBT001
    token = jws.sign(payload, KEY, detached=True, b64=b64)
    assert token.split(".")[1] == ""
    assert jws.verify(token, KEY, payload=payload).payload == payload
    with pytest.raises(InvalidSignatureError):
        jws.verify(token, KEY, payload=payload + b"!")
    written = jws.sign_json(payload, KEY, detached=True, b64=b64)
    assert "payload" not in written
    assert jws.verify_json(written, KEY, payload=payload).payload == payload
    with pytest.raises(MalformedTokenError, match="none was given"):
        jws.verify_json(written, KEY)


def test_a_detached_token_without_its_payload_does_not_verify() -> None:
    with pytest.raises(InvalidSignatureError):
        jws.verify(jws.sign(PAYLOAD, KEY, detached=True), KEY)


def test_two_payloads_are_refused_even_if_they_are_the_same() -> None:
    with pytest.raises(MalformedTokenError, match="payload of its own"):
        jws.verify(TOKEN, KEY, payload=PAYLOAD)
    with pytest.raises(MalformedTokenError, match="payload of its own"):
        jws.verify_json(FLATTENED, KEY, payload=PAYLOAD)


@pytest.mark.parametrize("payload", [b"plain text", b"", b"$~ !\"'", b"{}"])
def test_an_unencoded_payload_stands_in_the_token_as_it_is(payload: bytes) -> None:
    token = jws.sign(payload, KEY, b64=False)
    assert token.split(".")[1].encode() == payload
    verified = jws.verify(token, KEY)
    assert verified.payload == payload
    assert (verified.header["b64"], verified.header["crit"]) == (False, ("b64",))


@pytest.mark.parametrize("payload", [b"a.b", b"line\n", b"\x7f", b"\x1f", "é".encode(), b"\xff"])
def test_a_payload_that_cannot_stand_unencoded_in_compact_form_is_not_signed_so(payload: bytes) -> None:
    with pytest.raises(ConfigurationError, match="detached=True"):
        jws.sign(payload, KEY, b64=False)


def test_an_unencoded_payload_keeps_the_caller_s_own_critical_extensions() -> None:
    token = jws.sign(b"x", KEY, b64=False, header={"crit": ["exp"], "exp": 1})
    assert jws.verify(token, KEY, understood=["exp"]).header["crit"] == ("exp", "b64")


def test_json_carries_any_unicode_text_unencoded_and_nothing_else() -> None:
    text = "ünï.cödé\n"
    written = jws.sign_json(text.encode(), KEY, b64=False)
    assert written["payload"] == text
    assert jws.verify_json(json.dumps(written), KEY).payload == text.encode()
    with pytest.raises(ConfigurationError, match="must be detached"):
        jws.sign_json(b"\xff", KEY, b64=False)
    with pytest.raises(MalformedTokenError, match="must be a string"):
        jws.verify_json({**written, "payload": 5}, KEY)
    with pytest.raises(MalformedTokenError, match="not valid Unicode"):
        jws.verify_json({**written, "payload": "\ud800"}, KEY)


# JSON


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
def test_what_is_signed_in_json_verifies_in_every_form(alg: str) -> None:
    key = key_for(alg)
    for token in (
        jws.sign_json(PAYLOAD, key),
        jws.sign_json(PAYLOAD, [key]),
        jws.sign_json(PAYLOAD, [key], flattened=True),
        jws.sign_json(PAYLOAD, key, flattened=False),
    ):
        for form in (token, json.dumps(token), json.dumps(token).encode()):
            verified = jws.verify_json(form, other_side(key))
            assert verified.payload == PAYLOAD
            assert verified.header == {"alg": alg, "kid": key.kid}


def test_one_signer_is_written_flattened_and_a_list_of_signers_is_not() -> None:
    assert FLATTENED.keys() == {"payload", "protected", "signature"}
    assert GENERAL.keys() == {"payload", "signatures"}
    assert len(GENERAL["signatures"]) == 2
    assert "signatures" in jws.sign_json(PAYLOAD, (KEY,))
    with pytest.raises(ConfigurationError, match="exactly one signature"):
        jws.sign_json(PAYLOAD, [KEY, OTHER], flattened=True)


@pytest.mark.parametrize("signers", [[], (), None, "text", [None], [KEY, "text"], {KEY}])
def test_signers_are_keys_or_signer_infos(signers: Any) -> None:
    with pytest.raises(ConfigurationError, match="Signers are given"):
        jws.sign_json(PAYLOAD, signers)


def test_every_signature_by_a_trusted_key_is_reported_and_others_are_passed_over() -> None:
    both = jws.verify_json(GENERAL, KeySet([KEY, OTHER]))
    assert [signature.key for signature in both.signatures] == [KEY, OTHER]
    one = jws.verify_json(GENERAL, OTHER)
    assert [signature.key for signature in one.signatures] == [OTHER]
    assert one.header.alg == "Ed25519"
    assert one.key is OTHER


def test_a_token_without_any_signature_by_a_trusted_key_is_refused() -> None:
    with pytest.raises(NoMatchingKeyError):
        jws.verify_json(GENERAL, Key.generate("ES256"))
    with pytest.raises(InvalidSignatureError):
        jws.verify_json(GENERAL, Key.generate("Ed25519").with_kid(None))
    with pytest.raises(AlgorithmMismatchError):
        jws.verify_json(FLATTENED, OTHER.with_kid(None))


def test_one_bad_signature_does_not_spoil_a_good_one_and_is_not_reported() -> None:
    bad = {**GENERAL["signatures"][0], "signature": base64url.encode(bytes(64))}
    verified = jws.verify_json(
        {**GENERAL, "signatures": [bad, GENERAL["signatures"][1]]}, KeySet([KEY, OTHER])
    )
    assert [signature.key for signature in verified.signatures] == [OTHER]


def test_unprotected_parameters_are_carried_apart_from_the_protected_ones() -> None:
    signer = jws.SignerInfo(key=KEY, protected={"a": 1}, unprotected={"b": [2]})
    token = jws.sign_json(PAYLOAD, signer)
    verified = jws.verify_json(token, KEY)
    assert verified.header == {"alg": "ES256", "kid": KEY.kid, "a": 1}
    assert verified.signatures[0].unprotected == {"b": (2,)}
    changed = jws.verify_json({**token, "header": {"b": "changed"}}, KEY)
    assert changed.header == verified.header
    assert changed.signatures[0].unprotected == {"b": "changed"}


def test_a_token_that_protects_nothing_but_its_payload_shows_the_algorithm_of_its_key_only() -> None:
    signature = base64url.encode(KEY.sign(f".{BODY}".encode()))
    token = {"payload": BODY, "header": {"alg": "ES256", "typ": "x"}, "signature": signature}
    verified = jws.verify_json(token, KEY)
    assert verified.header == {"alg": "ES256"}
    assert verified.signatures[0].unprotected == {"alg": "ES256", "typ": "x"}


def test_a_parameter_never_stands_in_both_headers() -> None:
    with pytest.raises(ConfigurationError, match="must not stand in the unprotected header"):
        jws.sign_json(PAYLOAD, jws.SignerInfo(key=KEY, unprotected={"kid": "x"}))
    with pytest.raises(InvalidHeaderError, match="more than one header"):
        jws.verify_json({**FLATTENED, "header": {"kid": KEY.kid}}, KEY)


@pytest.mark.parametrize("name", ["b64", "crit"])
def test_what_must_be_protected_is_not_written_unprotected(name: str) -> None:
    with pytest.raises(ConfigurationError, match="must not stand in the unprotected header"):
        jws.sign_json(PAYLOAD, jws.SignerInfo(key=KEY, unprotected={name: False}))


@pytest.mark.parametrize("header", ["abc", 5, [("a", 1)], {1: "x"}])
def test_a_header_that_is_no_mapping_of_names_is_refused(header: Any) -> None:
    with pytest.raises(ConfigurationError, match="mapping of parameter names"):
        jws.sign(PAYLOAD, KEY, header=header)


@pytest.mark.parametrize("key", ["secret", b"secret", None, {"kty": "oct"}])
def test_signing_takes_a_key_and_nothing_else(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a Key"):
        jws.sign(PAYLOAD, key)


@pytest.mark.parametrize("name", ["alg", "kid", "b64"])
def test_a_signer_cannot_override_what_the_library_writes(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not to be given here"):
        jws.sign_json(PAYLOAD, jws.SignerInfo(key=KEY, protected={name: "x"}))


def test_critical_extensions_count_only_in_the_protected_header() -> None:
    for header in ({"crit": ["exp"], "exp": 1}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}):
        with pytest.raises(CriticalHeaderError):
            jws.verify_json({**FLATTENED, "header": header}, KEY, understood=["exp"])
    token = jws.sign_json(PAYLOAD, jws.SignerInfo(key=KEY, protected={"exp": 1}))
    with pytest.raises(CriticalHeaderError, match="in the protected header"):
        jws.verify_json({**token, "header": {"crit": ["exp"]}}, KEY, understood=["exp"])
    with pytest.raises(InvalidHeaderError, match="'b64' must be listed"):
        jws.verify_json({**FLATTENED, "header": {"b64": False}}, KEY)


def test_signatures_that_do_not_agree_on_the_encoding_of_the_payload_are_refused() -> None:
    plain = jws.sign_json(b"x", [OTHER], b64=False)["signatures"]
    with pytest.raises(InvalidHeaderError, match="do not agree on 'b64'"):
        jws.verify_json({**GENERAL, "signatures": [*GENERAL["signatures"], *plain]}, KeySet([KEY, OTHER]))


def without(name: str) -> dict[str, Any]:
    return {each: value for each, value in FLATTENED.items() if each != name}


@pytest.mark.parametrize(
    "token, kind",
    [
        ("", MalformedTokenError),
        ("[]", MalformedTokenError),
        ("\ud800", MalformedTokenError),
        (b"\xff", MalformedTokenError),
        (TOKEN, MalformedTokenError),
        (5, MalformedTokenError),
        (None, MalformedTokenError),
        ([FLATTENED], MalformedTokenError),
        ('{"payload":"","payload":""}', MalformedTokenError),
        (without("payload"), MalformedTokenError),
        (without("signature"), MalformedTokenError),
        (without("protected"), InvalidHeaderError),
        ({**FLATTENED, "payload": None}, MalformedTokenError),
        ({**FLATTENED, "payload": "é"}, MalformedTokenError),
        ({**FLATTENED, "signature": 5}, MalformedTokenError),
        ({**FLATTENED, "signature": "="}, MalformedTokenError),
        ({**FLATTENED, "signature": ""}, InvalidSignatureError),
        ({**FLATTENED, "protected": {}}, MalformedTokenError),
        ({**FLATTENED, "protected": "!"}, InvalidHeaderError),
        ({**FLATTENED, "protected": ""}, InvalidHeaderError),
        ({**FLATTENED, "header": []}, MalformedTokenError),
        ({**FLATTENED, "header": "text"}, MalformedTokenError),
        ({**FLATTENED, "signatures": []}, MalformedTokenError),
        ({**GENERAL, "signature": ""}, MalformedTokenError),
        ({**GENERAL, "signatures": []}, MalformedTokenError),
        ({**GENERAL, "signatures": {}}, MalformedTokenError),
        ({**GENERAL, "signatures": None}, MalformedTokenError),
        ({**GENERAL, "signatures": ["text"]}, MalformedTokenError),
        ({**GENERAL, "signatures": [*GENERAL["signatures"], {}]}, MalformedTokenError),
    ],
)
def test_json_that_has_not_the_form_of_a_token_is_refused(token: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        jws.verify_json(token, KeySet([KEY, OTHER]))


def test_a_token_given_as_a_mapping_nests_no_deeper_than_one_in_text() -> None:
    for depth in (30, 31, 2000):
        nested: object = 1
        for _ in range(depth):
            nested = [nested]
        token = {**FLATTENED, "header": {"x": nested}}
        if depth == 30:
            assert jws.verify_json(token, KEY).payload == PAYLOAD
        else:
            with pytest.raises(MalformedTokenError, match="nested deeper than 32"):
                jws.verify_json(token, KEY)


def test_unknown_members_of_the_token_are_ignored() -> None:
    assert jws.verify_json({**FLATTENED, "more": 1}, KEY).payload == PAYLOAD


def test_the_number_of_signatures_is_bounded() -> None:
    with pytest.raises(TokenTooLargeError, match="more than 1 signatures"):
        jws.verify_json(GENERAL, KEY, limits=Limits(recipients=1))


def test_a_verified_token_stays_as_it_is() -> None:
    verified = jws.verify(TOKEN, KEY)
    with pytest.raises(AttributeError):
        verified.payload = b"other"  # type: ignore[misc]
