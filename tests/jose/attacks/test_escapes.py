"""What leaks, what escapes, and what can be changed afterwards."""

import copy
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

import coatcheck.jose
from coatcheck.jose import JOSEError, Key, KeySet, hazmat, jwe, jws, jwt
from coatcheck.jose.algorithms import find_content_encryption, get_algorithm
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    CriticalHeaderError,
    DecryptionError,
    InvalidHeaderError,
    MalformedTokenError,
    UnexpectedTypeError,
    UnsupportedAlgorithmError,
    UnsupportedKeyError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import CLAIMS, SECRET, key, public_jwk, refused, signed, tok, verifier
from tests.jose.attacks.tampering import CEK_SIZES, WRAP, cbc, code, encrypted, recipient, to_recipient

ES256 = {"alg": "ES256"}

# --- nothing but our own errors ------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=60), st.text('eyJ.AQab-_=0 {}[]":,\\', max_size=60), st.binary(max_size=60)
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["AQAB", "", "RSA", "EC"]),
    ),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        *(
            "alg",
            "kid",
            "typ",
            "cty",
            "crit",
            "b64",
            "enc",
            "zip",
            "epk",
            "apu",
            "apv",
            "iv",
            "tag",
            "p2s",
            "p2c",
        ),
        *(
            "jwk",
            "jku",
            "x5c",
            "x5u",
            "x5t",
            "kty",
            "crv",
            "x",
            "y",
            "d",
            "n",
            "e",
            "k",
            "pub",
            "priv",
            "use",
            "key_ops",
        ),
        *(
            "payload",
            "protected",
            "header",
            "signature",
            "signatures",
            "recipients",
            "encrypted_key",
            "unprotected",
        ),
        *(
            "ciphertext",
            "aad",
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "keys",
            "oth",
            "p",
            "q",
            "dp",
            "dq",
            "qi",
        ),
    ]
)
MEMBERS = st.dictionaries(NAMES, JSON, max_size=4)

ENTRANCES: dict[str, Callable[[Any], object]] = {
    "jws.verify": lambda given: jws.verify(given, key("KES")),
    "jws.verify detached": lambda given: jws.verify(given, key("KES"), payload=b"x"),
    "jws.verify_json": lambda given: jws.verify_json(given, key("KES")),
    "jwe.decrypt": lambda given: jwe.decrypt(given, key("KKW"), max_decompressed=1000),
    "jwe.decrypt_json": lambda given: jwe.decrypt_json(given, key("KKW"), max_decompressed=1000),
    "verifier": lambda given: verifier(key("KES")).verify(given),
    "nested verifier": lambda given: verifier(key("KES"), decrypt_with=key("KKW")).verify(given),
    "read_unverified": lambda given: hazmat.read_unverified(given).claims,
    "from_jwk": Key.from_jwk,
    "from_jwk named": lambda given: Key.from_jwk(given, alg="ES256"),
    "from_jwks": KeySet.from_jwks,
    "from_jwks named": lambda given: KeySet.from_jwks(given, algorithms={"ES256", "RS256"}),
    "from_pem": lambda given: Key.from_pem(given, "RS256"),
    "from_der": lambda given: Key.from_der(given, "RS256"),
    "from_secret": lambda given: Key.from_secret(given, "HS256"),
    "from_password": Key.from_password,
    "generate": Key.generate,
}


def error_of(call: Callable[..., object], *arguments: Any) -> JOSEError | None:
    """Return the error of a call that may also succeed."""
    try:
        call(*arguments)
    except JOSEError as error:
        return error
    return None


def only_ours(call: Callable[..., object], *arguments: Any) -> None:
    """Anything but an error of ours is an error of ours to let out."""
    error = error_of(call, *arguments)
    if error is not None:
        assert str(error).isprintable()
        assert len(str(error)) < 1500


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@given(given=st.one_of(TEXTS, JSON))
def test_cve_2019_17195_only_our_errors_escape(entrance: Callable[[Any], object], given: Any) -> None:
    only_ours(entrance, given)


def merged(good: dict[str, Any], changes: dict[str, Any], dropped: list[str]) -> dict[str, Any]:
    return {name: value for name, value in {**good, **changes}.items() if name not in dropped}


@given(changes=MEMBERS, dropped=st.lists(NAMES, max_size=2), flat=st.booleans())
def test_only_our_errors_escape_from_headers(changes: dict[str, Any], dropped: list[str], flat: bool) -> None:  # noqa: FBT001
    header = json.dumps(merged(ES256, changes, dropped))
    token = signed("KES", header)
    only_ours(ENTRANCES["jws.verify"], token)
    only_ours(ENTRANCES["verifier"], token)
    only_ours(ENTRANCES["read_unverified"], token)
    protected, payload, signature = token.split(".")
    members = {
        "payload": payload,
        "protected": protected,
        "signature": signature,
        "header": changes if flat else {},
    }
    only_ours(ENTRANCES["jws.verify_json"], members)
    for alg in ("dir", *WRAP):
        sealed = to_recipient(alg)
        only_ours(jwe.decrypt, sealed.with_header(**changes).compact(), recipient(alg))
        only_ours(jwe.decrypt_json, sealed.flattened(unprotected=changes), recipient(alg))


@given(changes=MEMBERS, dropped=st.lists(NAMES, max_size=2))
def test_only_our_errors_escape_from_members_and_claims(changes: dict[str, Any], dropped: list[str]) -> None:
    protected, payload, signature = signed("KES", ES256).split(".")
    good = {"payload": payload, "protected": protected, "signature": signature}
    only_ours(ENTRANCES["jws.verify_json"], merged(good, changes, dropped))
    only_ours(ENTRANCES["jwe.decrypt_json"], merged(to_recipient("A256KW").flattened(), changes, dropped))
    token = signed("KES", ES256, json.dumps(merged(CLAIMS, changes, dropped)))
    for claims in (jwt.Claims, dict):
        only_ours(verifier(key("KES"), claims=claims, require=("exp", "x")).verify, token)
    only_ours(jwt.Signer(key("KES"), issuer="i").sign, changes)
    only_ours(lambda: jws.sign(b"x", key("KES"), header=changes))
    only_ours(lambda: jwe.encrypt(b"x", key("KKW"), header=changes))


@given(
    changes=MEMBERS,
    dropped=st.lists(NAMES, max_size=2),
    alg=st.sampled_from(["ES256", "RS256", "Ed25519", "HS256", "dir", None]),
)
def test_only_our_errors_escape_from_keys(
    changes: dict[str, Any], dropped: list[str], alg: str | None
) -> None:
    for private in (
        forging.ec_private(),
        forging.rsa_private(),
        forging.ed_private(),
        forging.lattice_private(),
    ):
        jwk = merged({**public_jwk(private), "alg": alg} if alg else public_jwk(private), changes, dropped)
        only_ours(Key.from_jwk, jwk)
        only_ours(KeySet.from_jwks, {"keys": [jwk, changes]})
        only_ours(lambda jwk=jwk: KeySet.from_jwks({"keys": [jwk]}, algorithms={"ES256", "RS256"}))


@given(st.data())
def test_only_our_errors_escape_from_key_files(data: st.DataObject) -> None:
    forms: list[Callable[[Any], bytes]] = [
        forging.spki,
        forging.pkcs8,
        forging.certificate,
        lambda private: forging.spki(private, Encoding.DER),
        lambda private: forging.pkcs8(private, Encoding.DER),
        lambda private: forging.certificate(private, Encoding.DER),
    ]
    private = data.draw(st.sampled_from([forging.ec_private(), forging.ed_private(), forging.rsa_private()]))
    octets = bytearray(data.draw(st.sampled_from(forms))(private))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    for alg in ("ES256", "RS256", "Ed25519"):
        only_ours(Key.from_pem, bytes(octets), alg)
        only_ours(Key.from_der, bytes(octets), alg)
    only_ours(Key.from_secret, bytes(octets), "HS256")


def test_certificate_of_an_unknown_version_is_our_error() -> None:
    good = forging.certificate(forging.ec_private(), Encoding.DER)
    spoiled = good.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    assert spoiled != good
    only_ours(Key.from_der, spoiled, "ES256")
    only_ours(Key.from_secret, spoiled, "HS256")
    lines = b64encode(spoiled).decode()
    only_ours(Key.from_pem, f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n", "ES256")


@pytest.mark.parametrize("curve", [0x6E, 0x6F, 0x70, 0x71], ids=["X25519", "X448", "Ed25519", "Ed448"])
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 56, 57, 58])
def test_pkcs8_key_of_another_length_than_its_curve_is_our_error(curve: int, size: int) -> None:
    secret = bytes([4, size + 2, 4, size]) + b"\x42" * size
    inner = b"\2\1\0" + bytes([0x30, 5, 6, 3, 0x2B, 0x65, curve]) + secret
    der = bytes([0x30, len(inner)]) + inner
    pem = f"-----BEGIN PRIVATE KEY-----\n{b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"
    for alg in ("Ed25519", "Ed448", "ECDH-ES", "RS256"):
        only_ours(Key.from_der, der, alg)
        only_ours(Key.from_pem, pem, alg)
    only_ours(Key.from_secret, der, "HS256")


# --- decryption errors ---------------------------------------------------------------------------------


def test_decryption_errors_are_indistinguishable() -> None:
    seen = set()
    for alg in ("dir", *WRAP):
        for enc in CEK_SIZES if alg != "dir" else ["A256GCM"]:
            good = to_recipient(alg, enc)
            failures = [
                replace(good, tag=bytes(len(good.tag))),
                replace(good, tag=good.tag[:-1]),
                replace(good, iv=good.iv[:-1]),
                replace(good, iv=bytes(len(good.iv))),
                replace(good, ciphertext=good.ciphertext[:-1]),
                replace(good, encrypted_key=good.encrypted_key + b"\0"),
                good.with_header(more=1),
            ]
            if alg != "dir":
                failures += [replace(good, encrypted_key=bytes(size)) for size in (0, 40, 256)]
                failures.append(to_recipient(alg, "A256GCM", cek=SECRET[:16]))
            if enc.endswith(("HS256", "HS384", "HS512")):
                cek = SECRET[: CEK_SIZES[enc]]
                padded = to_recipient(alg, enc, cek=cek)
                ciphertext, tag = cbc(cek, b"", padded.protected.encode(), padded.iv, padded=bytes(16))
                failures.append(replace(padded, ciphertext=ciphertext, tag=tag))
            for failure in failures:
                error = refused(DecryptionError, jwe.decrypt, failure.compact(), recipient(alg))
                seen.add(str(code(error)))
                error = refused(DecryptionError, jwe.decrypt_json, failure.flattened(), recipient(alg))
                seen.add(str(code(error)))
    assert len(seen) == 1, seen


# --- what a result says, and that it stays so ----------------------------------------------------


def test_unprotected_header_is_never_reported_as_verified() -> None:
    protected, payload, signature = signed("KES", ES256).split(".")
    lies = {"role": "admin", "typ": "at+jwt", "iss": "https://i"}
    for token in (
        {"payload": payload, "protected": protected, "signature": signature, "header": lies},
        {
            "payload": payload,
            "signatures": [{"protected": protected, "signature": signature, "header": lies}],
        },
    ):
        verified = jws.verify_json(token, key("KES"))
        assert dict(verified.header) == ES256
        assert verified.header.typ is None
        assert verified.signatures[0].unprotected == lies
    good = to_recipient("A256KW")
    for place in ("unprotected", "header"):
        opened = jwe.decrypt_json(good.flattened(**{place: lies}), key("KKW"))
        assert opened.header.keys() == {"alg", "enc"}
        assert opened.header.typ is None
        assert opened.unprotected == lies


def test_unverified_token_is_another_type() -> None:
    forged = tok({"alg": "none"}, {**CLAIMS, "sub": "admin"})
    read = hazmat.read_unverified(forged)
    assert read.claims["sub"] == "admin"
    assert not {jwt.VerifiedToken, jws.VerifiedJWS, jwe.DecryptedJWE} & set(type(read).__mro__)
    assert not hasattr(read, "as_type")
    assert not hasattr(read, "key")
    assert not {"read_unverified", "UnverifiedToken", "ANY_AUDIENCE", "ANY_ISSUER"} & set(
        coatcheck.jose.__all__
    )
    anything: Any = read
    refused(MalformedTokenError, verifier(key("KES")).verify, anything)
    refused(ConfigurationError, jws.verify, forged, anything)
    for malformed in ("", "a", "a.b", "a.b.c.d", "..", ".a.b", "é", forged + "=", None, 1):
        refused((MalformedTokenError, InvalidHeaderError), hazmat.read_unverified, malformed)


def test_verified_results_and_keys_are_immutable() -> None:
    ours = verifier(key("KES"))
    token = ours.verify(signed("KES", {**ES256, "list": [1, {"a": 1}]}))
    results: list[tuple[Any, list[str]]] = [
        (token, ["claims", "header", "key", "payload", "extra"]),
        (token.claims, ["sub", "exp", "extra"]),
        (token.header, ["alg", "kid", "typ", "cty", "enc", "_parameters", "extra"]),
        (jws.verify(signed("KES", ES256), key("KES")), ["payload", "signatures", "header", "key", "extra"]),
        (jwe.decrypt(to_recipient("dir").compact(), key("KDIR")), ["plaintext", "header", "key", "aad"]),
        (hazmat.read_unverified(signed("KES", ES256)), ["payload", "header"]),
        (coatcheck.jose.Limits(), ["token", "extra"]),
        *(
            (
                each,
                [
                    "alg",
                    "kid",
                    "kty",
                    "use",
                    "is_private",
                    "sign",
                    "verify",
                    "encrypt_key",
                    "decrypt_key",
                    "_kid",
                    "extra",
                ],
            )
            for each in (key("KES"), key("KES").public(), key("KHS"), key("KKW"))
        ),
        (KeySet([key("KES")]), ["ignored", "keys", "extra"]),
    ]
    for result, names in results:
        for name in names:
            before = getattr(result, name, None)
            with pytest.raises((AttributeError, TypeError)):
                setattr(result, name, lambda *_: None)
            with pytest.raises((AttributeError, TypeError)):
                delattr(result, name)
            assert getattr(result, name, None) == before
    anything: Any = token.header
    with pytest.raises(TypeError):
        anything["alg"] = "none"
    with pytest.raises((TypeError, AttributeError)):
        token.header["list"][1]["a"] = 2
    with pytest.raises((TypeError, AttributeError)):
        token.header["list"].append(1)
    refused(AlgorithmMismatchError, ours.verify, tok({"alg": "none"}))


def test_what_was_given_may_change_afterwards_without_effect() -> None:
    jwk = key("KES").to_jwk()
    kept = copy.deepcopy(jwk)
    ours = Key.from_jwk(jwk)
    jwk.update(alg="none", kid="other", x="AAAA")
    assert (ours.alg, ours.to_jwk()) == ("ES256", kept)
    ours.to_jwk()["alg"] = "none"
    assert ours.to_jwk() == kept
    members = [key("KES").with_kid("1")]
    several = KeySet(members)
    members.append(key("KES").with_kid("2"))
    assert len(several) == 1
    header = {"x": ["y"]}
    signer = jwt.Signer(key("KES"), issuer="i", header=header)
    header["x"].append("z")
    assert hazmat.read_unverified(signer.sign({})).header["x"] == ["y"]
    audience = ["a"]
    check = verifier(key("KES"), audience=audience)
    audience.append("other")
    check.verify(signed("KES", ES256))
    with pytest.raises(JOSEError):
        check.verify(signed("KES", ES256, {**CLAIMS, "aud": "other"}))


def test_claims_in_a_mapping_are_the_callers_own_copy() -> None:
    check = verifier(key("KES"), claims=dict)
    first = check.verify(signed("KES", ES256))
    first.claims["sub"] = "admin"
    assert check.verify(signed("KES", ES256)).claims["sub"] == "alice"
    assert first.as_type(dict)["sub"] == "alice"


HOSTILE = [
    "a\r\nb",
    "\x1b[31mred",
    "\u2028",
    "\u202e",
    "\0",
    "\x7f",
    "\u200b",
    "\ufeff",
    "\U000e0041",
    "\ud7ff\ue000",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_messages_escape_hostile_text(text: str) -> None:
    check = verifier(key("KES").with_kid("k"), typ="at+jwt")
    calls: list[tuple[Callable[..., object], Any]] = [
        *(
            (check.verify, signed("KES", {**ES256, "kid": "k", name: text}))
            for name in ("alg", "kid", "typ", "cty", text)
        ),
        (check.verify, signed("KES", {**ES256, "crit": [text], text: 1})),
        (check.verify, signed("KES", {**ES256, "crit": [text]})),
        *((check.verify, signed("KES", ES256, {**CLAIMS, name: text})) for name in ("iss", "aud", "exp")),
        *(
            (Key.from_jwk, {**key("KES").to_jwk(), name: text})
            for name in ("kty", "crv", "x", "alg", "use", "key_ops")
        ),
        *(
            (Key.from_jwk, {**key("KES").to_jwk(), name: [text]})
            for name in ("kty", "crv", "x", "alg", "use", "key_ops", "kid")
        ),
        (Key.from_jwk, json.dumps({text: 1})),
        (KeySet.from_jwks, {"keys": [{"kty": text}], text: 1}),
        (Key.generate, text),
        (Key.generate, "none" + text),
        (lambda text: Key.generate("ES256", crv=text), text),
        (lambda text: jwe.encrypt(b"x", key("KKW"), enc=text), text),
        (lambda text: jwe.decrypt("", key("KKW"), enc={text}), text),
        (lambda text: jws.sign(b"x", key("KES"), typ="a", header={"typ": text, "alg": text}), text),
        (lambda text: jws.sign(b"x", key("KES"), header={text: 1, "crit": [text, text]}), text),
        (
            lambda token: jwe.decrypt(token, key("KDIR")),
            encrypted({"alg": "dir", "enc": text}, bytes(32), enc="A256GCM").compact(),
        ),
    ]
    for call, argument in calls:
        error = error_of(call, argument)
        if error is not None:
            assert str(error).isprintable(), ascii(str(error))
            assert repr(error).isprintable()
            assert error.message.isprintable()
    refused((UnexpectedTypeError,), check.verify, signed("KES", {**ES256, "kid": "k", "typ": text}))
    refused(
        (CriticalHeaderError,), check.verify, signed("KES", {**ES256, "kid": "k", "crit": [text], text: 1})
    )
    ignored = KeySet.from_jwks({"keys": [{"kty": text, "alg": "ES256"}, {"kty": "EC", "alg": text}]}).ignored
    assert len(ignored) == 2
    assert all(reason.isprintable() for reason in ignored)
    assert repr(key("KES").with_kid(text)).isprintable()


UNKNOWN = [
    "",
    "none",
    "md5",
    "HS1",
    "hs256",
    "HS256 ",
    "ES257",
    "SHA256",
    "sha1",
    "__class__",
    "A256GCM\0",
    "HS256,RS256",
    "*",
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_cve_2026_28498_unknown_names_fail_closed(name: str) -> None:
    hashing: Any = name
    refused(ConfigurationError, key("KES").thumbprint, hashing)
    refused(ConfigurationError, key("KES").thumbprint_uri, hashing)
    for named_by_caller in (True, False):
        with pytest.raises(UnsupportedAlgorithmError):
            get_algorithm(name, named_by_caller=named_by_caller)
    assert find_content_encryption(name) is None
    refused(UnsupportedAlgorithmError, Key.generate, name)
    refused(UnsupportedAlgorithmError, Key.from_secret, SECRET, name)
    refused(UnsupportedAlgorithmError, Key.from_pem, forging.spki(forging.rsa_private()), name)
    refused(ConfigurationError, jwe.encrypt, b"x", key("KKW"), enc=name)
    refused(ConfigurationError, jwe.decrypt, to_recipient("A256KW").compact(), key("KKW"), enc={name})
    refused(
        UnsupportedKeyError, Key.from_jwk, {"kty": "EC", "crv": name, "alg": "ES256", "x": "AA", "y": "AA"}
    )
    refused(UnsupportedKeyError, Key.from_jwk, {"kty": name, "alg": "ES256"})
    refused(UnsupportedAlgorithmError, KeySet.from_jwks, {"keys": []}, algorithms={name})
    refused(ConfigurationError, Key.generate, "ECDH-ES", crv=name)
    token = encrypted({"alg": "A256KW", "enc": name}, bytes(32), enc="A256GCM")
    refused(AlgorithmMismatchError, jwe.decrypt, token.compact(), key("KKW"))


@pytest.mark.parametrize("name", [None, 1, ["sha256"], {"sha256": 1}, b"sha256", True], ids=repr)
def test_names_of_another_type_fail_closed(name: Any) -> None:
    refused(ConfigurationError, key("KES").thumbprint, name)
    refused(UnsupportedAlgorithmError, Key.generate, name)
    refused(ConfigurationError, Key.generate, "ECDH-ES", crv=name if name is not None else 1)
    if name is not None:
        refused(ConfigurationError, jwe.encrypt, b"x", key("KKW"), enc=name)


def test_there_is_no_way_to_register_an_algorithm() -> None:
    from coatcheck.jose import algorithms

    for table in (algorithms.SIGNATURE, algorithms.KEY_ENCRYPTION, algorithms.CONTENT_ENCRYPTION):
        anything: Any = table
        with pytest.raises(TypeError):
            anything["none"] = None
    row: Any = algorithms.SIGNATURE["HS256"]
    with pytest.raises(AttributeError):
        row.minimum_bits = 0
