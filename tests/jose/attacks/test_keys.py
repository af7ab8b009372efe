"""What is taken for a key, and what is too weak to be one."""

import copy
import hashlib
import json
import math
import os
import pickle
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coatcheck.jose import JOSEError, Key, KeySet, jwe, jws, jwt
from coatcheck.jose.errors import (
    ConfigurationError,
    KeyImportError,
    KeyPasswordError,
    KeySetError,
    KeyUseError,
    UnsupportedAlgorithmError,
    UnsupportedKeyError,
    WeakKeyError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    DER_FORMS,
    PASSWORD,
    RSA_DER_FORMS,
    RSA_TEXT_FORMS,
    SECRET,
    TEXT_FORMS,
    PrivateKey,
    b,
    key,
    oct_jwk,
    private_jwk,
    public_jwk,
    refused,
    roca_modulus,
    signed,
    spki,
    uint,
)

NO_SECRETS: tuple[Any, ...] = (None, 0, False, [], "", "secret" * 10, bytearray(64), memoryview(SECRET))
NO_MEMBER: tuple[dict[str, Any], ...] = ({}, {"k": None}, {"k": 0}, {"k": []}, {"k": SECRET})
PRIVATE: dict[str, Callable[[], PrivateKey]] = {
    "RSA": forging.rsa_private,
    "EC": forging.ec_private,
    "OKP": forging.ed_private,
    "AKP": forging.lattice_private,
}
ALG = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519", "AKP": "ML-DSA-44"}


def _traditional(private: PrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    return private.private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _refused_as_secret(octets: bytes) -> None:
    """Check that octets serve as no secret, from no source and for no algorithm."""
    long = octets + bytes(max(0, 64 - len(octets)))
    for candidate in {octets, long}:
        refused((WeakKeyError, KeyImportError), Key.from_secret, candidate, "HS256")
        refused((WeakKeyError, KeyImportError), Key.from_jwk, oct_jwk(candidate))
        refused((WeakKeyError, KeyImportError), KeySet.from_jwks, {"keys": [oct_jwk(candidate)]})
    refused((WeakKeyError, KeyImportError), Key.from_secret, long, "HS512")


# --- what is no secret ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kty, form",
    [(kty, form) for kty in PRIVATE for form in TEXT_FORMS if not (kty == "AKP" and "openssh" in form)]
    + [("RSA", form) for form in RSA_TEXT_FORMS],
)
def test_cve_2024_33663_public_pem_as_hmac_secret_is_refused(kty: str, form: str) -> None:
    _refused_as_secret({**TEXT_FORMS, **RSA_TEXT_FORMS}[form](PRIVATE[kty]()))


@pytest.mark.parametrize("kty", PRIVATE)
def test_cve_2024_33663_private_pem_as_hmac_secret_is_refused(kty: str) -> None:
    private = PRIVATE[kty]()
    _refused_as_secret(forging.pkcs8(private))
    if kty in {"RSA", "EC"}:
        _refused_as_secret(_traditional(private))
    if kty != "AKP":
        _refused_as_secret(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    protected = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    _refused_as_secret(protected)


@pytest.mark.parametrize(
    "kind",
    [
        *("ssh-rsa", "ssh-dss", "ssh-ed25519", "ssh-ed448", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521"),
        *("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"),
    ],
)
def test_cve_2022_29217_every_kind_of_openssh_key_as_hmac_secret_is_refused(kind: str) -> None:
    blob = len(kind).to_bytes(4, "big") + kind.encode() + bytes(64)
    line = f"{kind} {b(blob)} alice@example"
    _refused_as_secret(line.encode())
    _refused_as_secret(f'from="10.0.0.1" {line}\n'.encode())


@pytest.mark.parametrize("kty", PRIVATE)
def test_cve_2024_33663_der_public_key_as_hmac_secret_is_refused(kty: str) -> None:
    private = PRIVATE[kty]()
    forms = {**DER_FORMS, **RSA_DER_FORMS} if kty == "RSA" else DER_FORMS
    octets = [form(private) for form in forms.values()] + [forging.pkcs8(private, Encoding.DER)]
    if kty in {"RSA", "EC"}:
        octets.append(_traditional(private, Encoding.DER))
    for candidate in octets:
        refused(WeakKeyError, Key.from_secret, candidate, "HS256")
        refused(WeakKeyError, Key.from_jwk, oct_jwk(candidate))


def test_secret_that_merely_begins_like_der_is_accepted() -> None:
    for octets in (b"\x30\x82\x01\x22" + SECRET, b"\x30" + SECRET, b"\x30\x59" + SECRET):
        assert Key.from_secret(octets, "HS256").size == len(octets) * 8


@pytest.mark.parametrize("kty", PRIVATE)
@pytest.mark.parametrize(
    "wrap", ["{}", "  \n{}\n ", '{{"keys":[{}]}}', "[{}]", '{{"keys" : [ {} ]}}', "\ufeff{}"]
)
def test_cve_2026_48526_jwk_json_as_hmac_secret_is_refused(kty: str, wrap: str) -> None:
    jwk = public_jwk(PRIVATE[kty]())
    texts = [json.dumps(jwk), json.dumps(jwk, indent=1), json.dumps(jwk, separators=(",", ":")), str(jwk)]
    texts += [json.dumps(jwk, separators=(" ,", " : ")), json.dumps(jwk).replace(":", "\n:\t")]
    for text in texts:
        _refused_as_secret(wrap.format(text).encode())


@pytest.mark.parametrize(
    "prefix",
    [
        *(
            " ",
            "\n",
            "\t",
            "\0",
            "\r\n",
            "\ufeff",
            "\u200b",
            "# comment\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "x",
            "'",
        ),
        "-----BEGIN JUNK-----\nAAAA\n-----END JUNK-----\n",
        "a" * 10_000,
    ],
)
def test_cve_2026_34950_prefixed_public_pem_as_hmac_secret_is_refused(prefix: str) -> None:
    for private in (forging.rsa_private(), forging.ec_private(), forging.ed_private()):
        for text in (
            spki(private),
            forging.certificate(private),
            forging.openssh(private),
            forging.pkcs8(private),
        ):
            for variant in (
                text,
                text.replace(b"\n", b"\r\n"),
                text.replace(b"\n", b"\r"),
                text + prefix.encode(),
            ):
                _refused_as_secret(prefix.encode() + variant)


@pytest.mark.parametrize(
    "alg", ["HS256", "HS384", "HS512", "A128KW", "A256KW", "A256GCMKW", "A256GCM", "A128CBC-HS256"]
)
def test_cve_2026_49852_empty_secret_is_refused(alg: str) -> None:
    refused((WeakKeyError, KeyUseError), Key.from_secret, b"", alg)
    refused((WeakKeyError, KeyUseError), Key.from_jwk, oct_jwk(b"", alg))
    refused((WeakKeyError, KeyUseError), KeySet.from_jwks, {"keys": [oct_jwk(b"", alg)]})
    for nothing in NO_SECRETS:
        refused(ConfigurationError, Key.from_secret, nothing, alg)
    for absent in NO_MEMBER:
        refused(KeyImportError, Key.from_jwk, {"kty": "oct", "alg": alg, **absent})


@pytest.mark.parametrize("alg", ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"])
def test_cve_2026_49852_empty_password_is_refused(alg: str) -> None:
    for password in ("", b"", "seven77", b"\0" * 7):
        refused(WeakKeyError, Key.from_password, password, alg)
        octets = password.encode() if isinstance(password, str) else password
        refused(WeakKeyError, Key.from_secret, octets, alg)
        refused(WeakKeyError, Key.from_jwk, oct_jwk(octets, alg))
    for nothing in (None, 0, bytearray(20)):
        refused(ConfigurationError, Key.from_password, nothing, alg)


@pytest.mark.parametrize("alg, least", [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_cve_2025_45768_hmac_key_shorter_than_its_hash_is_refused(alg: str, least: int) -> None:
    for size in (1, 16, least - 1):
        refused(WeakKeyError, Key.from_secret, os.urandom(size), alg)
        refused(WeakKeyError, Key.from_jwk, oct_jwk(os.urandom(size), alg))
        refused(WeakKeyError, KeySet.from_jwks, {"keys": [oct_jwk(os.urandom(size), alg)]})
    for size in (least, least + 1, 200):
        assert Key.from_secret(os.urandom(size), alg).size == size * 8
        assert Key.from_jwk(oct_jwk(os.urandom(size), alg)).size == size * 8


def test_rfc8725_password_is_not_a_mac_key() -> None:
    refused(ConfigurationError, Key.from_secret, "correct horse battery staple, and a long one", "HS256")
    for alg in ("HS256", "HS512", "A256KW", "A256GCM", "RS256", "ECDH-ES"):
        refused(KeyUseError, Key.from_password, PASSWORD, alg)
    refused(UnsupportedAlgorithmError, Key.from_password, PASSWORD, "PBES2")


# --- RSA ----------------------------------------------------------------------------------------


def _modulus(bits: int) -> int:
    """Return an odd number of this size without small factors: to an importer, a modulus like any other."""
    small = math.prod(n for n in range(2, 2048) if all(n % d for d in range(2, math.isqrt(n) + 1)))
    digits = hashlib.shake_256(b"modulus of %d bits" % bits).digest((bits + 7) // 8)
    number = int.from_bytes(digits, "big") % (1 << bits) | 1 << bits - 1 | 1
    while math.gcd(number, small) != 1:
        number += 2
    return number


def _rsa_jwk(n: int, e: int = 65_537) -> dict[str, Any]:
    return {"kty": "RSA", "n": b(uint(n)), "e": b(uint(e))}


def _rsa_files(n: int, e: int = 65_537) -> list[bytes]:
    """Write SubjectPublicKeyInfo by hand, as PEM and DER: the primitives refuse to write what they refuse to read."""

    def der(tag: int, content: bytes) -> bytes:
        size = len(content)
        length = bytes([size]) if size < 128 else bytes([0x80 | len(uint(size))]) + uint(size)
        return bytes([tag]) + length + content

    def integer(number: int) -> bytes:
        return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    pkcs1 = der(0x30, integer(n) + integer(e))
    written = der(0x30, algorithm + der(3, b"\0" + pkcs1))
    armour = b"-----BEGIN PUBLIC KEY-----\n", b"\n-----END PUBLIC KEY-----\n"
    body = b(written).replace("-", "+").replace("_", "/") + "=" * (-len(b(written)) % 4)
    return [armour[0] + body.encode() + armour[1], written]


def _refused_modulus(n: int, e: int = 65_537, alg: str = "RS256") -> None:
    refused(WeakKeyError, Key.from_jwk, _rsa_jwk(n, e), alg=alg)
    refused(WeakKeyError, KeySet.from_jwks, {"keys": [{**_rsa_jwk(n, e), "alg": alg}]})
    pem, der = _rsa_files(n, e)
    refused((WeakKeyError, KeyImportError), Key.from_pem, pem, alg)
    refused((WeakKeyError, KeyImportError), Key.from_der, der, alg)


def test_an_ordinary_modulus_is_accepted() -> None:
    n = forging.rsa_private().public_key().public_numbers().n
    thumbprint = Key.from_jwk(_rsa_jwk(n), alg="RS256").thumbprint()
    pem, der = _rsa_files(n)
    assert Key.from_pem(pem, "RS256").thumbprint() == Key.from_der(der, "RS256").thumbprint() == thumbprint
    for bits in (2048, 4096, 16_384):
        assert Key.from_jwk(_rsa_jwk(_modulus(bits)), alg="RS256").size == bits


@pytest.mark.parametrize("bits", [512, 768, 1024, 2047])
@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"])
def test_rsa_modulus_below_2048_bits_is_refused(bits: int, alg: str) -> None:
    refused(WeakKeyError, Key.from_jwk, _rsa_jwk(_modulus(bits)), alg=alg)
    pem, der = _rsa_files(_modulus(bits))
    refused((WeakKeyError, KeyImportError), Key.from_pem, pem, alg)
    refused((WeakKeyError, KeyImportError), Key.from_der, der, alg)
    refused(ConfigurationError, Key.generate, alg, bits=bits)


@pytest.mark.parametrize("bits", [0, -1, 2048.0, "2048", True, 16_385, 10**9])
def test_rsa_key_of_a_senseless_size_is_not_made(bits: Any) -> None:
    refused(ConfigurationError, Key.generate, "RS256", bits=bits)


@pytest.mark.parametrize(
    "e",
    [0, 1, 2, 3, 4, 5, 17, 257, 65_535, 65_536, 65_538, (1 << 256) + 1, (1 << 2000) + 1],
    ids=lambda e: f"{e:.3g}" if e < 1e9 else e.bit_length(),
)
def test_degenerate_rsa_exponents_are_refused(e: int) -> None:
    _refused_modulus(forging.rsa_private().public_key().public_numbers().n, e)


def test_degenerate_or_giant_rsa_numbers_are_refused() -> None:
    n, p = forging.rsa_private().public_key().public_numbers().n, forging.rsa_private().private_numbers().p
    for weak in (0, 1, n + 1, n * 3, 2039 * n, p * p, _modulus(16_385), _modulus(32_768), n << 40_000):
        began = time.perf_counter()
        refused(WeakKeyError, Key.from_jwk, _rsa_jwk(weak), alg="RS256")
        assert time.perf_counter() - began < 1  # to look for factors would take far longer
    for weak in (n + 1, n * 3, p * p, _modulus(16_385), _modulus(32_768)):
        _refused_modulus(weak)


def test_rsa_primes_that_are_close_to_each_other_are_refused() -> None:
    p = forging.rsa_private().private_numbers().p
    for distance in (2, 1 << 64, 1 << 500):
        q = p + distance
        while math.gcd(q, 2 * 3 * 5 * 7 * 11 * 13) != 1 or pow(2, q - 1, q) != 1:
            q += 1
        if (p * q).bit_length() >= 2048:
            _refused_modulus(p * q)


@pytest.mark.parametrize("alg", ["RS256", "PS512", "RSA-OAEP", "RSA1_5"])
def test_cve_2017_15361_roca_modulus_is_refused(alg: str) -> None:
    assert roca_modulus().bit_length() == 2048
    error = refused(WeakKeyError, Key.from_jwk, _rsa_jwk(roca_modulus()), alg=alg)
    assert "CVE-2017-15361" in error.message
    for form, read in zip(_rsa_files(roca_modulus()), (Key.from_pem, Key.from_der), strict=True):
        assert "CVE-2017-15361" in refused(WeakKeyError, read, form, alg).message
    refused(WeakKeyError, KeySet.from_jwks, {"keys": [_rsa_jwk(roca_modulus())]}, algorithms={alg})


# --- points and private halves -------------------------------------------------------------------

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
N256 = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)


def _point() -> tuple[int, int]:
    numbers = forging.ec_private().public_key().public_numbers()
    return numbers.x, numbers.y


def _ec_jwk(x: bytes, y: bytes, *, crv: str = "P-256") -> dict[str, Any]:
    return {"kty": "EC", "crv": crv, "x": b(x), "y": b(y), "alg": "ES256"}


def test_ec_point_off_the_curve_or_of_wrong_length_is_refused() -> None:
    x, y = _point()
    pairs = [
        (x, y + 1),
        (x + 1, y),
        (y, x),
        (0, 0),
        (1, 1),
        (0, 1),
        (x, 0),
        (P256, y),
        (P256 - 1, P256 - 1),
        (x, 2**256 - 1),
    ]
    for pair in pairs:
        refused(KeyImportError, Key.from_jwk, _ec_jwk(*(number.to_bytes(32, "big") for number in pair)))
    good_x, good_y = x.to_bytes(32, "big"), y.to_bytes(32, "big")
    assert Key.from_jwk(_ec_jwk(good_x, good_y)).thumbprint() == key("KES").thumbprint()
    for wrong in (good_x[1:], b"\0" + good_x, good_x[:-1], good_x + b"\0", b"", b"\0", good_x * 2):
        refused(KeyImportError, Key.from_jwk, _ec_jwk(wrong, good_y))
        refused(KeyImportError, Key.from_jwk, _ec_jwk(good_x, wrong))
    for alg, crv, size in (("ES384", "P-384", 48), ("ES512", "P-521", 66), ("ES256K", "secp256k1", 32)):
        for length in {32, size}:
            jwk = _ec_jwk(x.to_bytes(length, "big"), y.to_bytes(length, "big"), crv=crv)
            refused(KeyImportError, Key.from_jwk, {**jwk, "alg": alg})


@pytest.mark.parametrize("lost", ["x", "y", "crv"])
def test_ec_jwk_without_a_member_is_refused(lost: str) -> None:
    jwk = {**public_jwk(forging.ec_private()), "alg": "ES256"}
    for value in (None, 1, ["AA"], {"a": 1}, True):
        refused(KeyImportError, Key.from_jwk, {**jwk, lost: value})
    del jwk[lost]
    refused(KeyImportError, Key.from_jwk, jwk)


def test_ec_point_off_the_curve_in_a_file_is_refused() -> None:
    der = spki(forging.ec_private(), Encoding.DER)
    refused(KeyImportError, Key.from_der, der[:-1] + bytes([der[-1] ^ 1]), "ES256")
    refused(KeyImportError, Key.from_der, der[:-64] + bytes(64), "ES256")
    infinity = bytes([0x30, der[1] - 64]) + der[2:-68] + b"\x03\x02\x00\x00"
    refused(KeyImportError, Key.from_der, infinity, "ES256")


def test_compressed_point_in_a_file_is_the_same_key_or_refused() -> None:
    der = spki(forging.ec_private(), Encoding.DER)
    point = forging.ec_private().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes([0x30, der[1] - 32]) + der[2:-68] + bytes([0x03, 34, 0]) + point
    try:
        read = Key.from_der(compressed, "ES256")
    except KeyImportError:
        return
    assert read.thumbprint() == key("KES").thumbprint()


def test_private_key_that_contradicts_its_public_half_is_refused() -> None:
    ours, other = {**public_jwk(forging.ec_private()), "alg": "ES256"}, forging.ec_private("P-256", "other")
    numbers = [other.private_numbers().private_value, 0, N256, N256 - 1, 2**256 - 1, 1]
    for number in numbers:
        refused(KeyImportError, Key.from_jwk, {**ours, "d": b(number.to_bytes(32, "big"))})
    d = forging.ec_private().private_numbers().private_value
    assert Key.from_jwk({**ours, "d": b(d.to_bytes(32, "big"))}).is_private
    for octets in (
        b"\0" + d.to_bytes(32, "big"),
        (d + N256).to_bytes(33, "big"),
        d.to_bytes(32, "big")[:-1],
        b"",
    ):
        refused(KeyImportError, Key.from_jwk, {**ours, "d": b(octets)})


def test_edwards_private_key_that_contradicts_its_public_half_is_refused() -> None:
    jwk = {**private_jwk(forging.ed_private()), "alg": "Ed25519"}
    assert Key.from_jwk(jwk).is_private
    for octets in (os.urandom(32), bytes(32), os.urandom(31), os.urandom(33), b""):
        refused(KeyImportError, Key.from_jwk, {**jwk, "d": b(octets)})
        refused(KeyImportError, Key.from_jwk, {**jwk, "x": b(octets)})


@pytest.mark.parametrize("name", ["n", "d", "p", "q", "dp", "dq", "qi"])
def test_rsa_private_numbers_that_contradict_each_other_are_refused(name: str) -> None:
    jwk, other = private_jwk(forging.rsa_private()), private_jwk(forging.other_rsa_private())
    assert Key.from_jwk(jwk, alg="RS256").is_private
    refused(KeyImportError, Key.from_jwk, {**jwk, name: other[name]}, alg="RS256")
    weak = (WeakKeyError, KeyImportError) if name == "n" else KeyImportError
    for number in (0, 1, 2):
        refused(weak, Key.from_jwk, {**jwk, name: b(uint(number))}, alg="RS256")
    for value in (None, 1, "", "!", ["AA"], {"a": 1}):
        refused(KeyImportError, Key.from_jwk, {**jwk, name: value}, alg="RS256")
    if name not in {"n", "d"}:
        refused(KeyImportError, Key.from_jwk, {k: v for k, v in jwk.items() if k != name}, alg="RS256")


def test_rsa_key_of_more_than_two_primes_is_refused() -> None:
    jwk = private_jwk(forging.rsa_private())
    refused(
        UnsupportedKeyError, Key.from_jwk, {**jwk, "oth": [{"r": "AQ", "d": "AQ", "t": "AQ"}]}, alg="RS256"
    )
    refused(UnsupportedKeyError, Key.from_jwk, {**jwk, "oth": None}, alg="RS256")


def test_rsa_private_exponent_alone_must_fit() -> None:
    jwk, other = private_jwk(forging.rsa_private()), private_jwk(forging.other_rsa_private())
    bare = {name: jwk[name] for name in ("kty", "n", "e", "d")}
    assert Key.from_jwk(bare, alg="RS256").thumbprint() == key("KRS").thumbprint()
    for d in (other["d"], "AA", "AQ", b(uint(65_537))):
        refused(KeyImportError, Key.from_jwk, {**bare, "d": d}, alg="RS256")


def test_file_whose_public_half_is_another_keys_is_refused() -> None:
    form = Encoding.X962, PublicFormat.UncompressedPoint
    ours = forging.ec_private().public_key().public_bytes(*form)
    other = forging.ec_private("P-256", "other").public_key().public_bytes(*form)
    der = forging.pkcs8(forging.ec_private(), Encoding.DER)
    assert ours in der
    refused(KeyImportError, Key.from_der, der.replace(ours, other), "ES256")


# --- points of small order -----------------------------------------------------------------------

P25519, P448 = 2**255 - 19, 2**448 - 2**224 - 1
D25519 = -121_665 * pow(121_666, -1, P25519) % P25519


def _sqrt(square: int) -> int | None:
    root = pow(square, (P25519 + 3) // 8, P25519)
    if root * root % P25519 != square % P25519:
        root = root * pow(2, (P25519 - 1) // 4, P25519) % P25519
    return root if root * root % P25519 == square % P25519 else None


def _ed25519_small_order() -> list[bytes]:
    """Compute every encoding of the eight points of small order, the unreduced and doubly signed ones included."""
    # Of order 8 are the points with y**2 = x**2 * -1, so that d*y**4 + 2*y**2 - 1 = 0.
    root = _sqrt(1 + D25519)
    assert root is not None
    halves = [(number - 1) * pow(D25519, -1, P25519) % P25519 for number in (root, -root)]
    order_8 = [y for y in map(_sqrt, halves) if y is not None]
    ys = {0, 1, P25519 - 1, *order_8, *(P25519 - y for y in order_8)}
    ys |= {y + P25519 for y in ys if y + P25519 < 2**255}
    return [(y | sign << 255).to_bytes(32, "little") for y in sorted(ys) for sign in (0, 1)]


def _okp(x: bytes, alg: str, crv: str) -> dict[str, Any]:
    return {"kty": "OKP", "crv": crv, "x": b(x), "alg": alg}


def test_small_order_edwards_public_key_is_refused() -> None:
    encodings = _ed25519_small_order()
    assert len(encodings) == 14
    for x in encodings:
        refused((WeakKeyError, KeyImportError), Key.from_jwk, _okp(x, "Ed25519", "Ed25519"))
        refused((WeakKeyError, KeyImportError), Key.from_jwk, _okp(x, "EdDSA", "Ed25519"), alg="EdDSA")
        refused((WeakKeyError, KeyImportError), KeySet.from_jwks, {"keys": [_okp(x, "Ed25519", "Ed25519")]})
        der = spki(forging.ed_private(), Encoding.DER)[:-32] + x
        refused((WeakKeyError, KeyImportError), Key.from_der, der, "Ed25519")


def test_small_order_ed448_public_key_is_refused() -> None:
    prefix = (
        ed448.Ed448PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    for y in (0, 1, P448 - 1, P448, P448 + 1):
        for sign in (0, 1):
            x = (y | sign << 455).to_bytes(57, "little")
            refused((WeakKeyError, KeyImportError), Key.from_jwk, _okp(x, "Ed448", "Ed448"))
            refused((WeakKeyError, KeyImportError), Key.from_der, prefix[:-57] + x, "Ed448")


def _x25519_small_order() -> list[int]:
    """Compute the u coordinates of small order, of the curve and its twist, also unreduced: (1+y)/(1-y)."""
    ys = [int.from_bytes(octets, "little") % 2**255 % P25519 for octets in _ed25519_small_order()]
    us = {(1 + y) * pow(1 - y, -1, P25519) % P25519 for y in ys if y != 1}
    us |= {0, 1, P25519 - 1}
    return sorted(us | {u + P25519 for u in us if u + P25519 < 2**255})


def test_small_order_montgomery_public_key_is_refused() -> None:
    assert len(_x25519_small_order()) == 7
    template = (
        x25519.X25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    for u in _x25519_small_order():
        for high_bit in (0, 1):
            x = (u | high_bit << 255).to_bytes(32, "little")
            for alg in ("ECDH-ES", "ECDH-ES+A256KW"):
                refused(WeakKeyError, Key.from_jwk, _okp(x, alg, "X25519"))
                refused(WeakKeyError, Key.from_der, template[:-32] + x, alg)


def test_small_order_x448_public_key_is_refused() -> None:
    template = (
        x448.X448PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    for u in (0, 1, P448 - 1, P448, P448 + 1):
        x = u.to_bytes(56, "little")
        refused(WeakKeyError, Key.from_jwk, _okp(x, "ECDH-ES", "X448"))
        refused(WeakKeyError, Key.from_der, template[:-56] + x, "ECDH-ES")


# --- the members of a JWK ----------------------------------------------------------------------


def _contradictory() -> dict[str, tuple[type[JOSEError], dict[str, Any]]]:
    rsa_, ec_, okp = (public_jwk(PRIVATE[kty]()) for kty in ("RSA", "EC", "OKP"))
    akp = public_jwk(forging.lattice_private())
    x = b(x25519.X25519PrivateKey.generate().public_key().public_bytes_raw())
    montgomery = {"kty": "OKP", "crv": "X25519", "x": x}
    p384 = public_jwk(forging.ec_private("P-384"))
    return {
        "EC for RS256": (KeyUseError, {**ec_, "alg": "RS256"}),
        "EC for HS256": (KeyUseError, {**ec_, "alg": "HS256"}),
        "EC for Ed25519": (KeyUseError, {**ec_, "alg": "Ed25519"}),
        "P-256 for ES384": (KeyUseError, {**ec_, "alg": "ES384"}),
        "P-256 for ES256K": (KeyUseError, {**ec_, "alg": "ES256K"}),
        "P-384 for ES256": (KeyUseError, {**p384, "alg": "ES256"}),
        "ES521": (UnsupportedAlgorithmError, {**ec_, "alg": "ES521"}),
        "ES224": (UnsupportedAlgorithmError, {**ec_, "alg": "ES224"}),
        "RSA for ES256": (KeyUseError, {**rsa_, "alg": "ES256"}),
        "RSA with the members of EC": (KeyImportError, {**ec_, "kty": "RSA", "alg": "RS256"}),
        "EC with the members of RSA": (KeyImportError, {**rsa_, "kty": "EC", "alg": "ES256"}),
        "oct with the members of RSA": (KeyImportError, {**rsa_, "kty": "oct", "alg": "HS256"}),
        "oct for ES256": (KeyUseError, oct_jwk(alg="ES256")),
        "oct for RS256": (KeyUseError, oct_jwk(alg="RS256")),
        "A256GCM for signatures": (KeyUseError, oct_jwk(SECRET[:32], "A256GCM", use="sig")),
        "A256KW for signatures": (KeyUseError, oct_jwk(SECRET[:32], "A256KW", use="sig")),
        "HS256 for encryption": (KeyUseError, oct_jwk(use="enc")),
        "A128KW of 256 bits": (KeyUseError, oct_jwk(SECRET[:32], "A128KW")),
        "X25519 for Ed25519": (KeyUseError, {**montgomery, "alg": "Ed25519"}),
        "Ed25519 for ECDH-ES": (KeyUseError, {**okp, "alg": "ECDH-ES"}),
        "Ed25519 for Ed448": (KeyUseError, {**okp, "alg": "Ed448"}),
        "Ed25519 called X25519": (
            KeyUseError,
            {**okp, "x": montgomery["x"], "crv": "X25519", "alg": "Ed25519"},
        ),
        "Ed25519 called P-256": (UnsupportedKeyError, {**okp, "crv": "P-256", "alg": "Ed25519"}),
        "ML-DSA of another size": (KeyImportError, {**akp, "alg": "ML-DSA-65"}),
        "ML-DSA for Ed25519": (UnsupportedKeyError, {**akp, "alg": "Ed25519"}),
        "secp224r1": (UnsupportedKeyError, {**ec_, "crv": "secp224r1", "alg": "ES256"}),
        "secp256r1": (UnsupportedKeyError, {**ec_, "crv": "secp256r1", "alg": "ES256"}),
        "brainpool": (UnsupportedKeyError, {**ec_, "crv": "brainpoolP256r1", "alg": "ES256"}),
        "P-256 called secp256k1": (KeyImportError, {**ec_, "crv": "secp256k1", "alg": "ES256K"}),
        "lower-case crv": (UnsupportedKeyError, {**ec_, "crv": "p-256", "alg": "ES256"}),
        "lower-case kty": (UnsupportedKeyError, {**rsa_, "kty": "rsa", "alg": "RS256"}),
        "upper-case kty": (UnsupportedKeyError, {**oct_jwk(), "kty": "OCT"}),
    }


CONTRADICTORY = [
    *(
        "EC for RS256",
        "EC for HS256",
        "EC for Ed25519",
        "P-256 for ES384",
        "P-256 for ES256K",
        "P-384 for ES256",
    ),
    *("ES521", "ES224", "RSA for ES256", "RSA with the members of EC", "EC with the members of RSA"),
    *("oct with the members of RSA", "oct for ES256", "oct for RS256", "A256GCM for signatures"),
    *("A256KW for signatures", "HS256 for encryption", "A128KW of 256 bits", "X25519 for Ed25519"),
    *("Ed25519 for ECDH-ES", "Ed25519 for Ed448", "Ed25519 called X25519", "Ed25519 called P-256"),
    *("ML-DSA of another size", "ML-DSA for Ed25519", "secp224r1", "secp256r1", "brainpool"),
    *("P-256 called secp256k1", "lower-case crv", "lower-case kty", "upper-case kty"),
]


@pytest.mark.parametrize("case", CONTRADICTORY)
def test_jwk_whose_members_contradict_each_other_is_refused(case: str) -> None:
    kind, jwk = _contradictory()[case]
    refused(kind, Key.from_jwk, jwk)
    refused((kind, KeyUseError), Key.from_jwk, json.dumps(jwk))
    if kind in {UnsupportedAlgorithmError, UnsupportedKeyError}:
        ignoring = KeySet.from_jwks({"keys": [jwk]})
        assert (len(ignoring), len(ignoring.ignored)) == (0, 1)
    else:
        refused(kind, KeySet.from_jwks, {"keys": [jwk]})


FORBIDDING: tuple[dict[str, Any], ...] = (
    {"use": "enc"},
    {"use": "SIG"},
    {"use": ""},
    {"key_ops": ["encrypt"]},
    {"key_ops": ["verify", "encrypt"]},
    {"key_ops": ["wrapKey"]},
    {"key_ops": ["Verify"]},
    {"use": "sig", "key_ops": ["deriveKey"]},
)
NO_PERMISSIONS: tuple[dict[str, Any], ...] = (
    {"use": 1},
    {"use": ["sig"]},
    {"use": {}},
    {"key_ops": ["verify", "verify"]},
    {"key_ops": "verify"},
    {"key_ops": [1]},
    {"key_ops": [None]},
    {"key_ops": {"verify": 1}},
    {"key_ops": [["verify"]]},
    {"key_ops": 0},
)


@pytest.mark.parametrize("kty", ["RSA", "EC", "OKP", "AKP", "oct"])
def test_use_and_key_ops_are_obeyed(kty: str) -> None:
    jwk = oct_jwk() if kty == "oct" else {**public_jwk(PRIVATE[kty]()), "alg": ALG[kty]}
    assert Key.from_jwk({**jwk, "use": "sig", "key_ops": ["verify"]}).use == "sig"
    for members in FORBIDDING:
        refused(KeyUseError, Key.from_jwk, {**jwk, **members})
    for members in NO_PERMISSIONS:
        refused(KeyImportError, Key.from_jwk, {**jwk, **members})


@pytest.mark.parametrize("operations", [["sign"], []], ids=["sign", "nothing"])
def test_key_ops_without_verify_do_not_verify(operations: list[str]) -> None:
    token = signed("KES", {"alg": "ES256"})
    public = Key.from_jwk({**public_jwk(forging.ec_private()), "alg": "ES256", "key_ops": operations})
    refused(KeyUseError, jws.verify, token, public)
    refused(KeyUseError, jws.verify_json, forging.flattened(token), public)
    refused((KeyUseError, ConfigurationError), lambda: forging.verifier(public).verify(token))
    refused(KeyUseError, public.verify, b"", b"")


@pytest.mark.parametrize("operations", [["verify"], []], ids=["verify", "nothing"])
def test_key_ops_without_sign_do_not_sign(operations: list[str]) -> None:
    private = Key.from_jwk({**private_jwk(forging.ec_private()), "alg": "ES256", "key_ops": operations})
    refused(KeyUseError, jws.sign, b"{}", private)
    refused(KeyUseError, lambda: jwt.Signer(private, issuer="i").sign({}))


def test_key_for_one_side_does_not_serve_the_other() -> None:
    refused(KeyUseError, jws.sign, b"{}", key("KES").public())
    refused(KeyUseError, jwt.Signer, key("KES").public(), issuer="i")
    refused(KeyUseError, jws.sign, b"{}", key("KOAEP"))
    refused(KeyUseError, jwe.encrypt, b"{}", key("KRS"))
    refused(KeyUseError, jwe.decrypt, jwe.encrypt(b"{}", key("KOAEP")), key("KOAEP").public())
    wrapping = Key.from_jwk(oct_jwk(SECRET[:32], "A256KW", key_ops=["wrapKey"]))
    refused(KeyUseError, jwe.decrypt, jwe.encrypt(b"{}", wrapping), wrapping)


JWK_TEXTS = {
    "empty": b"",
    "array": b"[]",
    "string": b'"x"',
    "null": b"null",
    "trailing": b'{"kty":"oct"}x',
    "single quotes": b"{'kty':'oct'}",
    "NaN": b'{"kty":"oct","x":NaN}',
    "Infinity": b'{"kty":"oct","x":-Infinity}',
    "giant number": b'{"kty":"oct","x":' + b"9" * 60_000 + b"}",
    "giant exponent": b'{"kty":"oct","x":1e99999}',
    "byte order mark": b'\xef\xbb\xbf{"kty":"oct"}',
    "UTF-16": '{"kty":"oct"}'.encode("utf-16"),
    "not UTF-8": b'{"kty":"oct","x":"\xff"}',
    "lone surrogate": rb'{"kty":"oct","x":"\ud800"}',
    "duplicate": b'{"kty":"oct","kty":"RSA"}',
    "duplicate, escaped": rb'{"kty":"oct","\u006bty":"RSA"}',
    "duplicate inside": b'{"kty":"oct","x":[{"a":1,"a":2}]}',
    "deep arrays": b'{"kty":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "unclosed": b"[" * 100_000,
    "10 MB": b'{"kty":"' + b"a" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("case", JWK_TEXTS)
def test_malformed_jwk_text_is_refused_as_a_key_error(case: str) -> None:
    refused(KeyImportError, Key.from_jwk, JWK_TEXTS[case], alg="HS256")
    refused(KeyImportError, KeySet.from_jwks, b'{"keys":[' + JWK_TEXTS[case] + b",]}")
    refused((KeyImportError, KeySetError), KeySet.from_jwks, JWK_TEXTS[case])
    text = JWK_TEXTS[case].decode("utf-8", "surrogateescape")
    refused(KeyImportError, Key.from_jwk, text, alg="HS256")


@pytest.mark.parametrize("value", [None, 1, True, [], "RSA"], ids=repr)
def test_jwk_that_is_no_mapping_is_refused(value: Any) -> None:
    refused((ConfigurationError, KeyImportError), Key.from_jwk, value)


def _respelled(text: str) -> list[str]:
    """Write other texts that a lenient decoder takes for the same octets."""
    tail = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [
        text + "=",
        text + "==",
        text + "\n",
        " " + text,
        text[:5] + "\n" + text[5:],
        text[:4] + "=" + text[4:],
    ]
    if len(text) % 4:
        others.append(text[:-1] + tail[tail.index(text[-1]) + 1])
    if {"-", "_"} & set(text):
        others.append(text.replace("-", "+").replace("_", "/"))
    return others


@pytest.mark.parametrize(
    "kty, name",
    [
        ("RSA", "n"),
        ("RSA", "e"),
        ("RSA", "d"),
        ("EC", "x"),
        ("EC", "y"),
        ("EC", "d"),
        ("OKP", "x"),
        ("OKP", "d"),
        ("AKP", "pub"),
        ("AKP", "priv"),
        ("oct", "k"),
    ],
)
def test_malformed_jwk_member_is_refused_as_a_key_error(kty: str, name: str) -> None:
    good = oct_jwk() if kty == "oct" else {**private_jwk(PRIVATE[kty]()), "alg": ALG[kty]}
    assert Key.from_jwk(good).is_private
    for value in (
        *_respelled(good[name]),
        "é",
        "\0",
        "\ud800",
        "\uff21\uff21",
        None,
        1,
        [good[name]],
        {"a": 1},
        True,
        b"AA",
    ):
        refused(KeyImportError, Key.from_jwk, {**good, name: value})
    if name in {"n", "e", "d"} and kty == "RSA":
        octets = uint(int.from_bytes(forging.urlsafe_decoded(good[name]), "big"))
        refused(KeyImportError, Key.from_jwk, {**good, name: b(b"\0" + octets)})


@pytest.mark.parametrize("name", ["kty", "alg", "kid"])
@pytest.mark.parametrize("value", [1, True, ["oct"], {"a": 1}, 1.5], ids=repr)
def test_jwk_member_of_another_type_is_refused(name: str, value: object) -> None:
    refused(KeyImportError, Key.from_jwk, {**oct_jwk(), name: value})
    refused(KeyImportError, KeySet.from_jwks, {"keys": [{**oct_jwk(), name: value}]})
    refused(KeyImportError, KeySet.from_jwks, {"keys": [{**oct_jwk(), name: value}]}, algorithms={"HS256"})


def test_mldsa_jwk_of_wrong_size_or_without_alg_is_refused() -> None:
    private = forging.lattice_private()
    jwk, pub, seed = (
        private_jwk(private),
        private.public_key().public_bytes_raw(),
        private.private_bytes_raw(),
    )
    assert Key.from_jwk(jwk).is_private
    without = {name: value for name, value in jwk.items() if name != "alg"}
    refused(KeyImportError, Key.from_jwk, without)
    refused(KeyImportError, Key.from_jwk, without, alg="ML-DSA-44")
    for alg in ("ML-DSA-65", "ML-DSA-87"):
        refused(KeyImportError, Key.from_jwk, {**jwk, "alg": alg})
        refused(KeyUseError, Key.from_jwk, jwk, alg=alg)
    for wrong in (pub[:-1], pub + b"\0", b"", pub * 2, bytes(1952)):
        refused(KeyImportError, Key.from_jwk, {**jwk, "pub": b(wrong)})
    for wrong in (seed[:-1], seed + b"\0", b"", bytes(2560), os.urandom(32)):
        refused(KeyImportError, Key.from_jwk, {**jwk, "priv": b(wrong)})


# --- paths, errors, exports, thumbprints -------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "file:///etc/passwd",
        "/etc/ssl/key.pem",
        "file://key.pem",
        "key.pem",
        "https://i/key.pem",
        "../key.pem",
    ],
)
def test_cve_2021_41106_a_path_is_never_read_nor_used_as_a_key(path: str, no_io: list[str]) -> None:
    padded = path + "/" * 64
    refused(KeyImportError, Key.from_pem, path, "RS256")
    refused(KeyImportError, Key.from_pem, path.encode(), "RS256")
    refused(KeyImportError, Key.from_der, path.encode(), "RS256")
    refused(KeyImportError, Key.from_jwk, path)
    refused(KeyImportError, KeySet.from_jwks, path)
    refused(ConfigurationError, Key.from_secret, padded, "HS256")
    if path.startswith("file://"):
        refused(WeakKeyError, Key.from_secret, padded.encode(), "HS256")
    assert not no_io


def _spoken(error: BaseException) -> str:
    """Return all that an error says when it is shown, logged, pickled or traced."""
    parts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    parts += traceback.format_exception(error)
    parts += [repr(other) for other in (error.__cause__, error.__context__) if other is not None]
    return "\n".join(parts)


def _error(call: Callable[[], object]) -> JOSEError | None:
    try:
        call()
    except JOSEError as error:
        return error
    return None


@pytest.mark.parametrize("kty", ["RSA", "EC", "OKP", "AKP", "oct"])
def test_key_errors_never_carry_key_material(kty: str) -> None:
    jwk = oct_jwk() if kty == "oct" else {**private_jwk(PRIVATE[kty]()), "alg": ALG[kty]}
    secrets = {name: jwk[name] for name in ("d", "p", "q", "dp", "dq", "qi", "k", "priv") if name in jwk}
    for name in jwk:
        for value in (None, 1, f"{jwk[name]}=", jwk[name][:-4], f"!{jwk[name]}", [jwk[name]]):
            for broken in (
                {**jwk, name: value},
                json.dumps({**jwk, name: value}),
                json.dumps({**jwk, name: value})[:-1],
            ):
                error = _error(partial(Key.from_jwk, broken))
                if error is not None:
                    said = _spoken(error)
                    assert not [secret for secret in secrets.values() if secret[:12] in said]
                    assert error.__cause__ is None
                    assert error.__context__ is None or error.__suppress_context__


def test_password_is_not_in_the_error_that_it_is_wrong() -> None:
    pem = forging.ec_private().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right-word")
    )
    assert Key.from_pem(pem, "ES256", password="right-word").is_private
    for password in ("wrong-word", b"wrong-word", None, "", "wrong-\ud800-word"):
        error = refused(
            (KeyImportError, KeyPasswordError, ConfigurationError),
            Key.from_pem,
            pem,
            "ES256",
            password=password,
        )
        assert not [word for word in ("wrong-", "right-") if word in _spoken(error)]
        assert error.__cause__ is None
    plain = forging.pkcs8(forging.ec_private())
    superfluous = os.urandom(8).hex()
    error = refused(KeyPasswordError, Key.from_pem, plain, "ES256", password=superfluous)
    assert superfluous not in _spoken(error)


def _shown(key_: Key) -> str:
    """Return every text that a key, and what holds one, makes of itself."""
    made: list[object] = [key_, KeySet([key_]), vars(KeySet)]
    if key_.use == "sig":
        made += [jwt.Signer(key_, issuer="i"), forging.verifier(key_), jws.SignerInfo(key=key_)]
        made.append(jws.verify(jws.sign(b"{}", key_), key_))
    else:
        made.append(
            jwe.decrypt(jwe.encrypt(b"{}", key_, header={"p2c": 1000} if "PBES2" in key_.alg else None), key_)
        )
    return "\n".join(f"{one!r} {one!s} {one}" for one in made)


@pytest.mark.parametrize("name", ["KHS", "KRS", "KES", "KED", "KML", "KOAEP", "KKW", "KDIR", "KECDH", "KPB"])
def test_private_and_symmetric_material_never_leaves_by_the_public_exports(name: str) -> None:
    ours = key(name)
    private = ours.to_private_jwk()
    hidden = {
        member: private[member]
        for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")
        if member in private
    }
    assert hidden
    shown = _shown(ours)
    for text in hidden.values():
        assert text[:12] not in shown
        assert repr(forging.urlsafe_decoded(text))[2:14] not in shown
    if ours.is_symmetric:
        for export in (ours.to_jwk, ours.to_pem, ours.to_der, KeySet([ours]).to_jwks, ours.public):
            refused(KeyUseError, export)
        return
    assert not hidden.keys() & ours.to_jwk().keys()
    assert not hidden.keys() & KeySet([ours]).to_jwks()["keys"][0].keys()
    assert b"PRIVATE" not in ours.to_pem()
    public = ours.public()
    assert not public.is_private
    for export in (public.to_private_jwk, public.to_private_pem, public.to_private_der):
        refused(KeyUseError, export)
    assert Key.from_der(ours.to_der(), ours.alg).is_private is False


@pytest.mark.parametrize("name", ["KHS", "KES", "KDIR"])
def test_keys_are_not_pickled(name: str) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        refused(KeyUseError, pickle.dumps, key(name), protocol)
    with pytest.raises(TypeError):
        vars(key(name))


@pytest.mark.parametrize("kty", PRIVATE)
def test_one_key_has_one_thumbprint(kty: str) -> None:
    jwk = {**public_jwk(PRIVATE[kty]()), "alg": ALG[kty]}
    names = {"RSA": "e kty n", "EC": "crv kty x y", "OKP": "crv kty x", "AKP": "alg kty pub"}[kty].split()
    expected = forging.thumbprint({name: jwk[name] for name in names})
    variants = [jwk, dict(reversed(jwk.items())), {**jwk, "kid": "1", "use": "sig", "foo": [1], "x5c": []}]
    variants += [private_jwk(PRIVATE[kty]()) | {"alg": ALG[kty]}]
    assert {Key.from_jwk(variant).thumbprint() for variant in variants} == {expected}
    assert Key.from_der(spki(PRIVATE[kty](), Encoding.DER), ALG[kty]).thumbprint() == expected
    for name in set(names) - {"kty", "alg"}:
        for respelled in _respelled(jwk[name]):
            refused((KeyImportError, UnsupportedKeyError), Key.from_jwk, {**jwk, name: respelled})
    if kty == "RSA":
        refused(KeyImportError, Key.from_jwk, {**jwk, "e": "AAEAAQ"})


def test_copies_of_a_key_are_as_silent() -> None:
    for name in ("KHS", "KES"):
        try:
            twin = copy.copy(key(name))
        except (TypeError, AttributeError):
            continue
        assert repr(twin) == repr(key(name))
