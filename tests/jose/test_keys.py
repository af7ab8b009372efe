"""Keys: made, read, written, and never more than they were made for."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core import base64url
from coatcheck.jose import Key
from coatcheck.jose.algorithms import (
    CONTENT_ENCRYPTION,
    KEY_ENCRYPTION,
    SIGNATURE,
    KeyEncryption,
    SignatureAlgorithm,
)
from coatcheck.jose.errors import (
    ConfigurationError,
    InvalidSignatureError,
    JOSEError,
    KeyImportError,
    KeyUseError,
    UnsupportedAlgorithmError,
    UnsupportedKeyError,
    WeakKeyError,
)
from tests.jose.samples import (
    ALL_NAMES,
    ASYMMETRIC_NAMES,
    ENCRYPTION_NAMES,
    PASSWORD,
    PRIVATE_MEMBERS,
    SIGNATURE_NAMES,
    SYMMETRIC_NAMES,
    encryption_header,
    key_for,
    other_side,
)

EVERY_CURVE = [
    *((alg, None) for alg in ALL_NAMES),
    *(("ECDH-ES", crv) for crv in ("P-256", "P-384", "P-521", "X25519", "X448")),
    *(("EdDSA", crv) for crv in ("Ed25519", "Ed448")),
]
GENERATED = [name for name in ALL_NAMES if not name.startswith(("PBES2", "RS", "PS"))]
RANDOM_SECRETS = [name for name in SYMMETRIC_NAMES if not name.startswith("PBES2")]
ROWS: dict[str, SignatureAlgorithm | KeyEncryption] = {**SIGNATURE, **KEY_ENCRYPTION}
CONTENT = CONTENT_ENCRYPTION["A128GCM"]


def works(private: Key, public: Key) -> bool:
    """Whether what one key makes the other one accepts."""
    if private.use == "sig":
        public.verify(b"message", private.sign(b"message"))
        return True
    enc = CONTENT_ENCRYPTION.get(private.alg, CONTENT)
    if KEY_ENCRYPTION[private.alg].decrypt_only:
        return private.thumbprint() == public.thumbprint()
    header = encryption_header(private.alg)
    wrapped = public.encrypt_key(enc, cek=None, header=header)
    unwrapped = private.decrypt_key(
        enc, encrypted_key=wrapped.encrypted_key, header={**header, **wrapped.header}
    )
    return bool(unwrapped == wrapped.cek)


def export(key: Key) -> dict[str, Any]:
    return key.to_private_jwk() if key.is_private else key.to_jwk()


def secrets_of(key: Key) -> list[str]:
    return [value for name, value in key.to_private_jwk().items() if name in PRIVATE_MEMBERS]


def certificate(public: Any, signer: Any, digest: hashes.SHA256 | None) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2001, 1, 2, tzinfo=dt.UTC))
        .sign(signer, digest)
    )


# Making


@pytest.mark.parametrize("alg", GENERATED)
def test_a_generated_key_does_the_work_of_its_algorithm(alg: str) -> None:
    key = Key.generate(alg)
    assert key.alg == alg
    assert key.is_private
    assert key.use == ROWS[alg].use
    assert works(key, other_side(key))


@pytest.mark.parametrize("alg", ["RS256", "RSA-OAEP-256"])
def test_a_generated_rsa_key_has_the_size_asked_for(alg: str) -> None:
    key = Key.generate(alg, bits=2048)
    assert (key.kty, key.size) == ("RSA", 2048)
    assert works(key, key.public())


def test_an_rsa_key_has_3072_bits_unless_asked_otherwise() -> None:
    assert Key.generate("PS256").size == 3072


@pytest.mark.parametrize("alg", RANDOM_SECRETS)
def test_a_generated_secret_is_as_long_as_its_algorithm_asks(alg: str) -> None:
    row = ROWS[alg]
    assert Key.generate(alg).size == (row.exact_bits or row.minimum_bits)


def test_two_generated_keys_are_never_the_same() -> None:
    assert len({Key.generate("HS256").thumbprint() for _ in range(100)}) == 100


@pytest.mark.parametrize("alg", [name for name in GENERATED if name in ASYMMETRIC_NAMES])
def test_the_default_identifier_of_a_key_pair_is_its_thumbprint(alg: str) -> None:
    key = Key.generate(alg)
    assert key.kid == key.thumbprint() == key.public().kid


@pytest.mark.parametrize("alg", RANDOM_SECRETS)
def test_the_default_identifier_of_a_secret_is_random_and_tells_nothing_of_it(alg: str) -> None:
    key = Key.generate(alg)
    assert key.kid is not None
    assert len(base64url.decode(key.kid.encode())) == 16
    assert key.kid != key.thumbprint()
    assert Key.from_jwk({**key.to_private_jwk()}).kid == key.kid


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
@pytest.mark.parametrize("kid", ["mine", ""])
def test_a_named_identifier_is_kept(alg: str, kid: str) -> None:
    assert Key.generate(alg, kid=kid).kid == kid


@pytest.mark.parametrize(
    "alg, default, others",
    [
        ("ECDH-ES", "P-256", ["P-384", "P-521", "X25519", "X448"]),
        ("ECDH-ES+A128KW", "P-256", ["X25519"]),
        ("EdDSA", "Ed25519", ["Ed448"]),
        ("Ed25519", "Ed25519", ["Ed25519"]),
        ("ES384", "P-384", ["P-384"]),
    ],
)
def test_the_curve_is_the_one_asked_for_or_the_default(alg: str, default: str, others: list[str]) -> None:
    assert Key.generate(alg).crv == default
    assert [Key.generate(alg, crv=crv).crv for crv in others] == others


@pytest.mark.parametrize(
    "alg, options, message",
    [
        ("ES256", {"crv": "P-384"}, "has no curve 'P-384'; it has P-256"),
        ("EdDSA", {"crv": "X25519"}, "it has Ed25519 or Ed448"),
        ("HS256", {"crv": "P-256"}, "it has none"),
        ("RS256", {"crv": "P-256"}, "it has none"),
        ("ES256", {"bits": 256}, "leave 'bits' out"),
        ("HS256", {"bits": 512}, "leave 'bits' out"),
        ("RS256", {"bits": 1024}, "from 2048 to 16384"),
        ("RS256", {"bits": 16385}, "from 2048 to 16384"),
        ("RS256", {"bits": "2048"}, "from 2048 to 16384"),
        ("RS256", {"bits": True}, "from 2048 to 16384"),
        ("PBES2-HS256+A128KW", {}, "use Key.from_password"),
        ("ES256", {"kid": 7}, "'kid' must be a string"),
    ],
)
def test_a_key_cannot_be_made_with_options_that_do_not_fit(
    alg: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Key.generate(alg, **options)


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "HS1", "hs256", "HS256 ", "", "dir", "RS1", 5, None, b"HS256"]
)
def test_no_key_is_made_for_an_algorithm_outside_the_table(alg: Any) -> None:
    with pytest.raises(UnsupportedAlgorithmError) as caught:
        Key.generate(alg)
    assert caught.value.alg == alg


# JWK


@pytest.mark.parametrize("alg, crv", EVERY_CURVE)
def test_a_key_read_from_its_jwk_is_the_same_key(alg: str, crv: str | None) -> None:
    key = key_for(alg, crv)
    jwk = key.to_private_jwk()
    for form in (jwk, json.dumps(jwk), json.dumps(jwk).encode()):
        again = Key.from_jwk(form, alg=alg)
        assert again.to_private_jwk() == jwk
        assert (again.alg, again.kid, again.kty, again.crv, again.size) == (
            key.alg,
            key.kid,
            key.kty,
            key.crv,
            key.size,
        )
        assert works(again, other_side(key))


@pytest.mark.parametrize("alg, crv", EVERY_CURVE)
def test_the_jwk_names_algorithm_use_and_identifier(alg: str, crv: str | None) -> None:
    key = key_for(alg, crv)
    jwk = key.to_private_jwk()
    assert (jwk["alg"], jwk["use"], jwk["kid"]) == (alg, key.use, key.kid)
    assert "key_ops" not in jwk
    assert "kid" not in key.with_kid(None).to_private_jwk()


@pytest.mark.parametrize("alg", [name for name in ALL_NAMES if ROWS[name].deprecated is None])
def test_an_exported_jwk_can_be_read_without_naming_the_algorithm_again(alg: str) -> None:
    assert Key.from_jwk(key_for(alg).to_private_jwk()).alg == alg


@pytest.mark.parametrize("alg", [name for name in ALL_NAMES if ROWS[name].deprecated is not None])
def test_a_deprecated_algorithm_must_be_named_by_the_caller(alg: str) -> None:
    jwk = key_for(alg).to_private_jwk()
    with pytest.raises(UnsupportedAlgorithmError, match="deprecated"):
        Key.from_jwk(jwk)
    assert Key.from_jwk(jwk, alg=alg).alg == alg


@pytest.mark.parametrize("alg, crv", [pair for pair in EVERY_CURVE if pair[0] in ASYMMETRIC_NAMES])
def test_public_exports_hold_no_private_member(alg: str, crv: str | None) -> None:
    key = key_for(alg, crv)
    for half in (key, key.public()):
        jwk = half.to_jwk()
        assert not PRIVATE_MEMBERS & jwk.keys()
        shown = json.dumps(jwk).encode() + half.to_pem() + half.to_der()
        assert not any(base64url.decode(secret.encode()) in half.to_der() for secret in secrets_of(key)[:1])
        assert not any(secret.encode() in shown for secret in secrets_of(key))
        assert b"PRIVATE" not in half.to_pem()


@pytest.mark.parametrize("alg", SYMMETRIC_NAMES)
def test_a_secret_has_no_public_form_at_all(alg: str) -> None:
    key = key_for(alg)
    for refused in (key.public, key.to_jwk, key.to_pem, key.to_der, key.to_private_pem, key.to_private_der):
        with pytest.raises(KeyUseError, match="symmetric"):
            refused()
    assert key.is_symmetric
    assert key.is_private


@pytest.mark.parametrize("alg", ASYMMETRIC_NAMES)
def test_a_public_key_has_no_private_form(alg: str) -> None:
    key = key_for(alg).public()
    assert not key.is_private
    assert not key.is_symmetric
    for refused in (key.to_private_jwk, key.to_private_pem, key.to_private_der):
        with pytest.raises(KeyUseError, match="no private part"):
            refused()
    with pytest.raises(KeyUseError, match="public key"):
        (key.sign if key.use == "sig" else key.decrypt_key)(b"")
    assert key.public().to_jwk() == key.to_jwk()


@pytest.mark.parametrize("alg, crv", EVERY_CURVE)
def test_no_text_about_a_key_shows_its_secret(alg: str, crv: str | None) -> None:
    key = key_for(alg, crv)
    shown = f"{key!r} {key!s} {key} {[key]} {key._material!r} {key.sign!r} {key.decrypt_key!r}"
    assert not any(secret in shown for secret in secrets_of(key))
    assert not any(repr(base64url.decode(secret.encode()))[2:-1] in shown for secret in secrets_of(key))
    assert alg in repr(key)
    assert ("secret" if key.is_symmetric else "private") in repr(key)
    if not key.is_symmetric:
        assert "public" in repr(key.public())


@pytest.mark.parametrize(
    "name", ["alg", "kid", "kty", "crv", "size", "use", "is_private", "is_symmetric", "algorithm"]
)
def test_facts_about_a_key_cannot_be_changed(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(key_for("ES256"), name, "other")


@pytest.mark.parametrize("alg", ALL_NAMES)
def test_another_identifier_makes_another_key_object_of_the_same_material(alg: str) -> None:
    key = key_for(alg)
    renamed = key.with_kid("other")
    assert (renamed.kid, key.kid) == ("other", f"{alg} key")
    assert renamed.with_kid(None).kid is None
    assert renamed.thumbprint() == key.thumbprint()
    assert works(key, other_side(renamed))
    with pytest.raises(ConfigurationError, match="'kid' must be a string"):
        key.with_kid(7)  # type: ignore[arg-type]


@given(st.sampled_from(EVERY_CURVE), st.randoms(use_true_random=False))
def test_the_thumbprint_does_not_depend_on_the_order_of_members_or_on_descriptions(
    pair: tuple[str, str | None], shuffler: random.Random
) -> None:
    key = key_for(*pair)
    members = [*export(key).items(), ("x-more", 1)]
    shuffler.shuffle(members)
    jwk = dict(members)
    assert Key.from_jwk(jwk, alg=key.alg).with_kid("other").thumbprint() == key.thumbprint()


@pytest.mark.parametrize("alg", ASYMMETRIC_NAMES)
def test_both_halves_have_the_same_thumbprint(alg: str) -> None:
    assert key_for(alg).thumbprint() == key_for(alg).public().thumbprint()


@pytest.mark.parametrize("name, size", [("sha256", 32), ("sha384", 48), ("sha512", 64)])
def test_thumbprints_are_made_with_the_hash_asked_for(name: Any, size: int) -> None:
    key = key_for("ES256")
    assert len(base64url.decode(key.thumbprint(name).encode())) == size
    assert key.thumbprint_uri(name) == (
        f"urn:ietf:params:oauth:jwk-thumbprint:sha-{size * 8}:{key.thumbprint(name)}"
    )


@pytest.mark.parametrize("name", ["md5", "sha1", "SHA256", "sha-256", ""])
def test_no_thumbprint_is_made_with_another_hash(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="sha256, sha384, sha512"):
        key_for("ES256").thumbprint(name)
    with pytest.raises(ConfigurationError):
        key_for("ES256").thumbprint_uri(name)


def jwk_of(name: str, /, **changes: Any) -> dict[str, Any]:
    """The private JWK of an algorithm, and curve, with members changed, or left out where the change is ``...``."""
    alg, _, crv = name.partition(" ")
    members = {**key_for(alg, crv or None).to_private_jwk(), **changes}
    return {name: value for name, value in members.items() if value is not ...}


@pytest.mark.parametrize(
    "jwk, message",
    [
        (jwk_of("ES256", kty=...), "'kty'"),
        (jwk_of("ES256", kty=5), "'kty'"),
        (jwk_of("ES256", alg=5), "'alg' must be a string"),
        (jwk_of("ES256", alg=None), "'alg' must be a string"),
        (jwk_of("ES256", kid=5), "'kid' must be a string"),
        (jwk_of("ES256", kid=None), "'kid' must be a string"),
        (jwk_of("ES256", use=5), "'use' must be a string"),
        (jwk_of("ES256", use=None), "'use' must be a string"),
        (jwk_of("ES256", key_ops="sign"), "'key_ops' must be an array"),
        (jwk_of("ES256", key_ops=None), "'key_ops' must be an array"),
        (jwk_of("ES256", key_ops=[1]), "'key_ops' must be an array of strings"),
        (jwk_of("ES256", key_ops=["sign", "sign"]), "repeats"),
        (jwk_of("ES256", crv=...), "'crv'"),
        (jwk_of("ES256", x=...), "'x'"),
        (jwk_of("ES256", x=5), "'x'"),
        (jwk_of("ES256", x="AA"), "'x' must be 32 octets long, not 1"),
        (jwk_of("ES256", x="é"), "'x' is not canonical"),
        (jwk_of("ES256", x="\ud800"), "'x' is not canonical"),
        (jwk_of("ES256", x=key_for("ES256").to_jwk()["x"] + "="), "'x' is not canonical"),
        (jwk_of("ES256", x=base64url.encode(bytes(32))), "not a point on P-256"),
        (jwk_of("ES256", d="AA"), "'d' must be 32"),
        (jwk_of("ES256", d=None), "'d'"),
        (jwk_of("ES256", d=base64url.encode(bytes(32))), "'d' is not a private key"),
        (jwk_of("ES256", d=base64url.encode(b"\xff" * 32)), "'d' is not a private key"),
        (jwk_of("ES256", d=base64url.encode(b"\x01" * 32)), "do not belong to 'd'"),
        (jwk_of("Ed25519", x=...), "'x'"),
        (jwk_of("Ed25519", d="AA"), "'d' must be 32"),
        (jwk_of("Ed25519", d=base64url.encode(b"\x01" * 32)), "does not belong to 'd'"),
        (jwk_of("Ed448", d=base64url.encode(b"\x01" * 57)), "does not belong to 'd'"),
        (jwk_of("ECDH-ES X25519", d=base64url.encode(b"\x01" * 32)), "does not belong to 'd'"),
        (jwk_of("RS256", n=...), "'n'"),
        (jwk_of("RS256", n=""), "'n' must be a number"),
        (jwk_of("RS256", e="AAEAAQ"), "'e' must be a number without leading zero"),
        (jwk_of("RS256", d="Aw"), "do not belong together"),
        (jwk_of("RS256", p=..., q=..., dp=..., dq=..., qi=..., d="Aw"), "do not belong together"),
        (jwk_of("RS256", p=...), "'p'"),
        (jwk_of("RS256", qi="Aw"), "do not belong together"),
        (jwk_of("HS256", k=...), "'k'"),
        (jwk_of("HS256", k="A"), "'k' is not canonical"),
        (jwk_of("ML-DSA-44", pub=...), "'pub'"),
        (jwk_of("ML-DSA-44", pub="AA"), "'pub' must be 1312"),
        (jwk_of("ML-DSA-44", priv="AA"), "'priv' must be 32"),
        (jwk_of("ML-DSA-44", priv=base64url.encode(b"\x01" * 32)), "does not belong to 'priv'"),
    ],
)  # fmt: skip
def test_a_malformed_jwk_is_refused_with_the_member_named(jwk: dict[str, Any], message: str) -> None:
    with pytest.raises(KeyImportError, match=message):
        Key.from_jwk(jwk)


@pytest.mark.parametrize(
    "jwk, message",
    [
        (jwk_of("ES256", kty="XYZ"), "type 'XYZ' are not supported"),
        (jwk_of("ES256", crv="P-192"), "'P-192' are not supported"),
        (jwk_of("Ed25519", crv="Ed521"), "'Ed521' are not supported"),
        (jwk_of("ML-DSA-44", kty="AKP", alg="HS256"), "'HS256' are not supported"),
        (jwk_of("RS256", oth=[{"r": "AA", "d": "AA", "t": "AA"}]), "two primes"),
    ],
)
def test_a_kind_of_key_outside_the_table_is_told_apart_from_a_malformed_one(
    jwk: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedKeyError, match=message):
        Key.from_jwk(jwk)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not valid JSON"),
        ("[]", "not a JSON object"),
        (b"\xff", "not valid JSON"),
        ('"\ud800"', "not valid JSON|not a JSON object"),
        ('{"kty":"oct","kty":"oct"}', "repeated"),
        ('{"a":' * 20 + "1" + "}" * 20, "nested deeper"),
        (" " * 1_048_577, "larger than 1048576 bytes"),
    ],
)
def test_text_that_is_no_jwk_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(KeyImportError, match=message):
        Key.from_jwk(text)


@pytest.mark.parametrize("jwk", [5, None, [("kty", "oct")]])
def test_a_jwk_must_be_given_as_a_mapping_or_json(jwk: Any) -> None:
    with pytest.raises(ConfigurationError, match="mapping or JSON"):
        Key.from_jwk(jwk)


def test_an_rsa_key_with_its_private_exponent_alone_gets_its_primes_back() -> None:
    jwk = jwk_of("RS256", p=..., q=..., dp=..., dq=..., qi=...)
    again = Key.from_jwk(jwk)
    assert {again.to_private_jwk()[name] for name in "pq"} == {jwk_of("RS256")[name] for name in "pq"}
    assert works(again, key_for("RS256").public())


def test_the_primes_of_a_huge_rsa_key_are_not_searched_for(rsa_private_key: rsa.RSAPrivateKey) -> None:
    huge = rsa_private_key.public_key().public_numbers().n ** 3
    number = base64url.encode(huge.to_bytes(6144 // 8, "big"))
    with pytest.raises(UnsupportedKeyError, match="must come with its primes"):
        Key.from_jwk({"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": number, "d": number})


def test_a_jwk_without_algorithm_is_refused_with_the_names_that_fit() -> None:
    with pytest.raises(KeyImportError, match="it fits: ES256, ECDH-ES"):
        Key.from_jwk(jwk_of("ES256", alg=...))
    with pytest.raises(UnsupportedKeyError, match="'XYZ' fit no algorithm"):
        Key.from_jwk({"kty": "XYZ"})


@pytest.mark.parametrize("alg", [name for name in SIGNATURE_NAMES if name != "EdDSA"])
def test_a_jwk_is_not_read_for_another_algorithm_than_it_names(alg: str) -> None:
    other = "ES384" if alg != "ES384" else "ES256"
    with pytest.raises(KeyUseError, match="one key, one algorithm"):
        Key.from_jwk(key_for(alg).to_private_jwk(), alg=other)


@pytest.mark.parametrize("stated, named", [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
def test_the_old_and_the_new_name_of_edwards_curves_stand_for_each_other_in_a_jwk(
    stated: str, named: str
) -> None:
    assert Key.from_jwk(jwk_of("Ed25519", alg=stated), alg=named).alg == named


@pytest.mark.parametrize("enc", CONTENT_ENCRYPTION)
def test_a_jwk_for_direct_encryption_is_pinned_to_what_it_encrypts_with(enc: str) -> None:
    assert Key.from_jwk(jwk_of(enc, alg="dir"), alg=enc).alg == enc
    with pytest.raises(UnsupportedAlgorithmError, match="pinned to what it encrypts with"):
        Key.from_jwk(jwk_of(enc, alg="dir"))


# Secrets and passwords


@pytest.mark.parametrize("alg", RANDOM_SECRETS)
def test_a_secret_of_the_right_size_is_taken_and_a_shorter_one_refused(alg: str) -> None:
    row = ROWS[alg]
    size = (row.exact_bits or row.minimum_bits) // 8
    assert Key.from_secret(bytes(range(size)), alg, kid="mine").kid == "mine"
    with pytest.raises((WeakKeyError, KeyUseError), match="must have"):
        Key.from_secret(bytes(range(size - 1)), alg)
    if row.exact_bits:
        with pytest.raises(KeyUseError, match=f"must have {size * 8} bits"):
            Key.from_secret(bytes(range(size + 1)), alg)
    else:
        assert Key.from_secret(bytes(range(size + 1)), alg).size == size * 8 + 8


@pytest.mark.parametrize("secret", ["text", None, bytearray(64), 5])
def test_a_secret_must_be_given_as_bytes(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="bytes"):
        Key.from_secret(secret, "HS256")


@pytest.mark.parametrize("alg", ASYMMETRIC_NAMES)
def test_a_secret_is_no_key_for_an_asymmetric_algorithm(alg: str) -> None:
    with pytest.raises(KeyUseError, match="type oct cannot be used"):
        Key.from_secret(bytes(range(64)), alg)


def public_files() -> list[bytes]:
    key = key_for("ES256")
    signer = key._material.private
    return [
        key.to_pem(),
        key.to_der(),
        key.to_private_der(),
        b"\n\nsome words before " + key.to_pem(),
        key_for("RS256").to_der(),
        certificate(signer.public_key(), signer, hashes.SHA256()).public_bytes(Encoding.DER),
        signer.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(key.to_jwk()).encode(),
        b"file:///etc/keys/key.pem and so on and on",
    ]


@pytest.mark.parametrize("secret", [pytest.param(text, id=str(n)) for n, text in enumerate(public_files())])
def test_the_text_of_a_key_is_not_taken_for_a_secret(secret: bytes) -> None:
    with pytest.raises(WeakKeyError, match="text of a key"):
        Key.from_secret(secret, "HS256")


def test_octets_that_only_begin_like_a_der_file_are_taken_for_a_secret() -> None:
    assert Key.from_secret(b"\x30" + bytes(63), "HS256").size == 512


@pytest.mark.parametrize("alg", [name for name in SYMMETRIC_NAMES if name.startswith("PBES2")])
def test_a_password_serves_password_based_encryption(alg: str) -> None:
    key = Key.from_password(PASSWORD, alg, kid="mine")
    assert (key.kid, key.alg) == ("mine", alg)
    assert works(key, Key.from_password(PASSWORD.encode(), alg))


def test_a_password_is_for_the_strongest_algorithm_unless_asked_otherwise() -> None:
    assert Key.from_password(PASSWORD).alg == "PBES2-HS512+A256KW"


@pytest.mark.parametrize("password", ["", "1234567", b"1234567", "éé"])
def test_a_short_password_is_refused(password: str | bytes) -> None:
    with pytest.raises(WeakKeyError, match="8 octets"):
        Key.from_password(password)


@pytest.mark.parametrize("octets", [b"", b"1234567"])
def test_a_short_password_is_refused_in_every_form(octets: bytes) -> None:
    with pytest.raises(WeakKeyError):
        Key.from_secret(octets, "PBES2-HS256+A128KW")
    with pytest.raises(WeakKeyError):
        Key.from_jwk({"kty": "oct", "k": base64url.encode(octets)}, alg="PBES2-HS256+A128KW")


@pytest.mark.parametrize("password", [None, 12345678, bytearray(b"12345678"), "\ud800" * 8])
def test_a_password_must_be_text_or_bytes(password: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"[Pp]assword"):
        Key.from_password(password)


@pytest.mark.parametrize("alg", [name for name in ALL_NAMES if not name.startswith("PBES2")])
def test_a_password_is_no_key_for_any_other_algorithm(alg: str) -> None:
    with pytest.raises(KeyUseError, match="not a password"):
        Key.from_password(PASSWORD, alg)


# Files


ALL_FILES = [pair for pair in EVERY_CURVE if pair[0] in ASYMMETRIC_NAMES]


@pytest.mark.parametrize("password", [None, "word", b"word"])
@pytest.mark.parametrize("alg, crv", ALL_FILES)
def test_a_private_key_survives_pem_and_der(alg: str, crv: str | None, password: str | bytes | None) -> None:
    key = key_for(alg, crv)
    pem, der = key.to_private_pem(password=password), key.to_private_der(password=password)
    assert (b"ENCRYPTED" in pem) is (password is not None)
    for again in (
        Key.from_pem(pem, alg, kid=key.kid, password=password),
        Key.from_pem(pem.decode(), alg, kid=key.kid, password=password),
        Key.from_der(der, alg, kid=key.kid, password=password),
    ):
        assert again.to_private_jwk() == key.to_private_jwk()


@pytest.mark.parametrize("alg, crv", ALL_FILES)
def test_a_public_key_survives_pem_and_der(alg: str, crv: str | None) -> None:
    key = key_for(alg, crv).public()
    for again in (
        Key.from_pem(key.to_pem(), alg, kid=key.kid),
        Key.from_pem(key.to_pem().decode(), alg, kid=key.kid),
        Key.from_der(key.to_der(), alg, kid=key.kid),
    ):
        assert not again.is_private
        assert again.to_jwk() == key.to_jwk()


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K", "RS256"])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_traditional_private_files_are_read(alg: str, encoding: Encoding) -> None:
    key = key_for(alg)
    for protection in (NoEncryption(), BestAvailableEncryption(b"word")):
        if encoding is Encoding.DER and not isinstance(protection, NoEncryption):
            continue  # there is no such form
        octets = key._material.private.private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, protection)
        password = None if isinstance(protection, NoEncryption) else "word"
        read = Key.from_pem if encoding is Encoding.PEM else Key.from_der
        assert read(octets, alg, password=password).thumbprint() == key.thumbprint()


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_pkcs1_public_file_is_read(rsa_private_key: rsa.RSAPrivateKey, encoding: Encoding) -> None:
    octets = rsa_private_key.public_key().public_bytes(encoding, PublicFormat.PKCS1)
    read = Key.from_pem if encoding is Encoding.PEM else Key.from_der
    assert read(octets, "PS256").thumbprint() == key_for("RS256").thumbprint()


@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
def test_a_certificate_serves_as_the_envelope_of_its_key(alg: str) -> None:
    key = key_for(alg)
    private = key._material.private
    made = certificate(private.public_key(), private, None if alg == "Ed25519" else hashes.SHA256())
    pem, der = made.public_bytes(Encoding.PEM), made.public_bytes(Encoding.DER)
    for read in (Key.from_pem(pem, alg), Key.from_pem(b"Words before\n" + pem, alg), Key.from_der(der, alg)):
        assert not read.is_private
        assert read.thumbprint() == key.thumbprint()


def test_a_private_key_is_not_read_without_with_a_wrong_or_with_a_superfluous_password() -> None:
    key = key_for("ES256")
    locked, bare = key.to_private_pem(password="word"), key.to_private_pem()
    with pytest.raises(KeyImportError, match="needs its password"):
        Key.from_pem(locked, "ES256")
    with pytest.raises(KeyImportError, match="password is wrong"):
        Key.from_pem(locked, "ES256", password="other")
    with pytest.raises(KeyImportError, match="leave the password out"):
        Key.from_pem(bare, "ES256", password="word")
    with pytest.raises(KeyImportError, match="leave the password out"):
        Key.from_pem(key.to_pem(), "ES256", password="word")
    with pytest.raises(KeyImportError, match="needs its password"):
        Key.from_der(key.to_private_der(password="word"), "ES256")
    with pytest.raises(KeyImportError, match="password is wrong"):
        Key.from_der(key.to_private_der(password="word"), "ES256", password="other")
    with pytest.raises(KeyImportError, match="cannot be read"):
        Key.from_der(key.to_der(), "ES256", password="word")
    with pytest.raises(ConfigurationError, match="password"):
        Key.from_pem(locked, "ES256", password=5)  # type: ignore[arg-type]


def test_a_private_key_is_not_locked_with_an_empty_password() -> None:
    for write in (key_for("ES256").to_private_pem, key_for("ES256").to_private_der):
        with pytest.raises(ConfigurationError, match="must not be empty"):
            write(password="")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "é",
        b"\xff",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----",
        key_for("ES256").to_pem()[:-40],
    ],
)
def test_what_is_no_pem_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(KeyImportError, match="read"):
        Key.from_pem(text, "ES256")


@pytest.mark.parametrize("octets", [b"", b"\x30", b"\x30\x03\x02\x01\x00", key_for("ES256").to_pem()])
def test_what_is_no_der_file_is_refused(octets: bytes) -> None:
    with pytest.raises(KeyImportError, match="cannot be read"):
        Key.from_der(octets, "ES256")


@pytest.mark.parametrize("data", [None, 5, bytearray(b"x")])
def test_a_key_file_must_be_given_as_bytes(data: Any) -> None:
    for read in (Key.from_pem, Key.from_der):
        with pytest.raises(ConfigurationError, match="bytes"):
            read(data, "ES256")
    with pytest.raises(ConfigurationError, match="bytes"):
        Key.from_der("text", "ES256")  # type: ignore[arg-type]


def test_a_key_file_of_absurd_size_is_not_even_parsed() -> None:
    for read in (Key.from_pem, Key.from_der):
        with pytest.raises(KeyImportError, match="larger than 65536"):
            read(b" " * 65_537, "ES256")


def foreign_files() -> list[bytes]:
    """Keys of kinds that no algorithm here uses."""
    made: list[Any] = [
        ec.generate_private_key(ec.BrainpoolP256R1()),
        dsa.DSAParameterNumbers(
            p=int(
                "E0A67598CD1B763BC98C8ABB333E5DDA0CD3AA0E5E1FB5BA8A7B4EABC10BA338FAE06DD4B90FDA70"
                "D7CF0CB0C638BE3341BEC0AF8A7330A3307DED2299A0EE606DF035177A239C34A912C202AA5F83B9"
                "C4A7CF0235B5316BFC6EFB9A248411258B30B839AF172440F32563056CB67A861158DDD90E6A894C"
                "72A5BBEF9E286C6B",
                16,
            ),
            q=int("E950511EAB424B9A19A2AEB4E159B7844C589C4F", 16),
            g=int(
                "D29D5121B0423C2769AB21843E5A3240FF19CACC792264E3BB6BE4F78EDD1B15C4DFF7F1D905431F"
                "0AB16790E1F773B5CE01C804E509066A9919F5195F4ABC58189FD9FF987389CB5BEDF21B4DAB4F8B"
                "76A055FFE2770988FE2EC2DE11AD92219F0B351869AC24DA3D7BA87011A701CE8EE7BFE49486ED45"
                "27B7186CA4610A75",
                16,
            ),
        )
        .parameters()
        .generate_private_key(),
    ]
    return [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in made]


@pytest.mark.parametrize("pem", foreign_files())
def test_keys_of_kinds_that_no_algorithm_uses_are_told_so(pem: bytes) -> None:
    with pytest.raises(UnsupportedKeyError, match="not supported"):
        Key.from_pem(pem, "ES256")


# What a key fits


@pytest.mark.parametrize("alg", ALL_NAMES)
@pytest.mark.parametrize("other", ["ES256", "RS256", "HS256", "Ed25519", "ML-DSA-44"])
def test_a_key_fits_just_the_algorithms_of_its_type_curve_and_size(alg: str, other: str) -> None:
    key, row = key_for(other), ROWS[alg]
    jwk = {name: value for name, value in key.to_private_jwk().items() if name not in {"alg", "use"}}
    if other == "ML-DSA-44":
        jwk["alg"] = alg if alg.startswith("ML-DSA") else other
    fits = key.kty in row.key_types and (not row.curves or (key.crv or other) in row.curves)
    fits = fits and key.size >= row.minimum_bits and row.exact_bits in {0, key.size}
    if fits:
        assert Key.from_jwk(jwk, alg=alg).alg == alg
    else:
        with pytest.raises((KeyUseError, KeyImportError)):
            Key.from_jwk(jwk, alg=alg)


@pytest.mark.parametrize(
    "alg, crv, wrong",
    [("ES256", None, "ES384"), ("ECDH-ES", "X25519", "Ed25519"), ("Ed25519", None, "Ed448")],
)
def test_a_key_on_another_curve_is_refused_with_the_curve_named(
    alg: str, crv: str | None, wrong: str
) -> None:
    with pytest.raises(KeyUseError, match="needs a key on"):
        Key.from_pem(key_for(alg, crv).to_private_pem(), wrong)


def test_a_small_rsa_key_is_refused_in_every_form() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - on purpose
    numbers = small.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": base64url.encode(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    with pytest.raises(WeakKeyError, match="at least 2048 bits; this one has 1024"):
        Key.from_jwk(jwk, alg="RS256")
    pem = small.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(WeakKeyError, match="1024"):
        Key.from_pem(pem, "RSA-OAEP")


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
def test_a_key_for_signatures_does_not_encrypt(alg: str) -> None:
    for refused in (key_for(alg).encrypt_key, key_for(alg).decrypt_key):
        with pytest.raises(KeyUseError, match="for signatures"):
            refused(CONTENT)


@pytest.mark.parametrize("alg", ENCRYPTION_NAMES)
def test_a_key_for_encryption_does_not_sign(alg: str) -> None:
    for refused in (key_for(alg).sign, key_for(alg).verify):
        with pytest.raises(KeyUseError, match="not for signatures"):
            refused(b"")  # type: ignore[call-arg]


def test_the_old_rsa_padding_is_for_decryption_only() -> None:
    with pytest.raises(KeyUseError, match="decryption of old tokens only"):
        key_for("RSA1_5").public().encrypt_key(CONTENT, cek=None, header={})


@pytest.mark.parametrize("alg", SIGNATURE_NAMES)
@pytest.mark.parametrize("change", ["flipped", "shorter", "longer", "empty"])
def test_a_changed_signature_never_verifies(alg: str, change: str) -> None:
    key = key_for(alg)
    good = key.sign(b"message")
    changed = {
        "flipped": bytes([good[0] ^ 1]) + good[1:],
        "shorter": good[:-1],
        "longer": good + b"\0",
        "empty": b"",
    }[change]
    with pytest.raises(InvalidSignatureError):
        other_side(key).verify(b"message", changed)
    with pytest.raises(InvalidSignatureError):
        other_side(key).verify(b"another", good)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
def test_an_elliptic_signature_has_one_form_only(alg: str) -> None:
    key = key_for(alg)
    signature = key.sign(b"message")
    r, s = signature[: len(signature) // 2], signature[len(signature) // 2 :]
    numbers = (int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    for other in (r + b"\0" + s, b"\0" + r + b"\0" + s, encode_dss_signature(*numbers), s + r):
        with pytest.raises(InvalidSignatureError):
            key.verify(b"message", other)


# Permissions

AGREEING = {"deriveKey", "deriveBits"}


def private_side(alg: str) -> set[str]:
    """The operations of which each allows to sign or decrypt."""
    if alg in SIGNATURE:
        return {"sign"}
    if alg in CONTENT_ENCRYPTION:
        return {"decrypt"}
    family = {"RSA": {"unwrapKey", "decrypt"}, "ECD": AGREEING, "PBE": AGREEING | {"unwrapKey"}}
    return family.get(alg[:3], {"unwrapKey"})


PRIVATE_SIDE = {alg: private_side(alg) for alg in ALL_NAMES}
COUNTERPART = {"sign": "verify", "decrypt": "encrypt", "unwrapKey": "wrapKey"}
PUBLIC_SIDE = {alg: {COUNTERPART.get(name, name) for name in names} for alg, names in PRIVATE_SIDE.items()}
OPERATIONS = sorted({*COUNTERPART, *COUNTERPART.values(), *AGREEING})


def attempted(key: Key, *, private: bool) -> bool:
    """Whether the key does its work on one side, rather than refusing it."""
    enc = CONTENT_ENCRYPTION.get(key.alg, CONTENT)
    good = key_for(key.alg)
    try:
        if key.use == "sig":
            if private:
                key.sign(b"")
            else:
                key.verify(b"", good.sign(b""))
        elif private:
            header = encryption_header(key.alg)
            if key.alg == "RSA1_5":
                key.decrypt_key(enc, encrypted_key=bytes(256), header={})
            else:
                wrapped = other_side(good).encrypt_key(enc, cek=None, header=header)
                key.decrypt_key(enc, encrypted_key=wrapped.encrypted_key, header={**header, **wrapped.header})
        else:
            key.encrypt_key(enc, cek=None, header=encryption_header(key.alg))
    except KeyUseError:
        return False
    return True


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("alg", ALL_NAMES)
def test_a_key_restricted_to_one_operation_does_just_that_one(alg: str, operation: str) -> None:
    jwk = jwk_of(alg, use=..., key_ops=[operation])
    of_this_use = operation in (
        {"sign", "verify"} if alg in SIGNATURE else set(OPERATIONS) - {"sign", "verify"}
    )
    if not of_this_use:
        with pytest.raises(KeyUseError, match="allow only"):
            Key.from_jwk(jwk, alg=alg)
        return
    key = Key.from_jwk(jwk, alg=alg)
    assert attempted(key, private=True) is (operation in PRIVATE_SIDE[alg])
    assert attempted(key, private=False) is (operation in PUBLIC_SIDE[alg] and alg != "RSA1_5")
    assert key.to_private_jwk()["key_ops"] == [operation]
    assert "use" not in key.to_private_jwk()


@pytest.mark.parametrize("alg", [name for name in ASYMMETRIC_NAMES if name != "RSA1_5"])
def test_the_public_half_of_a_restricted_key_has_the_counterpart_of_its_operations(alg: str) -> None:
    private = sorted(PRIVATE_SIDE[alg])
    public = Key.from_jwk(jwk_of(alg, use=..., key_ops=private), alg=alg).public()
    assert public.to_jwk()["key_ops"] == sorted({COUNTERPART.get(name, name) for name in private})
    assert attempted(public, private=False)
    assert not attempted(public, private=True)


@pytest.mark.parametrize("alg", ALL_NAMES)
def test_an_empty_list_of_operations_allows_nothing_but_the_public_half_of_an_agreement(alg: str) -> None:
    key = Key.from_jwk(jwk_of(alg, use=..., key_ops=[]), alg=alg)
    assert not attempted(key, private=True)
    assert attempted(key, private=False) is ("deriveKey" in PUBLIC_SIDE[alg])
    assert key.to_private_jwk()["key_ops"] == []


@pytest.mark.parametrize("alg", ALL_NAMES)
def test_the_use_of_a_key_must_be_that_of_its_algorithm(alg: str) -> None:
    right, wrong = ("sig", "enc") if alg in SIGNATURE else ("enc", "sig")
    assert Key.from_jwk(jwk_of(alg, use=right), alg=alg).use == right
    for use in (wrong, "", "SIG", "x" * 1000):
        with pytest.raises(KeyUseError, match="needs a key for"):
            Key.from_jwk(jwk_of(alg, use=use), alg=alg)


@pytest.mark.parametrize("operations", [["sign", "frobnicate"], ("sign", "verify")])
def test_unknown_operations_beside_known_ones_are_no_obstacle(operations: Any) -> None:
    key = Key.from_jwk(jwk_of("ES256", use=..., key_ops=operations))
    assert key.to_private_jwk()["key_ops"] == sorted(operations)


@pytest.mark.parametrize("operations", [["frobnicate"], ["sign", "encrypt"], ["verify", "deriveBits"]])
def test_operations_that_contradict_the_algorithm_are_refused(operations: list[str]) -> None:
    with pytest.raises(KeyUseError, match="not for ES256"):
        Key.from_jwk(jwk_of("ES256", use=..., key_ops=operations))


def test_operations_survive_another_identifier() -> None:
    key = Key.from_jwk(jwk_of("ES256", use=..., key_ops=["verify"])).with_kid("other")
    with pytest.raises(KeyUseError, match="do not allow to sign"):
        key.sign(b"")


MEMBERS = ["kty", "crv", "x", "y", "d", "k", "n", "e", "alg", "use", "key_ops", "kid", "pub"]
TEXTS = ["EC", "OKP", "RSA", "oct", "AKP", "P-256", "Ed25519", "ES256", "HS256", "AQAB"]
member_values: st.SearchStrategy[object] = (
    st.sampled_from([None, True, 1, 0.5, [], ["sign"], {}]) | st.sampled_from(TEXTS) | st.text(max_size=5)
)


@given(st.dictionaries(st.sampled_from(MEMBERS), member_values))
def test_any_mapping_gives_a_key_or_one_of_the_designed_errors(jwk: dict[str, Any]) -> None:
    try:
        key = Key.from_jwk(jwk)
    except JOSEError:
        return
    assert key.alg == jwk["alg"]


def test_curves_of_montgomery_and_edwards_are_not_mistaken_for_each_other() -> None:
    montgomery = x25519.X25519PrivateKey.generate().public_key()
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    for key, alg in ((montgomery, "Ed25519"), (edwards, "ECDH-ES")):
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(KeyUseError, match="needs a key on"):
            Key.from_pem(pem, alg)
