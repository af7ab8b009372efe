"""Small tokens that ask for much work or much memory."""

import gzip
import hashlib
import importlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from coatcheck.jose import Key, KeySet, Limits, jwe
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    DecryptionError,
    InvalidHeaderError,
    KeyImportError,
    KeyUseError,
    MalformedTokenError,
    TokenTooLargeError,
    WeakKeyError,
)
from tests.jose.attacks.forging import PASSWORD, SECRET, b, key, refused
from tests.jose.attacks.measuring import peak_memory
from tests.jose.attacks.tampering import FEW, PBES2_ALG, SALT, Parts, encrypted, recipient, to_recipient, unb

MEGABYTE = 1_000_000


def raw_deflate(octets: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(octets) + compressor.flush()


def zipped(stream: bytes, **header: Any) -> Parts:
    """Write a good token of ``dir`` whose content is any stream."""
    return encrypted({"alg": "dir", "enc": "A256GCM", "zip": "DEF", **header}, SECRET[:32], plaintext=stream)


def zeros(megabytes: int) -> bytes:
    """Compress many zeros without holding them."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(compressor.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + compressor.flush()


# --- compression ---------------------------------------------------------------------------------


def test_zip_is_refused_unless_the_caller_sets_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    good = zipped(raw_deflate(b"content"))
    assert jwe.decrypt(good.compact(), key("KDIR"), max_decompressed=7).plaintext == b"content"
    assert jwe.decrypt_json(good.flattened(), key("KDIR"), max_decompressed=7).plaintext == b"content"
    monkeypatch.setattr(
        "coatcheck.jose.jwe.opening.open_sealed", lambda *_, **__: pytest.fail("used the key")
    )
    refused(InvalidHeaderError, jwe.decrypt, good.compact(), key("KDIR"))
    refused(InvalidHeaderError, jwe.decrypt_json, good.flattened(), key("KDIR"))
    for made in (jwe.encrypt(b"x" * 1000, key("KDIR")), jwe.encrypt_json(b"x", key("KDIR"))["protected"]):
        assert "zip" not in json.loads(unb(made.split(".")[0]))


def test_cve_2026_39373_decompressed_output_is_bounded() -> None:
    bomb = zipped(zeros(45)).compact()
    assert len(bomb) < Limits().token
    for bound in (1, 1000, 100_000):
        with peak_memory() as peak:
            refused(TokenTooLargeError, jwe.decrypt, bomb, key("KDIR"), max_decompressed=bound)
        assert peak.octets < bound + MEGABYTE


def test_cve_2024_28102_large_bomb_under_raised_limits_is_bounded() -> None:
    bomb, limits = zipped(zeros(180)).compact(), Limits(token=10 * MEGABYTE)
    assert len(bomb) > 200_000
    with peak_memory() as peak:
        refused(TokenTooLargeError, jwe.decrypt, bomb, key("KDIR"), max_decompressed=1000, limits=limits)
    assert peak.octets < len(bomb) * 5 + MEGABYTE


@pytest.mark.parametrize("size", [1, 100, 16_384, 16_385, 65_536, 1_000_000])
def test_decompression_bound_is_exact(size: int) -> None:
    for octets in (bytes(size), hashlib.shake_128(b"noise").digest(min(size, 20_000))):
        token = zipped(raw_deflate(octets)).compact()
        plaintext = jwe.decrypt(token, key("KDIR"), max_decompressed=len(octets)).plaintext
        assert plaintext == octets
        if len(octets) > 1:
            refused(TokenTooLargeError, jwe.decrypt, token, key("KDIR"), max_decompressed=len(octets) - 1)


def hostile_streams() -> Iterator[tuple[str, bytes]]:
    good = raw_deflate(b"content " * 20)
    yield "empty", b""
    yield "truncated", good[:-1]
    yield "cut in half", good[: len(good) // 2]
    yield "trailing octet", good + b"\0"
    yield "second stream", good + good
    yield "zlib wrapped", zlib.compress(b"content " * 20)
    yield "gzip", gzip.compress(b"content " * 20)
    yield "empty stored blocks, never the last", b"\0\0\0\xff\xff" * 8_000
    yield "stored block with a false length", b"\1\5\0\0\0hello"
    yield "reserved block type", b"\7"
    yield "back-reference before the start", bytes([0b0000_0011, 0b0000_0010, 0])
    yield "random", hashlib.shake_128(b"noise").digest(500)
    yield "not compressed", b"content " * 20


STREAMS = dict(hostile_streams())


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_malformed_deflate_is_refused(stream: bytes) -> None:
    kinds = (DecryptionError, MalformedTokenError)
    refused(kinds, jwe.decrypt, zipped(stream).compact(), key("KDIR"), max_decompressed=MEGABYTE)
    refused(kinds, jwe.decrypt_json, zipped(stream).flattened(), key("KDIR"), max_decompressed=MEGABYTE)


@pytest.mark.parametrize("value", ["GZ", "def", "DEF ", "", ["DEF"], None, True, 1, {}], ids=repr)
def test_zip_must_be_def(value: object) -> None:
    token = zipped(raw_deflate(b"content"), zip=value)
    for bound in (None, 1000):
        refused(InvalidHeaderError, jwe.decrypt, token.compact(), key("KDIR"), max_decompressed=bound)
        refused(InvalidHeaderError, jwe.decrypt_json, token.flattened(), key("KDIR"), max_decompressed=bound)


@pytest.mark.parametrize("place", ["unprotected", "header"])
def test_zip_must_be_protected(place: str) -> None:
    token = to_recipient("A256KW", plaintext=raw_deflate(b"content"))
    outside = token.flattened(**{place: {"zip": "DEF"}})
    refused(InvalidHeaderError, jwe.decrypt_json, outside, key("KKW"), max_decompressed=1000)
    twice = token.with_header(zip="DEF").flattened(**{place: {"zip": "DEF"}})
    refused(InvalidHeaderError, jwe.decrypt_json, twice, key("KKW"), max_decompressed=1000)


def test_nothing_is_inflated_before_the_tag_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(zeros(10))
    monkeypatch.setattr("coatcheck.jose.jwe.opening.inflate", lambda *_: pytest.fail("began to inflate"))
    for token in (replace(bomb, tag=bytes(16)), replace(bomb, ciphertext=bomb.ciphertext[:-1])):
        refused(DecryptionError, jwe.decrypt, token.compact(), key("KDIR"), max_decompressed=1000)
        refused(DecryptionError, jwe.decrypt_json, token.flattened(), key("KDIR"), max_decompressed=1000)


@pytest.mark.parametrize(
    "bound", [0, -1, True, 1.5, "1000", float("inf"), 2**31, 2**63, 10**30, b"1"], ids=repr
)
def test_bound_of_decompression_must_be_a_sensible_number(bound: Any) -> None:
    token = zipped(raw_deflate(b"content"))
    refused(ConfigurationError, jwe.decrypt, token.compact(), key("KDIR"), max_decompressed=bound)
    refused(ConfigurationError, jwe.decrypt_json, token.flattened(), key("KDIR"), max_decompressed=bound)


# --- PBES2 --------------------------------------------------------------------------------------


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The iteration counts that were asked of the primitive, which then does not spend them."""
    counts: list[int] = []

    class Recorder:
        def __init__(self, *, iterations: int, length: int, **_: object) -> None:
            counts.append(iterations)
            self.length = length

        def derive(self, password: bytes) -> bytes:
            return hashlib.shake_128(password).digest(self.length)

    monkeypatch.setattr(importlib.import_module("coatcheck.jose.algorithms.pbes2"), "PBKDF2HMAC", Recorder)
    return counts


def under_password(**header: Any) -> Parts:
    return to_recipient(PBES2_ALG).with_header(**header)


@pytest.mark.parametrize("count", [1_200_001, 2**31 - 1, 2**31, 2**32 + 1000, 2**63, 10**30])
def test_cve_2026_27932_giant_p2c_is_refused_unspent(count: int, spent: list[int]) -> None:
    ours = recipient(PBES2_ALG)
    token = under_password(p2c=count)
    for keys in (ours, KeySet([ours]), key("KKW")):
        refused(TokenTooLargeError, jwe.decrypt, token.compact(), keys)
        refused(TokenTooLargeError, jwe.decrypt_json, token.flattened(), keys)
    refused(
        TokenTooLargeError,
        jwe.decrypt,
        under_password(p2c=1001).compact(),
        ours,
        limits=Limits(iterations=1000),
    )
    assert spent == []


def test_largest_p2c_is_computed(spent: list[int]) -> None:
    refused(DecryptionError, jwe.decrypt, under_password(p2c=1_200_000).compact(), recipient(PBES2_ALG))
    assert spent == [1_200_000]


def test_huge_p2c_under_huge_limits_is_still_our_error() -> None:
    limits = Limits(iterations=2**70)
    for count in (2**62, 2**64):
        token = under_password(p2c=count).compact()
        refused(
            (InvalidHeaderError, TokenTooLargeError), jwe.decrypt, token, recipient(PBES2_ALG), limits=limits
        )


@pytest.mark.parametrize("count", [0, 1, 999, -1, -(2**63), -(10**30)])
def test_cve_2023_31582_tiny_p2c_is_refused(count: int, spent: list[int]) -> None:
    refused(InvalidHeaderError, jwe.decrypt, under_password(p2c=count).compact(), recipient(PBES2_ALG))
    refused(InvalidHeaderError, jwe.decrypt_json, under_password(p2c=count).flattened(), recipient(PBES2_ALG))
    refused(ConfigurationError, jwe.encrypt, b"x", recipient(PBES2_ALG), header={"p2c": count})
    assert spent == []


@pytest.mark.parametrize("count", ["1000", 1000.0, 1e6, True, None, [1000], {}, ...], ids=repr)
def test_malformed_p2c_is_refused(count: object, spent: list[int]) -> None:
    refused(InvalidHeaderError, jwe.decrypt, under_password(p2c=count).compact(), recipient(PBES2_ALG))
    assert spent == []


@pytest.mark.parametrize(
    "salt", [..., None, "", b(b"seven.."), b(SALT) + "==", "é", 1, [], b(SALT)[:-1] + "v"], ids=repr
)
def test_malformed_p2s_is_refused(salt: object, spent: list[int]) -> None:
    refused(InvalidHeaderError, jwe.decrypt, under_password(p2s=salt).compact(), recipient(PBES2_ALG))
    assert spent == []


def test_giant_p2s_is_refused(spent: list[int]) -> None:
    refused(
        TokenTooLargeError, jwe.decrypt, under_password(p2s=b(bytes(45_000))).compact(), recipient(PBES2_ALG)
    )
    assert spent == []


def wrong_recipients(counts: list[object], **header: Any) -> dict[str, Any]:
    """A general JWE with one PBES2 recipient for each count, none of which decrypts."""
    entry = {"alg": PBES2_ALG, "p2s": b(SALT), **header}
    entries = [{"header": {**entry, "p2c": count}, "encrypted_key": b(bytes(40))} for count in counts]
    members = encrypted({"enc": "A256GCM"}, os.urandom(32)).flattened(encrypted_key=None)
    return {**members, "recipients": entries}


@pytest.mark.parametrize("header", [{}, {"kid": "k"}], ids=["no kid", "right kid"])
@pytest.mark.parametrize(
    "counts",
    [
        [1_200_000] * 16,
        [1_200_000] * 2,
        [600_001, 600_000],
        [75_001] * 16,
        [1_200_000] * 15 + [-(10**30)],
        [-(10**9)] + [1_200_000] * 15,
        [1_200_000] * 15 + [-16_800_000],
    ],
    ids=str,
)
def test_pbes2_work_is_bounded_per_token(
    header: dict[str, str], counts: list[object], spent: list[int]
) -> None:
    token = wrong_recipients(counts, **header)
    for keys in (recipient(PBES2_ALG), KeySet([recipient(PBES2_ALG).with_kid("k")])):
        refused(TokenTooLargeError, jwe.decrypt_json, token, keys)
        refused(TokenTooLargeError, jwe.decrypt_json, json.dumps(token), keys)
    assert spent == []


def test_pbes2_work_within_the_bound_is_done(spent: list[int]) -> None:
    refused(DecryptionError, jwe.decrypt_json, wrong_recipients([75_000] * 16), recipient(PBES2_ALG))
    assert sum(spent) <= 1_200_000


@pytest.mark.parametrize("name", ["KKW", "KDIR", "KOAEP", "KECDH"])
def test_pbes2_is_reachable_only_with_a_password_key(name: str) -> None:
    for secret in (SECRET[:32], SECRET, PASSWORD.encode()):
        derived = hashlib.pbkdf2_hmac("sha256", secret, PBES2_ALG.encode() + b"\0" + SALT, FEW, 16)
        cek = os.urandom(32)
        header = {"alg": PBES2_ALG, "enc": "A256GCM", "p2s": b(SALT), "p2c": FEW}
        token = encrypted(header, cek, encrypted_key=aes_key_wrap(derived, cek))
        refused(AlgorithmMismatchError, jwe.decrypt, token.compact(), key(name))
        refused((AlgorithmMismatchError, KeyUseError), jwe.decrypt, token.compact(), key("KHS"))


@pytest.mark.parametrize("password", [b"", b"x", b"seven.."], ids=len)
def test_pbes2_with_an_empty_or_short_password_is_refused(password: bytes) -> None:
    refused(WeakKeyError, Key.from_password, password, PBES2_ALG)
    refused((WeakKeyError, KeyUseError), Key.from_secret, password, PBES2_ALG)
    jwk = {"kty": "oct", "k": b(password), "alg": PBES2_ALG}
    refused((WeakKeyError, KeyImportError, KeyUseError), Key.from_jwk, jwk)


def test_pbes2_is_never_made_of_nothing() -> None:
    refused((ConfigurationError, KeyUseError), Key.generate, PBES2_ALG)
