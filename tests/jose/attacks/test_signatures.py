"""Signatures that a lenient implementation would take."""

import ast
import hashlib
import importlib.util
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from coatcheck.jose import Key, jws
from coatcheck.jose.errors import InvalidSignatureError
from tests.jose.attacks import forging
from tests.jose.attacks.forging import CLAIMS, NOW, b, key, message, public_jwk, refused, tok, verifier
from tests.jose.attacks.tampering import bit_flips


def presented(key: Key, signature: bytes) -> None:
    """Verify a token that carries the signature, in every way."""
    token = tok({"alg": key.alg}, CLAIMS, signature)
    jws.verify(token, key)
    verifier(key).verify(token)
    key.verify(message({"alg": key.alg}), signature)


def assert_forged(key: Key, signature: bytes) -> None:
    token = tok({"alg": key.alg}, CLAIMS, signature)
    refused(InvalidSignatureError, jws.verify, token, key)
    refused(InvalidSignatureError, verifier(key).verify, token)
    refused(InvalidSignatureError, key.verify, message({"alg": key.alg}), signature)


# --- ECDSA ----------------------------------------------------------------------------------


class Curve:
    """An ECDSA algorithm with the numbers that its forgeries are made of."""

    def __init__(self, alg: str, crv: str, size: int, *, p: int, digest: hashes.HashAlgorithm) -> None:
        self.alg, self.size, self.p = alg, size, p
        self.private = forging.ec_private(crv)
        order = self.private.curve.group_order
        assert isinstance(order, int)
        self.n = order
        self.key = forging.from_private(self.private, alg)
        self.scheme = ec.ECDSA(digest)

    def numbers(self) -> tuple[int, int]:
        """A good signature over the token of ``presented``."""
        return decode_dss_signature(self.private.sign(message({"alg": self.alg}), self.scheme))

    def octets(self, r: int, s: int) -> bytes:
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")

    def fits(self, number: int) -> bool:
        return number < 1 << self.size * 8


def curve(alg: str) -> Curve:
    k1 = 2**256 - 2**32 - 977
    return {
        "ES256": lambda: Curve(
            alg, "P-256", 32, p=2**256 - 2**224 + 2**192 + 2**96 - 1, digest=hashes.SHA256()
        ),
        "ES384": lambda: Curve(
            alg, "P-384", 48, p=2**384 - 2**128 - 2**96 + 2**32 - 1, digest=hashes.SHA384()
        ),
        "ES512": lambda: Curve(alg, "P-521", 66, p=2**521 - 1, digest=hashes.SHA512()),
        "ES256K": lambda: Curve(alg, "secp256k1", 32, p=k1, digest=hashes.SHA256()),
    }[alg]()


ECDSA = ("ES256", "ES384", "ES512", "ES256K")


@pytest.mark.parametrize("alg", ECDSA)
def test_cve_2022_21449_psychic_signature_is_refused(alg: str) -> None:
    c = curve(alg)
    presented(c.key, c.octets(*c.numbers()))
    values = (0, 1, c.n - 1, c.n, c.n + 1, c.p, c.p + 1)
    for r, s in itertools.product(values, repeat=2):
        if c.fits(r) and c.fits(s):
            assert_forged(c.key, c.octets(r, s))


@pytest.mark.parametrize("alg", ECDSA)
def test_ecdsa_values_out_of_range_are_refused(alg: str) -> None:
    c = curve(alg)
    r, s = c.numbers()
    unreduced = [(r + c.n, s), (r, s + c.n), (r + c.n, s + c.n), (r + 2 * c.n, s), (r, c.n), (0, s), (r, 0)]
    for pair in unreduced:
        if all(map(c.fits, pair)):
            assert_forged(c.key, c.octets(*pair))
    good = c.octets(r, s)
    first, second = good[: c.size], good[c.size :]
    for octets in (
        b"\xff" * len(good),
        b"\0" + good,
        good + b"\0",
        b"\0" + first + b"\0" + second,
        first + b"\0" + second,
        second + first,
        first + first,
        good + good,
    ):
        assert_forged(c.key, octets)


@pytest.mark.parametrize("alg", ["ES512"])
def test_ecdsa_unreduced_values_that_fit_the_octets_are_refused(alg: str) -> None:
    c = curve(alg)
    r, s = c.numbers()
    assert c.fits(r + 100 * c.n)
    for times in (1, 2, 100):
        assert_forged(c.key, c.octets(r + times * c.n, s))
        assert_forged(c.key, c.octets(r, s + times * c.n))


@pytest.mark.parametrize("alg", ECDSA)
def test_ecdsa_signature_of_der_form_or_wrong_length_is_refused(alg: str) -> None:
    c = curve(alg)
    assert_forged(c.key, c.private.sign(message({"alg": alg}), c.scheme))
    good = c.octets(*c.numbers())
    for length in {0, 1, 63, 64, 65, 95, 96, 97, 131, 132, 133, 16_384} - {2 * c.size}:
        assert_forged(c.key, good[:length].ljust(length, b"\0"))
        assert_forged(c.key, good[::-1][:length][::-1].rjust(length, b"\0"))


@pytest.mark.parametrize("alg", ECDSA)
def test_ecdsa_high_s_twin_verifies_and_is_documented(alg: str) -> None:
    """RFC 7518 has no rule about s: two texts of one token verify. What must be unique is ``jti``, not the text."""
    c = curve(alg)
    r, s = c.numbers()
    texts = [tok({"alg": alg}, CLAIMS, c.octets(r, each)) for each in (s, c.n - s)]
    assert texts[0] != texts[1]
    first, second = (verifier(c.key).verify(text) for text in texts)
    assert first.claims == second.claims
    assert first.payload == second.payload


@pytest.mark.parametrize("alg", ECDSA)
def test_ecdsa_nonce_is_deterministic_or_fresh(alg: str) -> None:
    c = curve(alg)
    signatures = [c.key.sign(text) for text in (b"one", b"one", b"two", b"three")]
    firsts = [signature[: c.size] for signature in signatures]
    assert len(set(firsts[1:])) == 3, "one nonce for two messages gives the private key away"
    assert firsts[0] != firsts[1] or signatures[0] == signatures[1]


def test_pss_salt_is_fresh() -> None:
    assert key("KPS").sign(b"one") != key("KPS").sign(b"one")


# --- Edwards curves ------------------------------------------------------------------------------------

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED448_ORDER = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885


def test_eddsa_unreduced_s_is_refused() -> None:
    octets = message({"alg": "Ed25519"})
    good = forging.ed(octets)
    presented(key("KED"), good)
    s = int.from_bytes(good[32:], "little")
    for times in range(1, 16):
        if s + times * ED25519_ORDER < 2**256:
            assert_forged(key("KED"), good[:32] + (s + times * ED25519_ORDER).to_bytes(32, "little"))
    private = ed448.Ed448PrivateKey.generate()
    ours = Key.from_jwk(
        {"kty": "OKP", "crv": "Ed448", "x": b(private.public_key().public_bytes_raw())}, alg="Ed448"
    )
    good = private.sign(message({"alg": "Ed448"}))
    presented(ours, good)
    s = int.from_bytes(good[57:], "little")
    for times in (1, 2, 3, 255):
        assert_forged(ours, good[:57] + (s + times * ED448_ORDER).to_bytes(57, "little"))


def _with_neutral_nonce(private: ed25519.Ed25519PrivateKey, encoding: bytes, octets: bytes) -> bytes:
    """Sign with the nonce 0, whose point R is the neutral element, written in the given encoding."""
    expanded = bytearray(hashlib.sha512(private.private_bytes_raw()).digest()[:32])
    expanded[0] &= 248
    expanded[31] = expanded[31] & 127 | 64
    public = private.public_key().public_bytes_raw()
    challenge = int.from_bytes(hashlib.sha512(encoding + public + octets).digest(), "little")
    s = challenge * int.from_bytes(expanded, "little") % ED25519_ORDER
    return encoding + s.to_bytes(32, "little")


def test_eddsa_non_canonical_signature_is_refused() -> None:
    octets = message({"alg": "Ed25519"})
    neutral, p = 1, 2**255 - 19
    canonical = _with_neutral_nonce(forging.ed_private(), neutral.to_bytes(32, "little"), octets)
    presented(
        key("KED"), canonical
    )  # the owner of the key may do this: so only the encoding is at fault below
    for y in (p + 1, p + 1 | 1 << 255, 1 | 1 << 255):
        assert_forged(key("KED"), _with_neutral_nonce(forging.ed_private(), y.to_bytes(32, "little"), octets))


@pytest.mark.parametrize("alg", ["Ed25519", "Ed448"])
def test_eddsa_signature_of_wrong_length_is_refused(alg: str) -> None:
    ours = Key.generate(alg)
    good = ours.sign(message({"alg": alg}))
    for forged in (good[:-1], good + b"\0", b"\0" + good, good[1:], b"", good * 2, b"\0" * len(good)):
        assert_forged(ours, forged)


# --- RSA -----------------------------------------------------------------------------------------

_DIGEST_OID = {  # what follows the arc 2.16.840.1.101.3.4.2
    "sha256": 1,
    "sha384": 2,
    "sha512": 3,
    "sha224": 4,
}


def _der(tag: int, content: bytes, *, long: bool = False) -> bytes:
    """Write one element; ``long`` writes its length as BER allows and DER does not."""
    if long:
        return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content
    return bytes([tag, len(content)]) + content


def _oid(name: str) -> bytes:
    return _der(6, bytes.fromhex("608648016503040200")[:-1] + bytes([_DIGEST_OID[name]]))


def raw_rsa(number: int) -> bytes:
    """Apply the private key to any number: the bare operation, without a padding."""
    numbers = forging.rsa_private().private_numbers()
    p, q = numbers.p, numbers.q
    of_p, of_q = pow(number, numbers.dmp1, p), pow(number, numbers.dmq1, q)
    return (of_q + (of_p - of_q) * numbers.iqmp % p * q).to_bytes(256, "big")


def _padded(info: bytes, filling: bytes = b"\xff") -> bytes:
    return b"\0\1" + filling * (253 - len(info)) + b"\0" + info


def modified_paddings(name: str) -> Iterator[tuple[str, bytes]]:
    """Encoded messages that are not the one of RFC 8017 section 9.2, each wrong in one way."""
    digest = hashlib.new(name, message({"alg": f"RS{name[3:]}"})).digest()
    null, oid, octets = b"\5\0", _oid(name), _der(4, digest)
    algorithm = _der(0x30, oid + null)
    good = _der(0x30, algorithm + octets)
    yield "no NULL", _padded(_der(0x30, _der(0x30, oid) + octets))
    yield "two NULLs", _padded(_der(0x30, _der(0x30, oid + null + null) + octets))
    yield "long NULL", _padded(_der(0x30, _der(0x30, oid + b"\5\x81\0") + octets))
    yield "garbage as parameters", _padded(_der(0x30, _der(0x30, oid + _der(4, b"x" * 20)) + octets))
    yield "long sequence", _padded(_der(0x30, algorithm + octets, long=True))
    yield "long inner sequence", _padded(_der(0x30, _der(0x30, oid + null, long=True) + octets))
    yield "long digest", _padded(_der(0x30, algorithm + _der(4, digest, long=True)))
    yield "indefinite length", _padded(b"\x30\x80" + algorithm + octets + b"\0\0")
    yield "trailing octet in the sequence", _padded(_der(0x30, algorithm + octets + b"\0"))
    yield "trailing NULL", _padded(_der(0x30, algorithm + octets + null))
    yield "trailing octets behind", _padded(good + b"\0" * 20)
    yield (
        "short padding, garbage behind (CVE-2006-4339)",
        (b"\0\1" + b"\xff" * 8 + b"\0" + good + b"\0" * (245 - len(good))),
    )
    yield "no padding", b"\0\1\0" + good + b"\0" * (253 - len(good))
    yield "wrong hash", _padded(_der(0x30, _der(0x30, _oid("sha224") + null) + _der(4, digest)))
    for other in {"sha256", "sha384", "sha512"} - {name}:
        other_digest = hashlib.new(other, message({"alg": f"RS{name[3:]}"})).digest()
        yield (
            f"signed with {other}",
            _padded(_der(0x30, _der(0x30, _oid(other) + null) + _der(4, other_digest))),
        )
    yield "digest cut", _padded(_der(0x30, algorithm + _der(4, digest[:-1])))
    yield "digest lengthened", _padded(_der(0x30, algorithm + _der(4, digest + b"\0")))
    yield "empty digest", _padded(_der(0x30, algorithm + _der(4, b"")))
    yield "bare digest", _padded(digest)
    yield "bare octet string", _padded(octets)
    yield "nothing", _padded(b"")
    yield "block type 0", b"\0\0" + _padded(good, b"\0")[2:]
    yield "block type 2", b"\0\2" + _padded(good)[2:]
    yield "first octet 1", b"\1" + _padded(good)[1:]
    yield "shifted by one", _padded(good)[1 : -len(good) - 1] + b"\xff\0" + good
    yield "no separator", _padded(b"\xff" + good)[: -len(good) - 2] + b"\xff\xff" + good
    for position in (2, 3, 100, 254 - len(good)):
        spoiled = bytearray(_padded(good))
        spoiled[position] ^= 0x80
        yield f"padding octet {position}", bytes(spoiled)
    for position in range(256 - len(good), 256, 3):
        spoiled = bytearray(_padded(good))
        spoiled[position] ^= 1
        yield f"octet {position}", bytes(spoiled)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_rsa_pkcs1_modified_padding_is_refused(name: str) -> None:
    alg = f"RS{name[3:]}"
    ours = forging.from_private(forging.rsa_private(), alg)
    digest = hashlib.new(name, message({"alg": alg})).digest()
    good = _padded(_der(0x30, _der(0x30, _oid(name) + b"\5\0") + _der(4, digest)))
    presented(ours, raw_rsa(int.from_bytes(good, "big")))
    seen = set()
    for defect, encoded in modified_paddings(name):
        assert len(encoded) == 256, defect
        assert encoded != good, defect
        signature = raw_rsa(int.from_bytes(encoded, "big"))
        if defect != "first octet 1":  # larger than the modulus, perhaps
            seen.add(defect)
        assert_forged(ours, signature)
    assert len(seen) > 40


def _mgf1(seed: bytes, length: int, name: str) -> bytes:
    blocks = range(-(-length // hashlib.new(name).digest_size))
    return b"".join(hashlib.new(name, seed + n.to_bytes(4, "big")).digest() for n in blocks)[:length]


def pss_encoded(
    name: str,
    *,
    salt: bytes | None = None,
    mgf: str | None = None,
    trailer: int = 0xBC,
    separator: int = 1,
    filling: int = 0,
    top_bit: bool = False,
) -> bytes:
    """Encode as RFC 8017 section 9.1.1 does, or with one thing wrong."""
    digest = hashlib.new(name, message({"alg": f"PS{name[3:]}"})).digest()
    salt = bytes(range(len(digest))) if salt is None else salt
    h = hashlib.new(name, b"\0" * 8 + digest + salt).digest()
    free = 255 - len(h) - len(salt) - 1
    block = bytes([filling]) * free + bytes([separator]) + salt
    masked = bytearray(x ^ y for x, y in zip(block, _mgf1(h, len(block), mgf or name), strict=True))
    masked[0] = masked[0] & 0x7F | (0x80 if top_bit else 0)
    return bytes(masked) + h + bytes([trailer])


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_rsa_pss_modified_encoding_is_refused(name: str) -> None:
    ours = forging.from_private(forging.rsa_private(), f"PS{name[3:]}")
    presented(ours, raw_rsa(int.from_bytes(pss_encoded(name), "big")))
    size = hashlib.new(name).digest_size
    wrong = [
        *(
            pss_encoded(name, salt=b"s" * length)
            for length in {0, 1, 20, 32, 48, 64, size - 1, size + 1} - {size}
        ),
        *(pss_encoded(name, mgf=mgf) for mgf in {"sha1", "sha256", "sha384", "sha512"} - {name}),
        pss_encoded(name, trailer=0xCC),
        pss_encoded(name, trailer=0),
        pss_encoded(name, separator=0),
        pss_encoded(name, separator=2),
        pss_encoded(name, filling=1),
        pss_encoded(name, top_bit=True),
    ]
    for encoded in wrong:
        assert_forged(ours, raw_rsa(int.from_bytes(encoded, "big")))


@pytest.mark.parametrize("salt", [0, 20, 64])
@pytest.mark.parametrize("mgf", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])  # noqa: S303
def test_rsa_pss_with_other_parameters_is_refused(salt: int, mgf: hashes.HashAlgorithm) -> None:
    scheme = padding.PSS(mgf=padding.MGF1(mgf), salt_length=salt)
    assert_forged(key("KPS"), forging.rsa_private().sign(message({"alg": "PS256"}), scheme, hashes.SHA256()))


@pytest.mark.parametrize("name", ["KRS", "KPS"])
def test_rsa_signature_that_is_a_special_number_is_refused(name: str) -> None:
    n = forging.rsa_private().public_key().public_numbers().n
    for number in (0, 1, 2, n - 1, n, 2**2048 - 1):
        assert_forged(key(name), number.to_bytes(256, "big"))
    good = int.from_bytes(forging.SIGN[name](message({"alg": key(name).alg})), "big")
    presented(key(name), good.to_bytes(256, "big"))
    for number in (good + n, good + 2 * n, n - good):
        assert_forged(key(name), number.to_bytes((number.bit_length() + 7) // 8, "big"))


@pytest.mark.parametrize("name", ["KRS", "KPS"])
def test_rsa_signature_of_wrong_length_is_refused(name: str) -> None:
    good = forging.SIGN[name](message({"alg": key(name).alg}))
    presented(key(name), good)
    for forged in (b"", good[:-1], good[1:], b"\0" + good, good + b"\0", b"\0" * 256 + good, good * 2):
        assert_forged(key(name), forged)


@pytest.mark.parametrize("name", ["KRS", "KPS"])
def test_rsa_signature_whose_leading_zero_was_dropped_is_refused(name: str) -> None:
    private = forging.rsa_private()
    for number in itertools.count():  # one in 256 begins with a zero octet
        header = {"alg": key(name).alg, "n": number}
        signature = forging.SIGN[name](message(header))
        if signature[0] == 0:
            break
    assert isinstance(private, rsa.RSAPrivateKey)
    jws.verify(tok(header, CLAIMS, signature), key(name))
    refused(InvalidSignatureError, jws.verify, tok(header, CLAIMS, signature[1:]), key(name))


# --- HMAC ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg, digest", [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")])
def test_cve_2016_7036_truncated_or_extended_mac_is_refused(alg: str, digest: str) -> None:
    ours = Key.from_secret(forging.SECRET, alg)
    good = forging.hs(message({"alg": alg}), digest)
    presented(ours, good)
    for length in range(len(good)):
        assert_forged(ours, good[:length])
    for forged in (good + b"\0", good + good, b"\0" + good, good[::-1], b"\0" * len(good)):
        assert_forged(ours, forged)


def sources() -> Iterator[tuple[Path, ast.AST]]:
    spec = importlib.util.find_spec("coatcheck.jose")
    assert spec is not None
    assert spec.origin is not None
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


SECRETS = {"mac", "tag", "signature", "cek", "secret", "password", "expected_tag", "authenticate", "finalize"}


def _named(node: ast.AST) -> set[str]:
    """The names that a compared expression is made of; the length of something is no secret."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return set()
    own = (
        {node.id} if isinstance(node, ast.Name) else {node.attr} if isinstance(node, ast.Attribute) else set()
    )
    return own.union(*map(_named, ast.iter_child_nodes(node)))


def test_cve_2016_7036_macs_are_compared_in_constant_time() -> None:
    compared = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "compare_digest":
                compared.add(path.name)
            if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
                assert not _named(node) & SECRETS, f"{path.name}:{node.lineno} compares a secret with =="
    assert compared == {"content.py", "hmac_sha2.py"}


# --- tampering ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", forging.SIGNING_KEYS)
def test_no_single_bit_flip_of_a_signature_survives(name: str) -> None:
    alg = key(name).alg
    good = forging.SIGN[name](message({"alg": alg}))
    presented(key(name), good)
    verify = verifier(key(name)).verify
    for flipped in bit_flips(good):
        refused(InvalidSignatureError, verify, tok({"alg": alg}, CLAIMS, flipped))


@pytest.mark.parametrize("name", forging.SIGNING_KEYS)
def test_parts_of_two_tokens_do_not_make_a_third(name: str) -> None:
    alg = key(name).alg
    one = forging.signed(name, {"alg": alg}).split(".")
    two = forging.signed(name, {"alg": alg, "typ": "JWT"}, {**CLAIMS, "sub": "admin", "exp": NOW + 9}).split(
        "."
    )
    check = verifier(key(name))  # it has seen both headers
    check.verify(".".join(one))
    check.verify(".".join(two))
    for mixture in itertools.product(*zip(one, two, strict=True)):
        if list(mixture) not in (one, two):
            refused(InvalidSignatureError, check.verify, ".".join(mixture))
            refused(InvalidSignatureError, jws.verify, ".".join(mixture), key(name))


# --- ML-DSA -------------------------------------------------------------------------------------------

LATTICES: dict[str, tuple[Any, int, int]] = {  # with the two numbers that say where the hints stand
    "ML-DSA-44": (mldsa.MLDSA44PrivateKey, 80, 4),
    "ML-DSA-65": (mldsa.MLDSA65PrivateKey, 55, 6),
    "ML-DSA-87": (mldsa.MLDSA87PrivateKey, 75, 8),
}


def _prehashed(private: mldsa.MLDSA44PrivateKey, octets: bytes) -> bytes:
    """Sign as HashML-DSA with SHA-256 does (FIPS 204 section 5.4)."""
    representative = b"\1\0" + _oid("sha256") + hashlib.sha256(octets).digest()
    tr = hashlib.shake_256(private.public_key().public_bytes_raw()).digest(64)
    return private.sign_mu(hashlib.shake_256(tr + representative).digest(64))


@pytest.mark.parametrize("alg", LATTICES)
def test_mldsa_signature_with_context_or_prehash_is_refused(alg: str) -> None:
    kind, omega, k = LATTICES[alg]
    private = kind.generate()
    ours = Key.from_jwk({"kty": "AKP", "alg": alg, "pub": b(private.public_key().public_bytes_raw())})
    octets = message({"alg": alg})
    good = private.sign(octets)
    presented(ours, good)
    assert_forged(ours, private.sign(octets, b"JOSE"))
    assert_forged(ours, _prehashed(private, octets))
    assert_forged(ours, kind.generate().sign(octets))
    for forged in (good[:-1], good + b"\0", good[1:], b"", b"\0" * len(good), b"\xff" * len(good)):
        assert_forged(ours, forged)
    hints, counts = good[-omega - k : -k], good[-k:]
    for tail in (
        b"\xff" * omega + counts,
        hints + b"\xff" * k,
        hints + bytes(k),
        hints + counts[::-1],
        hints[::-1] + counts,
    ):
        if good[: -omega - k] + tail != good:
            assert_forged(ours, good[: -omega - k] + tail)


def test_mldsa_signature_of_another_size_is_refused() -> None:
    octets = message({"alg": "ML-DSA-65"})
    small = forging.lattice_private().sign(octets)
    assert_forged(Key.generate("ML-DSA-65"), small)
    assert public_jwk(forging.lattice_private())["alg"] == "ML-DSA-44"
