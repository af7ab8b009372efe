"""Encrypted octets: who has the key gets them back unchanged, and nobody learns why others do not."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from coatcheck._core import base64url
from coatcheck.jose import Key, KeySet, Limits, jwe
from coatcheck.jose.algorithms import CONTENT_ENCRYPTION, KEY_ENCRYPTION
from coatcheck.jose.algorithms.ecdh_es import _agree
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    CriticalHeaderError,
    DecryptionError,
    InvalidHeaderError,
    KeyUseError,
    MalformedTokenError,
    NoMatchingKeyError,
    TokenTooLargeError,
)
from tests.jose.samples import (
    CONTENT_NAMES,
    ENCRYPTING_NAMES,
    FEW_ITERATIONS,
    encryption_header,
    key_for,
    other_side,
    pairs_of_encryption,
    segment,
    thawed,
)

KEY = key_for("ECDH-ES+A256KW")
DIRECT = key_for("A256GCM")
WRAPPING = key_for("A128KW")
OTHER = key_for("A256KW")
PASSWORD = key_for("PBES2-HS256+A128KW")
PLAINTEXT = b"the plaintext \x00\xff"
AAD = b"in the clear"
FLATTENED = jwe.encrypt_json(PLAINTEXT, WRAPPING, aad=AAD)
GENERAL = jwe.encrypt_json(PLAINTEXT, [WRAPPING, OTHER])


def encrypted(alg: str, enc: str | None = None, **options: Any) -> str:
    header = {**encryption_header(alg), **options.pop("header", {})}
    return jwe.encrypt(PLAINTEXT, other_side(key_for(alg)), enc=enc, header=header, **options)


def resealed(header: object, key: Key = DIRECT, *, plaintext: bytes = PLAINTEXT) -> str:
    """A token with any header whatever, whose content is authentic under a key for direct encryption."""
    protected = segment(header)
    content = CONTENT_ENCRYPTION[key.alg]
    iv = bytes(content.iv_size)
    secret = base64url.decode(key.to_private_jwk()["k"].encode())
    ciphertext, tag = content.encrypt(secret, plaintext, iv=iv, aad=protected.encode())
    return ".".join([protected, "", *map(base64url.encode, (iv, ciphertext, tag))])


# Compact


@pytest.mark.parametrize("alg, enc", pairs_of_encryption())
def test_what_is_encrypted_to_a_key_decrypts_with_it(alg: str, enc: str) -> None:
    key = key_for(alg)
    opened = jwe.decrypt(encrypted(alg, enc), key)
    assert opened.plaintext == PLAINTEXT
    assert (opened.header.alg, opened.header.enc) == (key.algorithm.header_name, enc)
    assert opened.header.kid == key.kid
    assert opened.key is key
    assert opened.aad is None
    assert opened.unprotected == {}


@pytest.mark.parametrize("crv", ["P-256", "P-384", "P-521", "X25519", "X448"])
@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A128KW"])
def test_keys_are_agreed_on_every_curve(alg: str, crv: str) -> None:
    key = key_for(alg, crv)
    token = jwe.encrypt(PLAINTEXT, key.public(), header={"apu": "QWxpY2U", "apv": "Qm9i"})
    opened = jwe.decrypt(token, key)
    assert opened.plaintext == PLAINTEXT
    assert opened.header["epk"]["crv"] == crv
    assert opened.header["epk"].keys() <= {"kty", "crv", "x", "y"}


@pytest.mark.parametrize("alg", ENCRYPTING_NAMES)
def test_the_same_plaintext_is_never_encrypted_the_same_way_twice(alg: str) -> None:
    one, two = encrypted(alg).split("."), encrypted(alg).split(".")
    assert one[2] != two[2]
    assert one[3] != two[3]
    assert one[1] == two[1] == "" or one[1] != two[1]


@pytest.mark.parametrize("alg", ENCRYPTING_NAMES)
def test_the_content_encryption_is_the_one_of_the_key_or_a256gcm(alg: str) -> None:
    enc = alg if alg in CONTENT_NAMES else "A256GCM"
    assert jwe.decrypt(encrypted(alg), key_for(alg)).header.enc == enc


def test_a_token_is_accepted_as_text_and_as_bytes() -> None:
    token = encrypted("A256GCM")
    assert jwe.decrypt(token, DIRECT) == jwe.decrypt(token.encode(), DIRECT)


def test_the_text_about_decrypted_content_does_not_show_it() -> None:
    opened = jwe.decrypt(jwe.encrypt(b"s3cret", DIRECT), DIRECT)
    assert "s3cret" not in f"{opened!r} {opened}"
    assert "plaintext=<6 bytes>" in repr(opened)


def test_the_header_says_what_the_caller_adds() -> None:
    token = encrypted("A256GCM", typ="a+jwe", cty="JWT", header={"n": [1]})
    assert thawed(jwe.decrypt(token, DIRECT).header) == {
        "alg": "dir",
        "kid": DIRECT.kid,
        "enc": "A256GCM",
        "typ": "a+jwe",
        "cty": "JWT",
        "n": [1],
    }


@pytest.mark.parametrize("name", ["alg", "enc", "kid", "zip", "epk", "iv", "tag", "p2s", "typ", "cty"])
def test_the_caller_cannot_override_what_the_library_writes(name: str) -> None:
    for encrypt in (jwe.encrypt, jwe.encrypt_json):
        with pytest.raises(ConfigurationError, match=f"'{name}' is not to be given here"):
            encrypt(PLAINTEXT, KEY, typ="JWT", cty="JWT", header={name: "x"})


@pytest.mark.parametrize(
    "key, options",
    [
        (KEY, {"typ": 5}),
        (KEY, {"header": {"x": object()}}),
        (KEY, {"header": {"x": "\ud800"}}),
        (KEY, {"header": {"crit": ["exp"]}}),
        (KEY, {"header": {"crit": ["enc"]}}),
        (KEY, {"header": {"apu": 5}}),
        (KEY, {"header": {"apu": "="}}),
        (KEY, {"header": {"apv": "é"}}),
        (KEY, {"enc": "A512GCM"}),
        (KEY, {"enc": "a256gcm"}),
        (KEY, {"enc": 5}),
        (PASSWORD, {"header": {"p2c": 999}}),
        (PASSWORD, {"header": {"p2c": 0}}),
        (PASSWORD, {"header": {"p2c": -1}}),
        (PASSWORD, {"header": {"p2c": "1000"}}),
        (PASSWORD, {"header": {"p2c": True}}),
        (PASSWORD, {"header": {"p2c": 1000.0}}),
        (PASSWORD, {"header": {"p2c": 2**31}}),
        (PASSWORD, {"header": {"p2c": 2**64}}),
    ],
)
def test_nothing_is_encrypted_with_parameters_that_no_recipient_would_accept(
    key: Key, options: dict[str, Any]
) -> None:
    for encrypt in (jwe.encrypt, jwe.encrypt_json):
        with pytest.raises(ConfigurationError):
            encrypt(PLAINTEXT, key, **options)


def test_a_password_is_hashed_600_000_times_unless_asked_otherwise() -> None:
    header = jwe.decrypt(jwe.encrypt(b"", PASSWORD), PASSWORD).header
    assert header["p2c"] == 600_000
    assert len(base64url.decode(header["p2s"].encode())) == 16
    fewer = jwe.encrypt(b"", PASSWORD, header={"p2c": 1234})
    assert jwe.decrypt(fewer, PASSWORD).header["p2c"] == 1234


@pytest.mark.parametrize("octets", ["text", None, bytearray(b"x")])
def test_what_is_encrypted_is_bytes(octets: Any) -> None:
    with pytest.raises(ConfigurationError, match="plaintext must be bytes"):
        jwe.encrypt(octets, KEY)
    with pytest.raises(ConfigurationError, match="plaintext must be bytes"):
        jwe.encrypt_json(octets, KEY)
    if octets is not None:
        with pytest.raises(ConfigurationError, match="additional authenticated data must be bytes"):
            jwe.encrypt_json(b"", KEY, aad=octets)


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_nothing_is_encrypted_to_or_decrypted_with_a_key_for_signatures(alg: str) -> None:
    for encrypt in (jwe.encrypt, jwe.encrypt_json):
        with pytest.raises(KeyUseError):
            encrypt(PLAINTEXT, key_for(alg))
    with pytest.raises((KeyUseError, AlgorithmMismatchError)):
        jwe.decrypt(encrypted("A256GCM"), key_for(alg).with_kid(None))


def test_nothing_is_decrypted_with_a_public_key() -> None:
    with pytest.raises(KeyUseError, match="public key"):
        jwe.decrypt(jwe.encrypt(PLAINTEXT, KEY), KEY.public())


def test_nothing_is_encrypted_with_the_old_rsa_padding() -> None:
    key = key_for("RSA1_5")
    with pytest.raises(KeyUseError, match="old tokens only"):
        jwe.encrypt(PLAINTEXT, key)
    with pytest.raises(KeyUseError, match="old tokens only"):
        KEY_ENCRYPTION["RSA1_5"].encrypt_key(key.public(), CONTENT_ENCRYPTION["A256GCM"], cek=None, header={})


@pytest.mark.parametrize("enc", [name for name in CONTENT_NAMES if name != "A256GCM"])
def test_a_key_for_direct_encryption_serves_one_content_encryption_only(enc: str) -> None:
    with pytest.raises(KeyUseError, match="for content encryption with A256GCM"):
        jwe.encrypt(PLAINTEXT, DIRECT, enc=enc)
    token = jwe.encrypt(PLAINTEXT, key_for(enc).with_kid(None))
    with pytest.raises(AlgorithmMismatchError, match="another content encryption"):
        jwe.decrypt(token, DIRECT)


# Refusals


@pytest.mark.parametrize("alg", ENCRYPTING_NAMES)
@pytest.mark.parametrize("part", range(5))
def test_a_change_in_any_part_is_noticed(alg: str, part: int) -> None:
    parts = encrypted(alg).split(".")
    if not parts[part]:
        parts[part] = "AAAA"
    else:
        octets = bytearray(base64url.decode(parts[part].encode()))
        octets[-1 if part else 9] ^= 1
        parts[part] = base64url.encode(bytes(octets))
    with pytest.raises((DecryptionError, InvalidHeaderError, AlgorithmMismatchError)):
        jwe.decrypt(".".join(parts), key_for(alg))


@pytest.mark.parametrize("alg", ENCRYPTING_NAMES)
@pytest.mark.parametrize("part", [1, 2, 3, 4])
@pytest.mark.parametrize("change", ["empty", "shorter", "longer"])
def test_a_part_of_another_length_looks_like_any_other_failure(alg: str, part: int, change: str) -> None:
    parts = encrypted(alg).split(".")
    octets = base64url.decode(parts[part].encode())
    changed = {"empty": b"", "shorter": octets[:-1], "longer": octets + b"\0"}[change]
    if changed == octets:
        changed = b"\0"
    parts[part] = base64url.encode(changed)
    with pytest.raises(DecryptionError) as caught:
        jwe.decrypt(".".join(parts), key_for(alg))
    assert str(caught.value) == "The token cannot be decrypted."
    assert caught.value.__cause__ is None
    assert caught.value.detail is None


@pytest.mark.parametrize("alg", ENCRYPTING_NAMES)
def test_another_key_of_the_same_kind_does_not_decrypt(alg: str) -> None:
    if alg.startswith("PBES2"):
        other = Key.from_password("another password", alg)
    elif alg.startswith("RSA"):
        other = Key.generate(alg, bits=2048)
    else:
        other = Key.generate(alg)
    with pytest.raises(DecryptionError):
        jwe.decrypt(encrypted(alg), other.with_kid(None))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "....",
        ".....",
        "a.b.c",
        encrypted("A256GCM") + ".",
        "." + encrypted("A256GCM"),
        encrypted("A256GCM") + "=",
        encrypted("A256GCM") + "é",
        " " + encrypted("A256GCM"),
        encrypted("A256GCM") + "\n",
        encrypted("A256GCM").replace(".", "=.", 1),
        5,
        None,
        FLATTENED,
    ],
)
def test_what_has_not_the_form_of_a_token_is_refused(token: Any) -> None:
    with pytest.raises((MalformedTokenError, InvalidHeaderError)):
        jwe.decrypt(token, DIRECT)


@pytest.mark.parametrize(
    "header, kind",
    [
        ([], InvalidHeaderError),
        ({"enc": "A256GCM"}, InvalidHeaderError),
        ({"alg": "dir", "enc": 5}, InvalidHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "kid": 5}, InvalidHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "zip": 5}, InvalidHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "zip": "GZ"}, InvalidHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}, InvalidHeaderError),
        ({"alg": "dir"}, AlgorithmMismatchError),
        ({"alg": "dir", "enc": "a256gcm"}, AlgorithmMismatchError),
        ({"alg": "dir", "enc": "XC20P"}, AlgorithmMismatchError),
        ({"alg": "A256GCM", "enc": "A256GCM"}, AlgorithmMismatchError),
        ({"alg": "none", "enc": "A256GCM"}, AlgorithmMismatchError),
        ({"alg": "dir", "enc": "A256GCM", "kid": "other"}, NoMatchingKeyError),
        ({"alg": "dir", "enc": "A256GCM", "crit": ["exp"], "exp": 1}, CriticalHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "crit": ["b64"], "b64": True}, CriticalHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "crit": []}, CriticalHeaderError),
        ({"alg": "dir", "enc": "A256GCM", "p2c": 1_200_001}, TokenTooLargeError),
    ],
)
def test_a_header_that_breaks_the_rules_is_refused_though_the_content_is_authentic(
    header: object, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        jwe.decrypt(resealed(header), DIRECT)


def test_the_content_encryptions_that_are_accepted_can_be_narrowed() -> None:
    token = encrypted("A256GCM")
    assert jwe.decrypt(token, DIRECT, enc=["A256GCM", "A128GCM"]).plaintext == PLAINTEXT
    with pytest.raises(AlgorithmMismatchError) as caught:
        jwe.decrypt(token, DIRECT, enc={"A128GCM"})
    assert (caught.value.alg, caught.value.expected) == ("A256GCM", ("A128GCM",))


@pytest.mark.parametrize(
    "options",
    [
        {"enc": "A256GCM"},
        {"enc": []},
        {"enc": ["A512GCM"]},
        {"enc": 5},
        {"understood": "exp"},
        {"max_decompressed": 0},
        {"max_decompressed": -1},
        {"max_decompressed": "1"},
        {"max_decompressed": True},
        {"max_decompressed": 1.0},
    ],
)
def test_nothing_is_decrypted_under_wishes_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        jwe.decrypt(encrypted("A256GCM"), DIRECT, **options)
    with pytest.raises(ConfigurationError):
        jwe.decrypt_json(FLATTENED, WRAPPING, **options)


def test_a_critical_extension_is_accepted_where_the_caller_understands_it() -> None:
    token = encrypted("A256GCM", header={"crit": ["exp"], "exp": 1})
    assert jwe.decrypt(token, DIRECT, understood=["exp"]).plaintext == PLAINTEXT
    with pytest.raises(CriticalHeaderError):
        jwe.decrypt(token, DIRECT)


def changed_header(token: str, **changes: object) -> str:
    """The token under another header; the wrapping of the key does not depend on it."""
    protected, *rest = token.split(".")
    header = {**json.loads(base64url.decode(protected.encode())), **changes}
    return ".".join([segment({name: value for name, value in header.items() if value is not ...}), *rest])


@pytest.mark.parametrize(
    "alg, changes",
    [
        ("ECDH-ES", {"epk": ...}),
        ("ECDH-ES", {"epk": "text"}),
        ("ECDH-ES", {"epk": {}}),
        ("ECDH-ES", {"epk": {"kty": "oct", "k": "AAAA"}}),
        ("ECDH-ES", {"epk": key_for("ECDH-ES").to_private_jwk()}),
        ("ECDH-ES", {"epk": key_for("ECDH-ES", "P-384").to_jwk()}),
        ("ECDH-ES", {"epk": key_for("ECDH-ES", "X25519").to_jwk()}),
        ("ECDH-ES", {"epk": key_for("RS256").to_jwk()}),
        ("ECDH-ES", {"epk": {**key_for("ECDH-ES").to_jwk(), "x": base64url.encode(bytes(32))}}),
        ("ECDH-ES", {"apu": "="}),
        ("A128GCMKW", {"iv": ...}),
        ("A128GCMKW", {"iv": "="}),
        ("A128GCMKW", {"iv": "AAAA"}),
        ("A128GCMKW", {"tag": ...}),
        ("A128GCMKW", {"tag": "AAAA"}),
        ("PBES2-HS256+A128KW", {"p2s": ...}),
        ("PBES2-HS256+A128KW", {"p2s": "="}),
        ("PBES2-HS256+A128KW", {"p2s": 5}),
        ("PBES2-HS256+A128KW", {"p2s": base64url.encode(bytes(7))}),
        ("PBES2-HS256+A128KW", {"p2c": ...}),
        ("PBES2-HS256+A128KW", {"p2c": 999}),
        ("PBES2-HS256+A128KW", {"p2c": -1}),
        ("PBES2-HS256+A128KW", {"p2c": 1000.5}),
        ("PBES2-HS256+A128KW", {"p2c": "1000"}),
        ("PBES2-HS256+A128KW", {"p2c": True}),
    ],
)
def test_malformed_parameters_of_the_key_s_algorithm_are_refused(
    alg: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidHeaderError, match=next(iter(changes))):
        jwe.decrypt(changed_header(encrypted(alg), **changes), key_for(alg))


def test_an_agreement_that_comes_out_as_zero_is_a_failed_decryption() -> None:
    zero = x25519.X25519PublicKey.from_public_bytes(bytes(32))
    with pytest.raises(DecryptionError):
        _agree(x25519.X25519PrivateKey.generate(), zero)


def test_password_hashing_beyond_the_limit_is_not_begun() -> None:
    token = changed_header(encrypted(PASSWORD.alg), p2c=2**62)
    with pytest.raises(TokenTooLargeError, match="1200000"):
        jwe.decrypt(token, PASSWORD)
    with pytest.raises(TokenTooLargeError, match="999"):
        jwe.decrypt(encrypted(PASSWORD.alg), PASSWORD, limits=Limits(iterations=999))


@pytest.mark.parametrize("others", [[], [-5_000_000], [-(2**70)], [0, True]])
def test_password_hashing_is_limited_over_all_recipients_together(others: list[int]) -> None:
    token = jwe.encrypt_json(PLAINTEXT, [PASSWORD] * 3, header={"p2c": FEW_ITERATIONS})
    header = {**json.loads(base64url.decode(token["protected"].encode()))}
    token["protected"] = segment({"enc": header["enc"]})
    for entry in token["recipients"]:
        entry["header"]["p2c"] = 500_000
    token["recipients"] += [{"header": {"alg": PASSWORD.alg, "p2c": count}} for count in others]
    with pytest.raises(TokenTooLargeError, match="1200000"):
        jwe.decrypt_json(token, PASSWORD)


@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"])
@pytest.mark.parametrize("padded", [b"\0" * 16, b"\x11" * 16, b"a" * 15 + b"\x02", b"a" * 15, b""])
def test_wrong_padding_under_a_right_tag_looks_like_any_other_failure(enc: str, padded: bytes) -> None:
    content = CONTENT_ENCRYPTION[enc]
    half = content.key_size // 2
    key, iv, aad = bytes(range(content.key_size)), bytes(16), b"aad"
    whole = padded[: len(padded) // 16 * 16]
    encryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(whole) + encryptor.finalize() + padded[len(whole) :]
    digest = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}[content.key_size]
    mac = hmac.HMAC(key[:half], digest)
    mac.update(aad + iv + ciphertext + (len(aad) * 8).to_bytes(8, "big"))
    with pytest.raises(DecryptionError):
        content.decrypt(key, ciphertext, iv=iv, tag=mac.finalize()[:half], aad=aad)


def old_padding_token(wrapped: bytes, cek: bytes) -> str:
    """A token of RSA1_5, which this library no longer makes."""
    content, iv = CONTENT_ENCRYPTION["A128CBC-HS256"], bytes(16)
    protected = segment({"alg": "RSA1_5", "enc": content.name})
    ciphertext, tag = content.encrypt(cek, PLAINTEXT, iv=iv, aad=protected.encode())
    return ".".join([protected, *map(base64url.encode, (wrapped, iv, ciphertext, tag))])


def old_padding(octets: bytes) -> bytes:
    wrapped: bytes = key_for("RSA1_5")._material.public.encrypt(octets, padding.PKCS1v15())
    return wrapped


def test_a_token_of_the_old_rsa_padding_decrypts() -> None:
    cek = bytes(range(32))
    assert jwe.decrypt(old_padding_token(old_padding(cek), cek), key_for("RSA1_5")).plaintext == PLAINTEXT


@pytest.mark.parametrize(
    "wrapped",
    [
        b"",
        bytes(255),
        bytes(256),
        bytes(257),
        b"\xff" * 256,
        b"\x01" * 256,
        *(old_padding(bytes(size)) for size in (0, 15, 31, 32, 33, 64)),
    ],
)
@pytest.mark.parametrize("alg", ["RSA1_5", "RSA-OAEP"])
def test_a_broken_wrapped_key_looks_the_same_whatever_is_wrong_with_its_padding(
    alg: str, wrapped: bytes
) -> None:
    protected, *rest = old_padding_token(wrapped, bytes(range(32))).split(".")
    token = ".".join([segment({"alg": alg, "enc": "A128CBC-HS256"}), *rest]) if alg != "RSA1_5" else ""
    with pytest.raises(DecryptionError) as caught:
        jwe.decrypt(token or ".".join([protected, *rest]), key_for(alg))
    assert vars(caught.value) == {"message": "The token cannot be decrypted.", "detail": None}
    assert caught.value.__cause__ is None


def test_of_several_keys_without_identifier_the_one_that_fits_decrypts() -> None:
    keys = [Key.generate("A256KW").with_kid(None) for _ in range(3)]
    for key in keys:
        assert jwe.decrypt(jwe.encrypt(PLAINTEXT, key), KeySet(keys)).key is key


# Compression


def test_compressed_content_is_read_only_up_to_the_size_the_caller_names() -> None:
    plaintext = b"a" * 1000
    token = jwe.encrypt(plaintext, DIRECT, compress=True)
    assert len(token) < 300
    assert jwe.decrypt(token, DIRECT, max_decompressed=1000).plaintext == plaintext
    assert jwe.decrypt(token, DIRECT, max_decompressed=1000).header["zip"] == "DEF"
    with pytest.raises(TokenTooLargeError, match="more than 999"):
        jwe.decrypt(token, DIRECT, max_decompressed=999)
    with pytest.raises(InvalidHeaderError, match="max_decompressed"):
        jwe.decrypt(token, DIRECT)


def test_a_size_for_compressed_content_does_not_bind_uncompressed_content() -> None:
    assert jwe.decrypt(encrypted("A256GCM"), DIRECT, max_decompressed=1).plaintext == PLAINTEXT


RAW = zlib.compress(PLAINTEXT, wbits=-15)


@pytest.mark.parametrize(
    "content",
    [b"", RAW[:-1], RAW + b"\0", RAW + RAW, b"\xff" * 20, zlib.compress(PLAINTEXT), PLAINTEXT],
)
def test_content_that_is_not_one_whole_deflate_stream_is_refused(content: bytes) -> None:
    token = resealed({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}, plaintext=content)
    with pytest.raises(DecryptionError):
        jwe.decrypt(token, DIRECT, max_decompressed=1000)


def test_compression_counts_only_in_the_protected_header() -> None:
    token = {**jwe.encrypt_json(PLAINTEXT, WRAPPING), "unprotected": {"zip": "DEF"}}
    with pytest.raises(InvalidHeaderError, match="protected"):
        jwe.decrypt_json(token, WRAPPING, max_decompressed=1000)


@pytest.mark.parametrize("recipients", [WRAPPING, [WRAPPING, OTHER]])
def test_compressed_content_in_json_is_read(recipients: Any) -> None:
    token = jwe.encrypt_json(b"a" * 1000, recipients, compress=True)
    assert jwe.decrypt_json(token, WRAPPING, max_decompressed=1000).plaintext == b"a" * 1000


# JSON


@pytest.mark.parametrize("alg, enc", pairs_of_encryption())
def test_what_is_encrypted_in_json_decrypts_in_every_form(alg: str, enc: str) -> None:
    key = key_for(alg)
    options: dict[str, Any] = {"enc": enc, "aad": AAD, "header": encryption_header(alg), "typ": "x"}
    for token in (
        jwe.encrypt_json(PLAINTEXT, other_side(key), **options),
        jwe.encrypt_json(PLAINTEXT, [other_side(key)], **options),
        jwe.encrypt_json(PLAINTEXT, [other_side(key)], flattened=True, **options),
        jwe.encrypt_json(PLAINTEXT, other_side(key), flattened=False, **options),
    ):
        for form in (token, json.dumps(token).encode()):
            opened = jwe.decrypt_json(form, key)
            assert (opened.plaintext, opened.aad, opened.key) == (PLAINTEXT, AAD, key)
            assert opened.header["typ"] == "x"
            assert opened.header.alg == key.algorithm.header_name
            assert opened.unprotected["kid"] == key.kid


def test_one_recipient_is_written_flattened_and_a_list_of_recipients_is_not() -> None:
    assert "recipients" not in FLATTENED
    assert len(GENERAL["recipients"]) == 2
    assert "recipients" in jwe.encrypt_json(PLAINTEXT, (WRAPPING,))
    with pytest.raises(ConfigurationError, match="exactly one recipient"):
        jwe.encrypt_json(PLAINTEXT, [WRAPPING, OTHER], flattened=True)


@pytest.mark.parametrize("recipients", [[], (), None, "text", [None], [WRAPPING, "text"]])
def test_recipients_are_keys(recipients: Any) -> None:
    with pytest.raises(ConfigurationError, match="Recipients are given"):
        jwe.encrypt_json(PLAINTEXT, recipients)


def test_every_recipient_decrypts_whatever_the_algorithms_of_the_others() -> None:
    keys = [key_for(alg) for alg in ENCRYPTING_NAMES if alg not in {*CONTENT_NAMES, "ECDH-ES"}]
    assert len(keys) <= 16
    token = jwe.encrypt_json(PLAINTEXT, [other_side(key) for key in keys], header={"p2c": FEW_ITERATIONS})
    for key in keys:
        opened = jwe.decrypt_json(token, key)
        assert opened.plaintext == PLAINTEXT
        assert opened.header.alg == key.alg


@pytest.mark.parametrize("alg", ["ECDH-ES", *CONTENT_NAMES])
def test_direct_algorithms_have_one_recipient(alg: str) -> None:
    with pytest.raises(ConfigurationError, match="exactly one recipient"):
        jwe.encrypt_json(PLAINTEXT, [key_for(alg), KEY])


def test_one_recipient_s_broken_key_does_not_keep_another_from_decrypting() -> None:
    broken = {**GENERAL["recipients"][0], "encrypted_key": "AAAA"}
    twice = {**GENERAL, "recipients": [broken, *GENERAL["recipients"]]}
    assert jwe.decrypt_json(twice, WRAPPING).plaintext == PLAINTEXT


def test_a_token_for_others_is_refused_with_the_last_reason() -> None:
    with pytest.raises(NoMatchingKeyError):
        jwe.decrypt_json(GENERAL, Key.generate("A128KW"))
    with pytest.raises(AlgorithmMismatchError):
        jwe.decrypt_json(GENERAL, KEY.with_kid(None))
    with pytest.raises(DecryptionError):
        jwe.decrypt_json(FLATTENED, Key.generate("A128KW").with_kid(None))


def test_additional_data_is_authenticated_and_carried() -> None:
    assert jwe.decrypt_json(FLATTENED, WRAPPING).aad == AAD
    without = {name: value for name, value in FLATTENED.items() if name != "aad"}
    for changed in (without, {**FLATTENED, "aad": base64url.encode(b"other")}, {**FLATTENED, "aad": ""}):
        with pytest.raises(DecryptionError):
            jwe.decrypt_json(changed, WRAPPING)
    with pytest.raises(MalformedTokenError, match="'aad'"):
        jwe.decrypt_json({**FLATTENED, "aad": "="}, WRAPPING)


def test_empty_additional_data_is_absent() -> None:
    token = jwe.encrypt_json(PLAINTEXT, WRAPPING, aad=b"")
    assert "aad" not in token
    assert jwe.decrypt_json(token, WRAPPING).aad is None


def test_unprotected_parameters_are_carried_apart_from_the_protected_ones() -> None:
    opened = jwe.decrypt_json({**FLATTENED, "unprotected": {"x": [1]}}, WRAPPING)
    assert opened.header == {"alg": "A128KW", "enc": "A256GCM"}
    assert opened.unprotected == {"alg": "A128KW", "kid": WRAPPING.kid, "x": (1,)}


def test_a_parameter_never_stands_in_two_headers() -> None:
    for header in ({"alg": "A128KW"}, {"enc": "A256GCM"}):
        with pytest.raises(InvalidHeaderError, match="more than one header"):
            jwe.decrypt_json({**FLATTENED, "unprotected": header}, WRAPPING)


def test_recipients_that_do_not_agree_on_the_content_encryption_are_refused() -> None:
    one, two = (dict(entry) for entry in GENERAL["recipients"])
    one["header"], two["header"] = {**one["header"], "enc": "A256GCM"}, {**two["header"], "enc": "A128GCM"}
    token = {name: value for name, value in GENERAL.items() if name != "protected"}
    with pytest.raises(InvalidHeaderError, match="do not agree on 'enc'"):
        jwe.decrypt_json({**token, "recipients": [one, two]}, WRAPPING)


@pytest.mark.parametrize(
    "token, kind",
    [
        ("", MalformedTokenError),
        ("[]", MalformedTokenError),
        (encrypted("A256GCM"), MalformedTokenError),
        (5, MalformedTokenError),
        (None, MalformedTokenError),
        ({}, InvalidHeaderError),
        ({**FLATTENED, "iv": 5}, MalformedTokenError),
        ({**FLATTENED, "iv": "="}, MalformedTokenError),
        ({**FLATTENED, "iv": ""}, DecryptionError),
        ({**FLATTENED, "tag": None}, MalformedTokenError),
        ({**FLATTENED, "tag": ""}, DecryptionError),
        ({**FLATTENED, "ciphertext": "é"}, MalformedTokenError),
        ({**FLATTENED, "protected": 5}, MalformedTokenError),
        ({**FLATTENED, "protected": "!"}, InvalidHeaderError),
        ({**FLATTENED, "header": []}, MalformedTokenError),
        ({**FLATTENED, "unprotected": "text"}, MalformedTokenError),
        ({**FLATTENED, "encrypted_key": "="}, MalformedTokenError),
        ({**FLATTENED, "encrypted_key": ""}, DecryptionError),
        ({**FLATTENED, "recipients": []}, MalformedTokenError),
        ({**GENERAL, "header": {}}, MalformedTokenError),
        ({**GENERAL, "recipients": []}, MalformedTokenError),
        ({**GENERAL, "recipients": {}}, MalformedTokenError),
        ({**GENERAL, "recipients": [5]}, MalformedTokenError),
        ({**GENERAL, "recipients": [{}]}, InvalidHeaderError),
    ],
)
def test_json_that_has_not_the_form_of_a_token_is_refused(token: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        jwe.decrypt_json(token, WRAPPING)


def test_the_number_of_recipients_is_bounded() -> None:
    with pytest.raises(TokenTooLargeError, match="more than 1 recipients"):
        jwe.decrypt_json(GENERAL, WRAPPING, limits=Limits(recipients=1))


def test_password_hashing_is_bounded_over_all_keys_that_a_token_may_mean() -> None:
    passwords = [Key.from_password(f"password {number}", PASSWORD.alg) for number in range(3)]
    token = jwe.encrypt(b"x", passwords[2], header={"p2c": 1000})
    with pytest.raises(TokenTooLargeError):
        jwe.decrypt(token, KeySet(passwords), limits=Limits(iterations=2999))
    assert jwe.decrypt(token, KeySet(passwords), limits=Limits(iterations=3000)).plaintext == b"x"


@pytest.mark.parametrize("key", ["secret", b"secret", None, {"kty": "oct"}])
def test_encrypting_takes_a_key_and_nothing_else(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a Key"):
        jwe.encrypt(b"x", key)


@pytest.mark.parametrize("header", ["abc", 5, [("a", 1)], {1: "x"}])
def test_a_header_that_is_no_mapping_of_names_is_not_encrypted(header: Any) -> None:
    with pytest.raises(ConfigurationError, match="mapping of parameter names"):
        jwe.encrypt(b"x", PASSWORD, header=header)
