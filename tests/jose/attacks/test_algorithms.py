"""Whoever writes the header does not choose the algorithm."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from coatcheck.jose import Key, KeySet, jwe, jws, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    InvalidHeaderError,
    InvalidSignatureError,
    KeyImportError,
    KeyUseError,
    MalformedTokenError,
    NoMatchingKeyError,
    UnsupportedAlgorithmError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    ALG,
    AUDIENCE,
    CLAIMS,
    EC_FORMS,
    ED_FORMS,
    ISSUER,
    PASSWORD,
    PUBLIC_KEYS,
    RSA_FORMS,
    SECRET,
    SIGN,
    SIGNING_KEYS,
    b,
    flattened,
    hmac_tok,
    key,
    mac,
    message,
    public_jwk,
    refused,
    refused_everywhere,
    sealed,
    signed,
    tok,
    verifier,
)

HMACS = [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")]


# --- no unsigned tokens --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNING_KEYS)
@pytest.mark.parametrize("extra", [{}, {"typ": "JWT"}, {"kid": "1"}], ids=["bare", "typ", "kid"])
def test_cve_2026_28802_alg_none_with_empty_signature_is_refused(name: str, extra: dict[str, str]) -> None:
    token = tok({"alg": "none", **extra}, CLAIMS, b"")
    assert token.endswith(".")
    for keys in (key(name), key(name).with_kid("1"), KeySet([key(name).with_kid("1")])):
        for error in refused_everywhere(AlgorithmMismatchError, token, keys):
            assert isinstance(error, AlgorithmMismatchError)
            assert (error.alg, error.expected) == ("none", (ALG[name],))


@pytest.mark.parametrize(
    "alg",
    ["None", "NONE", "nOnE", "noNE", "none ", " none", "none\0", "ｎｏｎｅ", "", "nonë", "null", "None\n"],  # noqa: RUF001
)
def test_rfc8725bis_case_and_space_variants_of_none_are_refused(alg: str) -> None:
    for name in SIGNING_KEYS:
        refused_everywhere(AlgorithmMismatchError, tok({"alg": alg}), key(name))


def test_rfc8725bis_escaped_spelling_of_none_is_none_and_refused() -> None:
    for error in refused_everywhere(AlgorithmMismatchError, tok(r'{"alg":"n\u006fne"}'), key("KHS")):
        assert isinstance(error, AlgorithmMismatchError)
        assert error.alg == "none"


@pytest.mark.parametrize("name", SIGNING_KEYS)
def test_rfc8725bis_case_and_space_variants_of_alg_are_refused(name: str) -> None:
    alg = ALG[name]
    verifier(key(name)).verify(signed(name, {"alg": alg}))
    for variant in {
        alg.lower(),
        alg.upper(),
        alg.title(),
        alg.swapcase(),
        alg + " ",
        " " + alg,
        alg + "\0",
    } - {alg}:
        refused_everywhere(AlgorithmMismatchError, signed(name, {"alg": variant}), key(name))


@pytest.mark.parametrize("name", SIGNING_KEYS)
def test_alg_none_with_leftover_or_missing_signature_segment_is_refused(name: str) -> None:
    leftover = SIGN[name](message({"alg": ALG[name]}))
    refused_everywhere(AlgorithmMismatchError, tok({"alg": "none"}, CLAIMS, leftover), key(name))
    two_parts = message({"alg": "none"}).decode()
    refused(MalformedTokenError, jws.verify, two_parts, key(name))
    refused(MalformedTokenError, verifier(key(name)).verify, two_parts)


@pytest.mark.parametrize(
    "absent", [None, "", b"", [], {}, 0, False, "secret", SECRET, (), KeySet([]), Key], ids=repr
)
def test_ghsa_8wpc_h4q6_8fxv_absent_key_never_disables_verification(absent: Any) -> None:
    for token in (tok({"alg": "none"}), hmac_tok({"alg": "HS256"}, b""), signed("KHS", {"alg": "HS256"})):
        refused(ConfigurationError, jws.verify, token, absent)
        refused(ConfigurationError, jws.verify_json, flattened(token), absent)
        refused(
            ConfigurationError, jwe.decrypt, sealed({"alg": "dir", "enc": "A256GCM"}, SECRET[:32]), absent
        )
    refused(ConfigurationError, jwt.Verifier, absent, issuer=ISSUER, audience=AUDIENCE)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_rfc8725_none_can_neither_be_named_nor_produced(alg: str) -> None:
    refused(UnsupportedAlgorithmError, Key.generate, alg)
    refused(UnsupportedAlgorithmError, Key.from_secret, SECRET, alg)
    refused(UnsupportedAlgorithmError, Key.from_password, PASSWORD, alg)
    refused(UnsupportedAlgorithmError, Key.from_jwk, {"kty": "oct", "k": b(SECRET), "alg": alg})
    refused(UnsupportedAlgorithmError, Key.from_jwk, {"kty": "oct", "k": b(SECRET)}, alg=alg)
    refused(UnsupportedAlgorithmError, Key.from_jwk, {"kty": "oct", "k": "", "alg": alg})
    refused(UnsupportedAlgorithmError, KeySet.from_jwks, {"keys": []}, algorithms={alg})
    refused(ConfigurationError, jws.sign, b"{}", key("KES"), header={"alg": alg})
    refused(ConfigurationError, jwt.Signer, key("KES"), issuer=ISSUER, header={"alg": alg})
    refused(ConfigurationError, jws.sign_json, b"{}", jws.SignerInfo(key=key("KES"), protected={"alg": alg}))
    refused(
        ConfigurationError, jws.sign_json, b"{}", jws.SignerInfo(key=key("KES"), unprotected={"alg": alg})
    )
    assert KeySet.from_jwks({"keys": [{"kty": "oct", "k": b(SECRET), "alg": alg}]}).ignored


# --- a public key is no secret -------------------------------------------------------------------


@pytest.mark.parametrize("alg, digest", HMACS)
@pytest.mark.parametrize("form", RSA_FORMS)
def test_cve_2015_9235_public_rsa_key_as_hmac_secret_is_refused(form: str, alg: str, digest: str) -> None:
    token = hmac_tok({"alg": alg}, RSA_FORMS[form](forging.rsa_private()), digest=digest)
    for keys in (key("KRS"), key("KRS").public(), key("KPS"), KeySet([key("KRS"), key("KES")])):
        refused_everywhere(AlgorithmMismatchError, token, keys)


@pytest.mark.parametrize("alg, digest", HMACS)
@pytest.mark.parametrize(
    "name, form", [("KES", form) for form in EC_FORMS] + [("KED", form) for form in ED_FORMS]
)
def test_cve_2022_29217_openssh_public_key_as_hmac_secret_is_refused(
    name: str, form: str, alg: str, digest: str
) -> None:
    octets = EC_FORMS[form](forging.ec_private()) if name == "KES" else ED_FORMS[form](forging.ed_private())
    token = hmac_tok({"alg": alg}, octets, digest=digest)
    for keys in (key(name), key(name).public(), KeySet([key("KES"), key("KED")])):
        refused_everywhere(AlgorithmMismatchError, token, keys)


@pytest.mark.parametrize(
    "alg",
    ["HS256", "A256KW", "dir", "RSA-OAEP", "RSA1_5", "PBES2-HS256+A128KW", "A256GCM", "ECDH-ES", "ML-DSA-44"],
)
@pytest.mark.parametrize("name", PUBLIC_KEYS)
def test_cve_2024_37568_header_never_chooses_the_algorithm(name: str, alg: str) -> None:
    secret = key(name).to_pem()
    refused_everywhere(AlgorithmMismatchError, hmac_tok({"alg": alg}, secret), key(name).public())
    refused_everywhere(
        AlgorithmMismatchError, hmac_tok({"alg": alg, "enc": "A256GCM"}, secret), key(name).public()
    )


# --- one key, one algorithm ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, stated, sign",
    [
        ("KPS", "RS256", forging.ps),
        ("KRS", "PS256", forging.rs),
        ("KHS", "HS512", forging.hs),
        ("KED", "EdDSA", forging.ed),
        ("KES", "ES256K", forging.es),
        ("KPS", "RS256", forging.rs),
        ("KHS", "HS512", lambda octets: forging.hs(octets, "sha512")),
    ],
)
def test_cve_2026_48523_header_and_applied_algorithm_are_the_same(
    name: str, stated: str, sign: Callable[[bytes], bytes]
) -> None:
    header = {"alg": stated}
    refused_everywhere(AlgorithmMismatchError, tok(header, CLAIMS, sign(message(header))), key(name))


@pytest.mark.parametrize(
    "name, sign",
    [
        ("KPS", forging.rs),
        ("KRS", forging.ps),
        ("KRS", lambda octets: forging.rs(octets, "512")),
        ("KPS", lambda octets: forging.ps(octets, "384")),
        ("KHS", lambda octets: forging.hs(octets, "sha512")),
        ("KHS", lambda octets: forging.hs(octets, "sha512")[:32]),
    ],
)
def test_cve_2026_48523_signature_of_another_algorithm_under_the_right_name_is_refused(
    name: str, sign: Callable[[bytes], bytes]
) -> None:
    header = {"alg": ALG[name]}
    refused_everywhere(InvalidSignatureError, tok(header, CLAIMS, sign(message(header))), key(name))


def _siblings() -> dict[str, dict[str, Callable[[bytes], bytes]]]:
    """Group algorithms that take the same key, each with how an attacker signs with it."""
    sizes = ("256", "384", "512")
    return {
        "RSA": {
            **{f"RS{size}": partial(forging.rs, size=size) for size in sizes},
            **{f"PS{size}": partial(forging.ps, size=size) for size in sizes},
        },
        "oct": {alg: partial(forging.hs, digest=digest) for alg, digest in HMACS},
        "OKP": dict.fromkeys(("Ed25519", "EdDSA"), forging.ed),
    }


def _sibling(alg: str) -> Key:
    if alg.startswith("HS"):
        return Key.from_secret(SECRET, alg)
    return forging.from_private(forging.ed_private() if alg.startswith("Ed") else forging.rsa_private(), alg)


SIBLINGS = _siblings()


@pytest.mark.parametrize(
    "group, pinned, stated",
    [(group, one, other) for group, rows in SIBLINGS.items() for one in rows for other in rows],
)
def test_rfc8725bis_a_key_works_with_exactly_one_algorithm(group: str, pinned: str, stated: str) -> None:
    ours = _sibling(pinned)
    header = {"alg": stated}
    token = tok(header, CLAIMS, SIBLINGS[group][stated](message(header)))
    if pinned == stated:
        assert verifier(ours).verify(token).key is ours
    else:
        refused_everywhere(AlgorithmMismatchError, token, ours)


def test_rfc8725bis_curves_of_one_size_are_not_interchangeable() -> None:
    koblitz = forging.from_private(forging.ec_private("secp256k1"), "ES256K")
    header = {"alg": "ES256K"}
    token = tok(header, CLAIMS, forging.es(message(header), forging.ec_private("secp256k1")))
    assert verifier(koblitz).verify(token).key is koblitz
    refused_everywhere(AlgorithmMismatchError, token, key("KES"))
    refused_everywhere(AlgorithmMismatchError, signed("KES", {"alg": "ES256"}), koblitz)
    refused(KeyUseError, forging.from_private, forging.ec_private("secp256k1"), "ES256")
    refused(KeyUseError, forging.from_private, forging.ec_private(), "ES256K")


def test_cve_2026_22817_jwk_without_alg_never_takes_it_from_the_header() -> None:
    jwk = public_jwk(forging.rsa_private())
    refused(KeyImportError, Key.from_jwk, jwk)
    refused(KeyImportError, KeySet.from_jwks, {"keys": [jwk]})
    refused(KeyImportError, Key.from_jwk, {"kty": "oct", "k": b(SECRET)})
    pinned = KeySet.from_jwks({"keys": [jwk]}, algorithms={"RS256"})
    jws.verify(signed("KRS", {"alg": "RS256"}), pinned)
    for secret in (b"", forging.spki(forging.rsa_private()), jwk["n"].encode()):
        refused_everywhere(AlgorithmMismatchError, hmac_tok({"alg": "HS256"}, secret), pinned)
    refused_everywhere(AlgorithmMismatchError, signed("KPS", {"alg": "PS256"}), pinned)
    assert not KeySet.from_jwks({"keys": [jwk]}, algorithms={"HS256", "ES256"})


@pytest.mark.parametrize("alg", ["PS256", "RS384", "HS256", "ES256", "RSA-OAEP", "EdDSA", "A256GCM"])
def test_alg_argument_that_contradicts_the_jwk_is_refused(alg: str) -> None:
    refused(KeyUseError, Key.from_jwk, {**public_jwk(forging.rsa_private()), "alg": "RS256"}, alg=alg)
    members = {**public_jwk(forging.rsa_private()), "alg": "RS256"}
    assert KeySet.from_jwks({"keys": [members]}, algorithms={alg}).ignored


def test_alg_argument_of_another_key_type_is_refused() -> None:
    for alg in ("HS256", "ES256", "Ed25519", "ML-DSA-44", "A256KW", "A256GCM", "PBES2-HS256+A128KW"):
        refused(KeyUseError, Key.from_jwk, public_jwk(forging.rsa_private()), alg=alg)
        refused(KeyUseError, Key.from_pem, forging.spki(forging.rsa_private()), alg)


# --- where and how the header names it ------------------------------------------------------------


@pytest.mark.parametrize("alg", [None, 1, True, 1.5, ["HS256"], {"a": 1}, []], ids=repr)
def test_alg_that_is_not_a_string_is_refused(alg: object) -> None:
    refused_everywhere(InvalidHeaderError, signed("KHS", {"alg": alg}), key("KHS"))
    refused(InvalidHeaderError, jwe.decrypt, sealed({"alg": alg, "enc": "A256GCM"}, SECRET[:32]), key("KDIR"))


def test_alg_that_is_absent_is_refused() -> None:
    for header in ({}, {"typ": "JWT"}, {"ALG": "HS256"}, {"alg ": "HS256"}, {"enc": "A256GCM"}):
        refused_everywhere(InvalidHeaderError, signed("KHS", header), key("KHS"))
        refused(InvalidHeaderError, jwe.decrypt, sealed(header, SECRET[:32]), key("KDIR"))


@pytest.mark.parametrize("protected", [{"alg": "RS256"}, {"alg": "HS256"}, {"alg": "none"}])
def test_ghsa_jc38_x7x8_2xc8_unprotected_header_never_overrides_the_protected_alg(
    protected: dict[str, str],
) -> None:
    forged = hmac_tok(protected, forging.spki(forging.rsa_private()))
    honest = signed("KRS", protected)
    for token in (forged, honest):
        for alg in ("HS256", "RS256", "none"):
            refused(InvalidHeaderError, jws.verify_json, flattened(token, {"alg": alg}), key("KRS"))


def test_ghsa_jc38_x7x8_2xc8_unprotected_alg_cannot_be_another_than_the_keys() -> None:
    payload, pem = b(CLAIMS), forging.spki(forging.rsa_private())
    for alg in ("HS256", "none", "PS256"):
        for protected in ("", b({"typ": "JWT"})):
            signature = b(mac(pem, f"{protected}.{payload}".encode()))
            token = {
                "payload": payload,
                "protected": protected,
                "header": {"alg": alg},
                "signature": signature,
            }
            refused(AlgorithmMismatchError, jws.verify_json, token, key("KRS"))
            general = {"payload": payload, "signatures": [token | {"payload": None}]}
            refused(AlgorithmMismatchError, jws.verify_json, general, key("KRS"))


def test_unprotected_alg_of_the_key_verifies_and_the_rest_stays_apart() -> None:
    payload = b(CLAIMS)
    token = {
        "payload": payload,
        "header": {"alg": "RS256", "typ": "admin"},
        "signature": b(forging.rs(f".{payload}".encode())),
    }
    verified = jws.verify_json(token, key("KRS"))
    assert dict(verified.header) == {"alg": "RS256"}
    assert verified.header.typ is None
    assert dict(verified.signatures[0].unprotected) == {"alg": "RS256", "typ": "admin"}


# --- encryption ----------------------------------------------------------------------------------


def _concat_kdf(shared: bytes, algorithm: str) -> bytes:
    info = len(algorithm).to_bytes(4, "big") + algorithm.encode() + bytes(8) + (256).to_bytes(4, "big")
    return ConcatKDFHash(algorithm=hashes.SHA256(), length=32, otherinfo=info).derive(shared)


def _wrapped(alg: str, cek: bytes) -> tuple[dict[str, Any], bytes]:
    """Wrap a content encryption key for the key material that the keys share."""
    if alg == "A256KW":
        return {}, aes_key_wrap(SECRET[:32], cek)
    if alg == "A256GCMKW":
        iv = os.urandom(12)
        box = AESGCM(SECRET[:32]).encrypt(iv, cek, None)
        return {"iv": b(iv), "tag": b(box[-16:])}, box[:-16]
    if alg == "RSA1_5":
        return {}, forging.rsa_private().public_key().encrypt(cek, padding.PKCS1v15())
    if alg.startswith("RSA-OAEP"):
        digest: hashes.HashAlgorithm = hashes.SHA256() if alg.endswith("256") else hashes.SHA1()  # noqa: S303
        scheme = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
        return {}, forging.rsa_private().public_key().encrypt(cek, scheme)
    assert alg.startswith("PBES2")
    hashed: hashes.HashAlgorithm = hashes.SHA256() if "HS256" in alg else hashes.SHA512()
    kdf = PBKDF2HMAC(hashed, 16 if "A128" in alg else 32, alg.encode() + b"\0saltsalt", 1000)
    return {"p2s": b("saltsalt"), "p2c": 1000}, aes_key_wrap(kdf.derive(PASSWORD.encode()), cek)


def _agreed(alg: str, enc: str) -> str:
    ephemeral, cek = ec.generate_private_key(ec.SECP256R1()), os.urandom(32)
    shared = ephemeral.exchange(ec.ECDH(), forging.ec_private().public_key())
    header = {"alg": alg, "enc": enc, "epk": public_jwk(ephemeral)}
    if alg == "ECDH-ES":
        return sealed(header, _concat_kdf(shared, enc), enc=enc)
    return sealed(header, cek, encrypted_key=aes_key_wrap(_concat_kdf(shared, alg), cek), enc=enc)


def encrypted(alg: str, enc: str = "A256GCM") -> str:
    """Write a valid token of the algorithm."""
    if alg.startswith("ECDH-ES"):
        return _agreed(alg, enc)
    cek = os.urandom(32)
    parameters, encrypted_key = _wrapped(alg, cek)
    return sealed({"alg": alg, "enc": enc, **parameters}, cek, encrypted_key=encrypted_key, enc=enc)


def _reader(alg: str) -> Key:
    if alg.startswith("RSA"):
        return forging.from_private(forging.rsa_private(), alg)
    if alg.startswith("ECDH"):
        return forging.from_private(forging.ec_private(), alg)
    return Key.from_password(PASSWORD, alg) if alg.startswith("PBES2") else Key.from_secret(SECRET[:32], alg)


ENCRYPTIONS = [
    ("A256KW", "A256GCMKW"),
    ("RSA1_5", "RSA-OAEP", "RSA-OAEP-256"),
    ("ECDH-ES", "ECDH-ES+A256KW"),
    ("PBES2-HS256+A128KW", "PBES2-HS512+A256KW"),
]


@pytest.mark.parametrize(
    "pinned, stated", [(one, other) for group in ENCRYPTIONS for one in group for other in group]
)
def test_key_management_algorithm_of_the_header_must_be_the_keys(pinned: str, stated: str) -> None:
    reader, token = _reader(pinned), encrypted(stated)
    if pinned == stated:
        assert jwe.decrypt(token, reader).plaintext == b"secret"
        return
    error = refused(AlgorithmMismatchError, jwe.decrypt, token, reader)
    assert isinstance(error, AlgorithmMismatchError)
    assert (error.alg, error.expected) == (stated, (pinned,))
    refused(AlgorithmMismatchError, jwe.decrypt_json, forging.flattened_jwe(token), reader)


@pytest.mark.parametrize(
    "enc", ["A128CBC-HS256", "A128GCM", "A192GCM", "a256gcm", "A256GCM ", "", "none", "A256KW", "HS256"]
)
def test_rfc8725bis_enc_outside_the_allow_list_is_refused(enc: str) -> None:
    content = enc if enc == "A128CBC-HS256" else "A256GCM"
    token = sealed({"alg": "dir", "enc": enc}, SECRET[:32], enc=content)
    refused(AlgorithmMismatchError, jwe.decrypt, token, key("KDIR"))
    refused(AlgorithmMismatchError, jwe.decrypt_json, forging.flattened_jwe(token), key("KDIR"))


def test_rfc8725bis_enc_that_the_caller_does_not_accept_is_refused() -> None:
    token = encrypted("A256KW", "A128CBC-HS256")
    assert jwe.decrypt(token, key("KKW")).plaintext == b"secret"
    assert jwe.decrypt(token, key("KKW"), enc={"A128CBC-HS256"}).plaintext == b"secret"
    refused(AlgorithmMismatchError, jwe.decrypt, token, key("KKW"), enc={"A256GCM"})
    refused(
        AlgorithmMismatchError, jwe.decrypt_json, forging.flattened_jwe(token), key("KKW"), enc={"A256GCM"}
    )


def test_direct_key_is_for_one_content_encryption() -> None:
    token = sealed({"alg": "dir", "enc": "A128CBC-HS256"}, SECRET[:32], enc="A128CBC-HS256")
    assert jwe.decrypt(token, Key.from_secret(SECRET[:32], "A128CBC-HS256")).plaintext == b"secret"
    refused(AlgorithmMismatchError, jwe.decrypt, token, key("KDIR"))


# Both classes are right for an 'enc' that is no name at all; what matters is that nothing is decrypted.
@pytest.mark.parametrize(
    "header", [{"enc": None}, {"enc": ["A256GCM"]}, {"enc": 1}, {"enc": {}}, {}], ids=repr
)
def test_rfc8725bis_enc_that_is_no_string_is_refused(header: dict[str, object]) -> None:
    token = sealed({"alg": "dir", **header}, SECRET[:32])
    refused((InvalidHeaderError, AlgorithmMismatchError), jwe.decrypt, token, key("KDIR"))


# --- what the caller names -----------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RSA1_5", "EdDSA"])
def test_deprecated_algorithm_is_used_only_when_the_caller_names_it(alg: str) -> None:
    private = forging.rsa_private() if alg == "RSA1_5" else forging.ed_private()
    jwk = {**public_jwk(private), "alg": alg}
    refused(UnsupportedAlgorithmError, Key.from_jwk, jwk)
    ignoring = KeySet.from_jwks({"keys": [jwk]})
    assert (len(ignoring), len(ignoring.ignored)) == (0, 1)
    assert Key.from_jwk(jwk, alg=alg).alg == alg
    assert [taken.alg for taken in KeySet.from_jwks({"keys": [jwk]}, algorithms={alg})] == [alg]


def test_rsa1_5_is_never_used_to_encrypt() -> None:
    old = Key.from_jwk({**public_jwk(forging.rsa_private()), "alg": "RSA1_5"}, alg="RSA1_5")
    refused(KeyUseError, jwe.encrypt, b"secret", old)
    refused(KeyUseError, jwe.encrypt_json, b"secret", [old])


def test_a_string_is_not_taken_for_a_collection_of_names() -> None:
    token, jwks = encrypted("A256KW"), {"keys": [{**public_jwk(forging.rsa_private()), "alg": "RS256"}]}
    refused(ConfigurationError, KeySet.from_jwks, jwks, algorithms="RS256")
    refused(ConfigurationError, jwe.decrypt, token, key("KKW"), enc="A256GCM")
    refused(ConfigurationError, jws.verify, signed("KES", {"alg": "ES256"}), key("KES"), understood="b64")
    refused(ConfigurationError, jwe.decrypt, token, key("KKW"), understood="b64")
    refused(ConfigurationError, verifier, key("KES"), require="exp")
    refused(ConfigurationError, KeySet.from_jwks, jwks, algorithms=[["RS256"]])


def test_an_empty_collection_allows_nothing() -> None:
    jwks = {"keys": [{**public_jwk(forging.rsa_private()), "alg": "RS256"}]}
    nothing = KeySet.from_jwks(jwks, algorithms=())
    assert (len(nothing), len(nothing.ignored)) == (0, 1)
    refused(ConfigurationError, jws.verify, signed("KRS", {"alg": "RS256"}), nothing)
    refused(ConfigurationError, jwe.decrypt, encrypted("A256KW"), key("KKW"), enc=())


def test_key_set_without_the_named_algorithm_refuses_its_tokens() -> None:
    jwks = {"keys": [{**public_jwk(forging.rsa_private()), "alg": "RS256", "kid": "1"}]}
    other = KeySet([*KeySet.from_jwks(jwks, algorithms={"PS256"}), key("KES").with_kid("2")])
    refused_everywhere(NoMatchingKeyError, signed("KRS", {"alg": "RS256", "kid": "1"}), other)
    refused_everywhere(AlgorithmMismatchError, signed("KRS", {"alg": "RS256"}), other)
