"""Encrypted tokens that give something away, or decrypt where they should not."""

import importlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coatcheck.jose import Key, KeySet, jwe, jws, jwt
from coatcheck.jose.algorithms import content
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    DecryptionError,
    InvalidHeaderError,
    JOSEError,
    KeyUseError,
    MalformedTokenError,
    TokenTooLargeError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    SECRET,
    b,
    ec_private,
    from_private,
    key,
    public_jwk,
    refused,
    rsa_private,
)
from tests.jose.attacks.tampering import (
    CEK_SIZES,
    PBES2_ALG,
    WRAP,
    Parts,
    cbc,
    cbc_tag,
    code,
    concat_kdf,
    encrypted,
    gcm,
    recipient,
    to_recipient,
    unb,
)

ALGS = ("dir", *WRAP)
NO_TEXT: list[object] = [None, 1, True, [], {}]


def refused_both_ways(
    kinds: type[JOSEError] | tuple[type[JOSEError], ...], parts: Parts, ours: Key
) -> JOSEError:
    """Present a token as compact and as flattened JSON; return the first error."""
    error = refused(kinds, jwe.decrypt, parts.compact(), ours)
    refused(kinds, jwe.decrypt_json, parts.flattened(), ours)
    return error


@pytest.mark.parametrize("alg", ALGS)
def test_the_tokens_that_are_tampered_with_below_are_good_ones(alg: str) -> None:
    for enc in CEK_SIZES if alg != "dir" else ["A256GCM"]:
        good = to_recipient(alg, enc)
        assert jwe.decrypt(good.compact(), recipient(alg)).plaintext == b"secret"
        assert jwe.decrypt_json(good.flattened(), recipient(alg)).plaintext == b"secret"


# --- the ephemeral key ----------------------------------------------------------------------

CURVES = {"P-256": (32, ec.SECP256R1()), "P-384": (48, ec.SECP384R1()), "P-521": (66, ec.SECP521R1())}


def to_curve(epk: object, **header: Any) -> str:
    """Write a token of ECDH-ES whose ephemeral key is anything."""
    return encrypted({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk, **header}, os.urandom(32)).compact()


@pytest.fixture
def multiplications(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the private key was multiplied with."""
    seen: list[object] = []

    def agree(private: object, public: object) -> bytes:
        seen.append(public)
        return bytes(32)

    # By its name in ``algorithms`` the module is hidden behind the function that it is named after.
    monkeypatch.setattr(importlib.import_module("coatcheck.jose.algorithms.ecdh_es"), "_agree", agree)
    return seen


@pytest.mark.parametrize("crv", CURVES)
def test_cve_2016_9121_epk_off_the_curve_is_refused(crv: str, multiplications: list[object]) -> None:
    size, curve = CURVES[crv]
    ours = from_private(ec_private(crv), "ECDH-ES")
    point = ec.generate_private_key(curve).public_key().public_numbers()
    largest = 256**size - 1
    off = [(point.x, point.y + 1), (point.x + 1, point.y), (0, 0), (0, 1), (1, 1), (point.y, point.x)]
    for x, y in (*off, (largest, largest), (0, largest), (point.x, 0)):
        epk = {"kty": "EC", "crv": crv, "x": b(x.to_bytes(size, "big")), "y": b(y.to_bytes(size, "big"))}
        refused(InvalidHeaderError, jwe.decrypt, to_curve(epk), ours)
    assert multiplications == []


def wrong_epks() -> Iterator[object]:
    good = public_jwk(ec_private("P-256", "ephemeral"))
    yield from (None, "x", [], {}, 1, True, [good], json.dumps(good))
    yield public_jwk(ec_private("P-384"))
    yield {**public_jwk(ec_private("P-384")), "crv": "P-256"}
    yield {**public_jwk(ec_private("other")), "crv": "secp256k1"}
    yield public_jwk(forging.ed_private())
    yield public_jwk(rsa_private())
    yield {"kty": "oct", "k": b(SECRET)}
    yield {"kty": "oct", "k": b(SECRET), "crv": "P-256"}
    yield {"kty": "OKP", "crv": "X25519", "x": b(X25519PrivateKey.generate().public_key().public_bytes_raw())}
    yield {"kty": "OKP", "crv": "P-256", "x": good["x"]}
    yield forging.private_jwk(ec_private("P-256", "ephemeral"))
    yield from ({**good, "x": f"{good['x']}{tail}"} for tail in ("=", "A", " ", "AA"))
    yield from ({**good, name: value} for name in ("x", "y", "crv", "kty") for value in [*NO_TEXT, "", "é"])
    yield from ({n: v for n, v in good.items() if n != name} for name in good)


# Numbered, as the keys in them are other ones in each process.
@pytest.mark.parametrize(
    "epk", [pytest.param(epk, id=str(number)) for number, epk in enumerate(wrong_epks())]
)
def test_epk_must_be_a_public_key_on_the_recipients_curve(epk: object, multiplications: list[object]) -> None:
    refused(InvalidHeaderError, jwe.decrypt, to_curve(epk), key("KECDH"))
    assert multiplications == []


def test_absent_epk_is_refused() -> None:
    token = encrypted({"alg": "ECDH-ES", "enc": "A256GCM"}, bytes(32))
    refused_both_ways(InvalidHeaderError, token, key("KECDH"))


def test_epk_that_takes_seconds_to_read_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recovering the primes of a large RSA key from a false ``d`` keeps a processor busy for seconds."""

    def recover(*numbers: int) -> None:
        pytest.fail("began to compute")

    monkeypatch.setattr("cryptography.hazmat.primitives.asymmetric.rsa.rsa_recover_prime_factors", recover)
    modulus = b((2**16_383 + 2**8_000 + 65_537).to_bytes(2048, "big"))
    for crv in ({}, {"crv": "P-256"}):
        epk = {"kty": "RSA", "n": modulus, "e": "AQAB", "d": modulus, **crv}
        refused(InvalidHeaderError, jwe.decrypt, to_curve(epk), key("KECDH"))


# Little-endian u coordinates of X25519 whose order divides the cofactor (RFC 7748 section 6), some not reduced.
P25519 = 2**255 - 19
ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
ORDER_8_TOO = 39382357235489614581723060781553021112529911719440698176882885853963445705823
SMALL_25519 = [0, 1, ORDER_8, ORDER_8_TOO, P25519 - 1, P25519, P25519 + 1, 2**255, 2**255 + 1]


@pytest.mark.parametrize("u", SMALL_25519)
def test_small_order_epk_is_refused(u: int) -> None:
    ours = Key.generate("ECDH-ES", crv="X25519")
    epk = {"kty": "OKP", "crv": "X25519", "x": b(u.to_bytes(32, "little"))}
    cek = concat_kdf(bytes(32), "A256GCM", 32)
    token = encrypted({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk}, cek)
    refused_both_ways((DecryptionError, InvalidHeaderError), token, ours)


@pytest.mark.parametrize("u", [0, 1, 2**448 - 2**224 - 2, 2**448 - 2**224 - 1, 2**448 - 2**224])
def test_small_order_epk_of_x448_is_refused(u: int) -> None:
    ours = Key.generate("ECDH-ES", crv="X448")
    epk = {"kty": "OKP", "crv": "X448", "x": b(u.to_bytes(56, "little"))}
    token = encrypted({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk}, concat_kdf(bytes(56), "A256GCM", 32))
    refused_both_ways((DecryptionError, InvalidHeaderError), token, ours)


def agreed(**header: Any) -> Parts:
    """Write a good token of ECDH-ES, with ``apu`` and ``apv`` as the header has them."""
    ephemeral = ec_private("P-256", "ephemeral")
    shared = ephemeral.exchange(ec.ECDH(), ec_private().public_key())
    apu, apv = (unb(header.get(name, "")) for name in ("apu", "apv"))
    cek = concat_kdf(shared, "A256GCM", 32, apu, apv)
    return encrypted({"alg": "ECDH-ES", "enc": "A256GCM", "epk": public_jwk(ephemeral), **header}, cek)


def test_malformed_party_info_is_refused() -> None:
    jwe.decrypt(agreed(apu=b(b"Alice"), apv=b(b"Bob")).compact(), key("KECDH"))
    for name, value in itertools.product(("apu", "apv"), [*NO_TEXT, "QQ==", "QR", "Q", "é", "+/+/"]):
        refused_both_ways(InvalidHeaderError, agreed().with_header(**{name: value}), key("KECDH"))
    refused(
        TokenTooLargeError, jwe.decrypt, agreed().with_header(apu=b(bytes(100_000))).compact(), key("KECDH")
    )
    refused(
        TokenTooLargeError, jwe.decrypt, agreed().with_header(apu=b(bytes(8_000))).compact(), key("KECDH")
    )


def test_swapped_or_moved_party_info_does_not_decrypt() -> None:
    good = agreed(apu=b(b"Alice"), apv=b(b"Bob"))
    for apu, apv in ((b"Bob", b"Alice"), (b"AliceB", b"ob"), (b"", b"AliceBob"), (b"Alice", b"")):
        refused_both_ways(DecryptionError, good.with_header(apu=b(apu), apv=b(apv)), key("KECDH"))


# --- the encrypted key ---------------------------------------------------------------------------


@pytest.mark.parametrize("encrypted_key", [b"\0", bytes(8), bytes(32), bytes(40), bytes(256)], ids=len)
def test_encrypted_key_must_be_empty_in_direct_modes(encrypted_key: bytes) -> None:
    for good, name in ((to_recipient("dir"), "KDIR"), (agreed(), "KECDH")):
        jwe.decrypt(good.compact(), key(name))
        token = replace(good, encrypted_key=encrypted_key)
        refused_both_ways((DecryptionError, InvalidHeaderError), token, key(name))


@pytest.mark.parametrize("alg", WRAP)
def test_cve_2026_34986_missing_or_short_encrypted_key_is_refused(alg: str) -> None:
    good = to_recipient(alg)
    for size in (0, 1, 7, 8, 15, 16, 17, 23, 24, 25, 32, 39, 41, 255, 256, 257, 1000):
        for octets in (good.encrypted_key[:size].ljust(size, b"\0"), bytes(size), b"\xff" * size):
            if octets != good.encrypted_key:
                refused_both_ways(DecryptionError, replace(good, encrypted_key=octets), recipient(alg))
    refused(DecryptionError, jwe.decrypt_json, good.flattened(encrypted_key=None), recipient(alg))
    for shape in [*NO_TEXT[1:], ["AA"], "A", "AA=", "é", " "]:
        refused(MalformedTokenError, jwe.decrypt_json, good.flattened(encrypted_key=shape), recipient(alg))
    text = json.dumps({**good.flattened(), "encrypted_key": None})
    refused(MalformedTokenError, jwe.decrypt_json, text, recipient(alg))


@pytest.mark.parametrize("recipients", [[], {}, None, "x", [None], ["x"], [[]]], ids=repr)
def test_cve_2026_34986_recipients_of_wrong_shape_are_refused(recipients: object) -> None:
    token = {**to_recipient("A256KW").flattened(encrypted_key=None), "recipients": recipients}
    refused(MalformedTokenError, jwe.decrypt_json, token, key("KKW"))
    refused(MalformedTokenError, jwe.decrypt_json, json.dumps(token), key("KKW"))


def test_cve_2026_34986_recipient_without_anything_is_refused() -> None:
    token = {**to_recipient("A256KW").flattened(encrypted_key=None), "recipients": [{}]}
    refused(DecryptionError, jwe.decrypt_json, token, key("KKW"))
    nowhere = {**token, "protected": b({"enc": "A256GCM"})}
    refused(InvalidHeaderError, jwe.decrypt_json, nowhere, key("KKW"))


CEK_CONFUSIONS = [
    ("A256GCM", 16, "A128GCM"),
    ("A256GCM", 24, "A192GCM"),
    ("A256GCM", 64, "A256CBC-HS512"),
    ("A128GCM", 32, "A256GCM"),
    ("A128CBC-HS256", 64, "A256CBC-HS512"),
    ("A256CBC-HS512", 32, "A128CBC-HS256"),
    ("A192CBC-HS384", 32, "A128CBC-HS256"),
]


@pytest.mark.parametrize("alg", WRAP)
@pytest.mark.parametrize("stated, size, used", CEK_CONFUSIONS)
def test_cek_of_wrong_length_is_refused(alg: str, stated: str, size: int, used: str) -> None:
    cek = os.urandom(size)
    encrypted_key, parameters = WRAP[alg](cek)
    token = encrypted({"alg": alg, "enc": stated, **parameters}, cek, encrypted_key=encrypted_key, enc=used)
    bad_tag = replace(to_recipient(alg), tag=bytes(16))
    error = refused_both_ways(DecryptionError, token, recipient(alg))
    assert code(error) == code(refused_both_ways(DecryptionError, bad_tag, recipient(alg)))


@pytest.mark.parametrize("alg", ["RSA-OAEP-256", "RSA1_5", "A256GCMKW"])
@pytest.mark.parametrize("size", [0, 1, 5, 31, 33])
def test_cek_of_odd_length_is_refused(alg: str, size: int) -> None:
    encrypted_key, parameters = WRAP[alg](os.urandom(size))
    token = encrypted({"alg": alg, "enc": "A256GCM", **parameters}, bytes(32), encrypted_key=encrypted_key)
    refused_both_ways(DecryptionError, token, recipient(alg))


# --- the content --------------------------------------------------------------------------------


@pytest.mark.parametrize("enc", CEK_SIZES)
def test_cve_2025_54887_truncated_tag_is_refused(enc: str) -> None:
    good = to_recipient("A256KW", enc)
    size = len(good.tag)
    for length in {*range(size), size + 1, 17, 32, 64} - {size}:
        for tag in (good.tag[:length].ljust(length, b"\0"), bytes(length)):
            refused_both_ways(DecryptionError, replace(good, tag=tag), key("KKW"))
    refused(DecryptionError, jwe.decrypt_json, good.flattened(tag=None), key("KKW"))


def test_cve_2025_54887_guessing_a_short_tag_is_hopeless() -> None:
    good = to_recipient("A256KW")
    for guess in range(256):
        refused(DecryptionError, jwe.decrypt, replace(good, tag=bytes([guess])).compact(), key("KKW"))


@pytest.mark.parametrize("length", [*range(16), 17, 32])
def test_cve_2025_54887_truncated_tag_header_is_refused(length: int) -> None:
    good = to_recipient("A256GCMKW")
    tag = unb(json.loads(unb(good.protected))["tag"])[:length].ljust(length, b"\0")
    refused_both_ways(InvalidHeaderError, good.with_header(tag=b(tag)), recipient("A256GCMKW"))


@pytest.mark.parametrize("enc", CEK_SIZES)
def test_ciphertext_and_tag_border_cannot_be_moved(enc: str) -> None:
    good = to_recipient("A256KW", enc, plaintext=b"0123456789abcdef" * 4)
    joined, border = good.ciphertext + good.tag, len(good.ciphertext)
    for place in {0, 1, 16, border - 15, border - 8, border - 1, border + 1, border + 8, len(joined)} - {
        border
    }:
        moved = replace(good, ciphertext=joined[:place], tag=joined[place:])
        refused_both_ways(DecryptionError, moved, key("KKW"))
    joined, border = good.iv + good.ciphertext, len(good.iv)
    for place in (0, border - 1, border + 1, border + 16, len(joined)):
        moved = replace(good, iv=joined[:place], ciphertext=joined[place:])
        refused_both_ways(DecryptionError, moved, key("KKW"))


@pytest.mark.parametrize("size", [0, 7, 8, 11, 13, 16, 32, 128, 129])
def test_gcm_iv_of_wrong_length_is_refused(size: int) -> None:
    for enc in ("A128GCM", "A256GCM"):
        if 8 <= size <= 128:  # the primitive takes these, and the tag is valid
            token = to_recipient("A256KW", enc, iv=os.urandom(size))
        else:
            token = replace(to_recipient("A256KW", enc), iv=os.urandom(size))
        refused_both_ways(DecryptionError, token, key("KKW"))


@pytest.mark.parametrize("size", [0, 12, 15, 17, 32])
def test_cbc_iv_of_wrong_length_is_refused(size: int) -> None:
    good = to_recipient("A256KW", "A128CBC-HS256", cek=SECRET[:32])
    iv = os.urandom(size)
    tag = cbc_tag(SECRET[:32], good.ciphertext, good.protected.encode(), iv)
    refused_both_ways(DecryptionError, replace(good, iv=iv, tag=tag), key("KKW"))


@pytest.mark.parametrize("size", [0, 7, 8, 11, 13, 16, 128, 129])
def test_gcmkw_iv_of_wrong_length_is_refused(size: int) -> None:
    iv, cek = os.urandom(size), os.urandom(32)
    box = AESGCM(SECRET[:32]).encrypt(iv, cek, None) if 8 <= size <= 128 else os.urandom(48)
    header = {"alg": "A256GCMKW", "enc": "A256GCM", "iv": b(iv), "tag": b(box[-16:])}
    token = encrypted(header, cek, encrypted_key=box[:-16])
    refused_both_ways(InvalidHeaderError, token, recipient("A256GCMKW"))


@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"])
def test_cve_2021_29443_padding_and_mac_failures_look_alike(enc: str) -> None:
    cek = os.urandom(CEK_SIZES[enc])
    good = to_recipient("A256KW", enc, cek=cek)
    aad = good.protected.encode()
    errors = [refused_both_ways(DecryptionError, replace(good, tag=bytes(len(good.tag))), key("KKW"))]
    for padded in (
        b"0123456789abcde\0",
        b"0123456789abcde\x11",
        b"0123456789abc\1\2\3",
        b"\xff" * 16,
        bytes(32),
    ):
        ciphertext, tag = cbc(cek, b"", aad, good.iv, padded=padded)
        for each in (tag, bytes(len(tag))):
            token = replace(good, ciphertext=ciphertext, tag=each)
            errors.append(refused_both_ways(DecryptionError, token, key("KKW")))
    for length in (0, 1, 15, 17, 31):
        ciphertext = os.urandom(length)
        tag = cbc_tag(cek, ciphertext, aad, good.iv)
        errors.append(
            refused_both_ways(DecryptionError, replace(good, ciphertext=ciphertext, tag=tag), key("KKW"))
        )
    assert len(set(map(str, map(code, errors)))) == 1


def test_cve_2021_29443_nothing_is_decrypted_before_the_mac_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = to_recipient("A256KW", "A128CBC-HS256")
    monkeypatch.setattr(content, "Cipher", lambda *_: pytest.fail("began to decrypt"))
    refused(DecryptionError, jwe.decrypt, replace(good, tag=bytes(16)).compact(), key("KKW"))


@pytest.mark.parametrize("bits", [0, 1, 8, 2**32, 2**61])
def test_cve_2017_12972_aad_length_is_authenticated(bits: int) -> None:
    cek = os.urandom(32)
    good = to_recipient("A256KW", "A128CBC-HS256", cek=cek)
    aad = good.protected.encode()
    for claimed in (bits, (len(aad) * 8 + bits) % 2**64, len(aad) + bits):
        if claimed != len(aad) * 8:
            tag = cbc_tag(cek, good.ciphertext, aad, good.iv, bits=claimed)
            refused_both_ways(DecryptionError, replace(good, tag=tag), key("KKW"))


def test_cve_2016_9123_borders_of_aad_iv_and_ciphertext_cannot_be_moved() -> None:
    cek = os.urandom(32)
    good = to_recipient("A256KW", "A128CBC-HS256", cek=cek)
    text = "AAAABBBBCCCCDDDDEEEE"
    aad = f"{good.protected}.{text}".encode()
    ciphertext, tag = cbc(cek, b"a block of words", aad, good.iv)
    token = {**replace(good, ciphertext=ciphertext, tag=tag).flattened(), "aad": text}
    assert jwe.decrypt_json(token, key("KKW")).plaintext == b"a block of words"
    for count in (4, 8, 16, 20):
        iv = text[-count:].encode() + good.iv
        for shown, hidden in ((iv, ciphertext), (iv[:16], iv[16:] + ciphertext)):
            shifted = {**token, "aad": text[:-count], "iv": b(shown), "ciphertext": b(hidden)}
            refused(DecryptionError, jwe.decrypt_json, shifted, key("KKW"))


# --- oracles of the key encryption -------------------------------------------------------------


def rsa_variants(alg: str) -> Iterator[tuple[str, bytes]]:
    """Encrypted keys that are wrong in one way each."""
    public = rsa_private().public_key()
    n, e = public.public_numbers().n, public.public_numbers().e

    def raw(encoded: bytes) -> bytes:
        return pow(int.from_bytes(encoded, "big"), e, n).to_bytes(256, "big")

    cek = b"\x42" * 32
    yield "block type 1", raw(b"\0\1" + b"\xff" * 221 + b"\0" + cek)
    yield "block type 0", raw(b"\0\0" + b"\xff" * 221 + b"\0" + cek)
    yield "no separator", raw(b"\0\2" + b"\xff" * 254)
    yield "separator among the first eight", raw(b"\0\2" + b"\xff" * 4 + b"\0" + b"\xff" * 216 + b"\0" + cek)
    yield "separator at the end", raw(b"\0\2" + b"\xff" * 253 + b"\0")
    yield "zeros", bytes(256)
    yield "one", bytes(255) + b"\1"
    yield "modulus", n.to_bytes(256, "big")
    yield "beyond the modulus", b"\xff" * 256
    yield "short", bytes(255)
    yield "long", bytes(257)
    yield "empty", b""
    yield "random", os.urandom(256)
    for size in (0, 1, 16, 31, 33, 48):
        yield f"good padding, key of {size} octets", WRAP[alg](os.urandom(size))[0]
    yield "good padding, other key", WRAP[alg](os.urandom(32))[0]


class CountingAESGCM:
    """Stands for the primitive and counts how often it is set up."""

    count = 0

    def __init__(self, cek: bytes) -> None:
        CountingAESGCM.count += 1
        self.decrypt = AESGCM(cek).decrypt


def test_cve_2026_28490_rsa1_5_padding_is_no_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "AESGCM", CountingAESGCM)
    good = to_recipient("RSA1_5")
    errors = []
    for defect, encrypted_key in rsa_variants("RSA1_5"):
        before = CountingAESGCM.count
        errors.append(
            refused(
                DecryptionError,
                jwe.decrypt,
                replace(good, encrypted_key=encrypted_key).compact(),
                recipient("RSA1_5"),
            )
        )
        assert CountingAESGCM.count == before + 1, f"{defect}: no tag was computed"
    errors.append(
        refused(DecryptionError, jwe.decrypt, replace(good, tag=bytes(16)).compact(), recipient("RSA1_5"))
    )
    assert len(set(map(str, map(code, errors)))) == 1


def test_cve_2016_6298_rsa1_5_only_decrypts() -> None:
    refused(KeyUseError, jwe.encrypt, b"x", recipient("RSA1_5"))
    refused(KeyUseError, jwe.encrypt_json, b"x", recipient("RSA1_5").public())
    token = to_recipient("RSA1_5")
    refused(AlgorithmMismatchError, jwe.decrypt, token.compact(), key("KOAEP"))
    refused(AlgorithmMismatchError, jwe.decrypt, to_recipient("RSA-OAEP-256").compact(), recipient("RSA1_5"))


def test_oaep_failures_look_alike() -> None:
    good = to_recipient("RSA-OAEP-256")
    scheme = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=b"label")
    sha1 = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA256(), label=None)  # noqa: S303
    labelled = [rsa_private().public_key().encrypt(SECRET[:32], each) for each in (scheme, sha1)]
    forged = [octets for _, octets in rsa_variants("RSA-OAEP-256")] + labelled
    errors = [
        refused_both_ways(DecryptionError, replace(good, encrypted_key=octets), key("KOAEP"))
        for octets in forged
    ]
    assert len(set(map(str, map(code, errors)))) == 1


@pytest.mark.parametrize("tag", [bytes(16), b"\xff" * 16, os.urandom(16)], ids=["zeros", "ones", "random"])
def test_ghsa_6vvh_pxr4_25r7_gcmkw_tag_is_verified(tag: bytes) -> None:
    good = to_recipient("A256GCMKW")
    refused_both_ways(DecryptionError, good.with_header(tag=b(tag)), recipient("A256GCMKW"))


@pytest.mark.parametrize("name", ["tag", "iv"])
@pytest.mark.parametrize("value", [..., None, 1, True, [], {}, "", "AA", "é", "A" * 22 + "=="], ids=repr)
def test_ghsa_6vvh_pxr4_25r7_gcmkw_parameter_of_wrong_form_is_refused(name: str, value: object) -> None:
    token = to_recipient("A256GCMKW").with_header(**{name: value})
    refused_both_ways(InvalidHeaderError, token, recipient("A256GCMKW"))


def test_ghsa_6vvh_pxr4_25r7_unprotected_tag_does_not_replace_the_protected_one() -> None:
    good = to_recipient("A256GCMKW")
    for place in ("unprotected", "header"):
        token = good.flattened(**{place: {"tag": b(bytes(16))}})
        refused(InvalidHeaderError, jwe.decrypt_json, token, recipient("A256GCMKW"))


# --- what is authenticated -----------------------------------------------------------------------


def test_aad_is_the_received_header_octets() -> None:
    odd = '{ "enc" :"A256GCM",\n "x\\u002fy":1, "alg":"dir"}'
    good = encrypted(odd, SECRET[:32])
    assert jwe.decrypt(good.compact(), key("KDIR")).plaintext == b"secret"
    for text in (
        odd.replace(" ", ""),
        odd + " ",
        '{"alg":"dir","enc":"A256GCM","x/y":1}',
        odd.replace("\\u002f", "/"),
    ):
        refused_both_ways(DecryptionError, replace(good, protected=b(text)), key("KDIR"))


def test_json_aad_is_authenticated() -> None:
    token = jwe.encrypt_json(b"secret", key("KKW"), aad=b"who may read this")
    assert jwe.decrypt_json(token, key("KKW")).aad == b"who may read this"
    without = {name: value for name, value in token.items() if name != "aad"}
    refused(DecryptionError, jwe.decrypt_json, without, key("KKW"))
    for aad in ("", b(b"who may read thiS"), b(b"who may read this "), b(b"who")):
        refused(DecryptionError, jwe.decrypt_json, {**token, "aad": aad}, key("KKW"))
    for malformed in [*NO_TEXT, token["aad"] + "=", token["aad"] + "AA", "é", "a b"]:
        refused(MalformedTokenError, jwe.decrypt_json, {**token, "aad": malformed}, key("KKW"))
    plain = jwe.encrypt_json(b"secret", key("KKW"))
    refused(DecryptionError, jwe.decrypt_json, {**plain, "aad": ""}, key("KKW"))


def test_protected_header_and_aad_do_not_flow_into_each_other() -> None:
    token = jwe.encrypt_json(b"secret", key("KKW"), aad=b"abc")
    joined = f"{token['protected']}.{token['aad']}"
    without = {name: value for name, value in token.items() if name != "aad"}
    refused(
        (InvalidHeaderError, MalformedTokenError),
        jwe.decrypt_json,
        {**without, "protected": joined},
        key("KKW"),
    )


# --- several recipients -------------------------------------------------------------------------------


def general(*recipients: dict[str, Any], **members: Any) -> dict[str, Any]:
    good = to_recipient("A256KW").flattened(encrypted_key=None, protected=b({}))
    return {**good, **members, "recipients": list(recipients)}


def test_recipients_must_agree() -> None:
    one, other = ({"header": {"alg": "A256KW", "enc": enc}} for enc in ("A256GCM", "A128GCM"))
    refused(InvalidHeaderError, jwe.decrypt_json, general(one, other), key("KKW"))
    for zipped in ({"zip": "DEF"}, {"zip": None}):
        mixed = {"header": {"alg": "A256KW", "enc": "A256GCM", **zipped}}
        refused(InvalidHeaderError, jwe.decrypt_json, general(one, mixed), key("KKW"))
        refused(InvalidHeaderError, jwe.decrypt_json, general(one, mixed), key("KKW"), max_decompressed=100)


@pytest.mark.parametrize("name, alg", [("KDIR", "dir"), ("KECDH", "ECDH-ES")])
def test_direct_modes_allow_one_recipient_only(name: str, alg: str) -> None:
    for keys in ([key(name), key("KKW")], [key("KKW"), key(name)], [key(name), key(name)]):
        refused(ConfigurationError, jwe.encrypt_json, b"x", keys)
    direct = encrypted({"enc": "A256GCM"}, SECRET[:32])
    entries = [{"header": {"alg": alg, "epk": public_jwk(ec_private())}}, {"header": {"alg": "A256KW"}}]
    alone = {**direct.flattened(encrypted_key=None), "recipients": entries[:1]}
    if alg == "dir":
        assert jwe.decrypt_json(alone, key(name)).plaintext == b"secret"
    for several in (entries, entries[::-1]):
        refused(InvalidHeaderError, jwe.decrypt_json, {**alone, "recipients": several}, key(name))


def test_seventeenth_recipient_is_one_too_many() -> None:
    keys = [Key.generate("A128KW") for _ in range(16)]
    token = jwe.encrypt_json(b"x", keys)
    assert jwe.decrypt_json(token, keys[15]).plaintext == b"x"
    more = {**token, "recipients": [token["recipients"][0], *token["recipients"]]}
    refused(TokenTooLargeError, jwe.decrypt_json, more, keys[15])


MAKERS: dict[str, Callable[[], Key]] = {
    "dir": lambda: key("KDIR"),
    "A256KW": lambda: key("KKW"),
    "A256GCMKW": lambda: recipient("A256GCMKW"),
    "RSA-OAEP-256": lambda: key("KOAEP").public(),
    "ECDH-ES": lambda: key("KECDH").public(),
    "ECDH-ES+A256KW": lambda: recipient("ECDH-ES+A256KW").public(),
    PBES2_ALG: lambda: recipient(PBES2_ALG),
}


@pytest.mark.parametrize("alg", MAKERS)
def test_every_encryption_has_fresh_iv_cek_and_ephemeral_key(alg: str) -> None:
    ours, extra = MAKERS[alg](), {"p2c": 1000} if alg == PBES2_ALG else None
    tokens = [jwe.encrypt(b"the same", ours, header=extra).split(".") for _ in range(200)]
    headers = [json.loads(unb(token[0])) for token in tokens]
    for part in (2, 3, 4) if alg != "ECDH-ES" else (2, 3):
        assert len({token[part] for token in tokens}) == 200
    for name in ("epk", "iv", "tag", "p2s"):
        values = {json.dumps(header[name]) for header in headers if name in header}
        assert len(values) in (0, 200), name
    if alg not in ("dir", "ECDH-ES"):
        assert len({token[1] for token in tokens}) == 200


def test_keys_are_refused_outside_their_use() -> None:
    sealed, signed = to_recipient("A256KW").compact(), forging.signed("KHS", {"alg": "HS256"})
    for name in ("KHS", "KRS", "KES", "KED"):
        alg = key(name).alg
        token = encrypted({"alg": alg, "enc": "A256GCM"}, SECRET[:32]).compact()
        refused((KeyUseError, AlgorithmMismatchError), jwe.decrypt, sealed, key(name))
        refused(KeyUseError, jwe.decrypt, token, key(name))
        refused(KeyUseError, jwe.encrypt, b"x", key(name))
        refused(KeyUseError, jwe.encrypt_json, b"x", [key(name)])
    for name in ("KKW", "KDIR", "KOAEP", "KECDH"):
        alg = "dir" if name == "KDIR" else key(name).alg
        refused((KeyUseError, AlgorithmMismatchError), jws.verify, signed, key(name))
        refused(KeyUseError, jws.verify, forging.tok({"alg": alg}), key(name))
        refused(KeyUseError, jws.sign, b"x", key(name))
        refused(KeyUseError, jws.sign_json, b"x", key(name))
        refused(KeyUseError, jwt.Verifier, key(name), issuer="i", audience="a")
        refused(KeyUseError, jwt.Signer, key(name), issuer="i")
    refused(KeyUseError, jws.sign, b"x", key("KES").public())
    refused(KeyUseError, jwt.Signer, key("KES").public(), issuer="i")
    refused(KeyUseError, jwt.Signer, key("KES"), issuer="i", encrypt_to=key("KES"))
    refused(KeyUseError, jwt.Verifier, key("KES"), issuer="i", audience="a", decrypt_with=key("KES"))
    refused(KeyUseError, jwe.decrypt, to_recipient("RSA-OAEP-256").compact(), key("KOAEP").public())
    refused(KeyUseError, jwe.decrypt, to_recipient("RSA-OAEP-256").compact(), KeySet([key("KOAEP").public()]))
    refused(KeyUseError, key("KHS").public)


def test_gcm_is_what_the_forger_thinks_it_is() -> None:
    """A slip in the forger would make every refusal above an empty one."""
    iv = bytes(12)
    assert gcm(SECRET[:32], b"x", b"", iv)[0] == AESGCM(SECRET[:32]).encrypt(iv, b"x", b"")[:1]
