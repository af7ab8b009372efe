"""A good token, changed in any one place, is no token.

Every position of tokens of every family is replaced, deleted, doubled, swapped and flipped bit by bit.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from coatcheck.jose import JOSEError, Key, jwe, jws, jwt
from tests.jose.attacks.forging import AUDIENCE, ISSUER, NOW, PASSWORD, from_private, rsa_private
from tests.jose.attacks.tampering import FEW, PBES2_ALG

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STRANGE = '.=+/ \n\0~"é'

SIGNATURES = ("HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "Ed448", "ML-DSA-44")
ENCRYPTIONS = (
    "A256GCM",
    "A128CBC-HS256",
    "A256KW",
    "A256GCMKW",
    "RSA-OAEP-256",
    "ECDH-ES",
    "ECDH-ES+A256KW",
    PBES2_ALG,
)


@cache
def key_for(alg: str) -> Key:
    if alg.startswith(("RS", "PS")):
        return from_private(rsa_private(), alg, kid="k")
    if alg == PBES2_ALG:
        return Key.from_password(PASSWORD, alg, kid="k")
    return Key.generate(alg, kid="k")


def neighbours(letter: str) -> str:
    """Return other characters for one place: those that differ in one bit of what they stand for, or strange ones."""
    if letter not in ALPHABET:
        return "A-" + STRANGE.replace(letter, "")
    return "".join(ALPHABET[ALPHABET.index(letter) ^ 1 << bit] for bit in range(6))


def mutations(token: str, *, step: int = 1) -> Iterator[str]:
    """Each text that differs from the token in one place: a few for every place, all kinds for every ``step``."""
    for place, letter in enumerate(token):
        before, after = token[:place], token[place + 1 :]
        others = neighbours(letter)
        yield f"{before}{others[place % len(others)]}{after}"
        yield f"{before}{after}"  # deleted
        if place % step == 0:
            strange = STRANGE[place // step % len(STRANGE)]
            yield from (f"{before}{other}{after}" for other in others)
            yield f"{before}{strange}{after}"  # replaced by something strange
            yield f"{before}{strange}{letter}{after}"  # inserted
            yield f"{before}{letter}{letter}{after}"  # doubled
            yield f"{before}{ALPHABET[place % 64]}{letter}{after}"
            yield f"{after[:1]}".join((before, f"{letter}{after[1:]}"))  # swapped
            yield token[:place]  # cut
            yield token[place:]
    for place in {0, len(token)} | {place for place, letter in enumerate(token) if letter == "."}:
        # The characters around a border, where stray bits and padding would hide.
        for at in {max(place - 1, 0), place, place + 1}:
            yield from (f"{token[:at]}{other}{token[at + 1 :]}" for other in ALPHABET + STRANGE)
        yield from (f"{token[:place]}{other}{token[place:]}" for other in ALPHABET + STRANGE)


def byte_flips(token: str, *, step: int = 1) -> Iterator[bytes]:
    """Each octet string that differs from the token in one bit, the eighth included."""
    octets = token.encode()
    for place in range(0, len(octets), step):
        for bit in range(8):
            yield octets[:place] + bytes([octets[place] ^ 1 << bit]) + octets[place + 1 :]


def survivors(
    accept: Callable[[Any], object], token: str, mutated: Iterator[str | bytes]
) -> list[str | bytes]:
    """Return what was accepted. Any error but our own comes through."""
    accept(token)
    passed = []
    for text in mutated:
        if text in (token, token.encode()):
            continue
        try:
            accept(text)
        except JOSEError:
            continue
        passed.append(text)
    return passed


# A slow primitive, or a text of thousands of characters, is looked at in fewer places.
STEPS = {
    "ML-DSA-44": 97,
    "ES384": 19,
    "ES512": 19,
    "Ed448": 9,
    "ES256K": 13,
    "RSA-OAEP-256": 23,
    PBES2_ALG: 11,
}


def signed_token(alg: str) -> tuple[str, jwt.Verifier[Any]]:
    signer = jwt.Signer(key_for(alg), issuer=ISSUER, audience=AUDIENCE, clock=lambda: float(NOW))
    verifying = key_for(alg) if key_for(alg).is_symmetric else key_for(alg).public()
    check = jwt.Verifier(verifying, issuer=ISSUER, audience=AUDIENCE, clock=lambda: float(NOW))
    return signer.sign({"sub": "alice", "x": "0"}), check


@pytest.mark.parametrize("alg", SIGNATURES)
def test_no_mutation_of_a_signed_token_is_accepted_by_a_verifier(alg: str) -> None:
    token, check = signed_token(alg)
    step = STEPS.get(alg, 4)
    assert survivors(check.verify, token, mutations(token, step=step)) == []
    assert survivors(check.verify, token, byte_flips(token, step=step)) == []


@pytest.mark.parametrize("alg", ["HS256", "RS256", "ES256", "Ed25519"])
def test_no_mutation_of_a_signed_token_is_accepted_by_jws(alg: str) -> None:
    verifying = key_for(alg) if key_for(alg).is_symmetric else key_for(alg).public()
    token, step = jws.sign(b"a payload", key_for(alg)), STEPS.get(alg, 4)
    assert survivors(lambda text: jws.verify(text, verifying), token, mutations(token, step=step)) == []


@pytest.mark.parametrize("b64", [True, False])
def test_no_mutation_of_a_detached_token_is_accepted(b64: bool) -> None:  # noqa: FBT001
    token = jws.sign(b"a payload", key_for("Ed25519"), detached=True, b64=b64)
    ours = key_for("Ed25519").public()
    assert (
        survivors(lambda text: jws.verify(text, ours, payload=b"a payload"), token, mutations(token, step=3))
        == []
    )


def test_no_mutation_of_an_unencoded_token_is_accepted() -> None:
    token = jws.sign(b"a payload, $1000", key_for("HS256"), b64=False)
    assert survivors(lambda text: jws.verify(text, key_for("HS256")), token, mutations(token, step=3)) == []


@pytest.mark.parametrize("alg", ENCRYPTIONS)
def test_no_mutation_of_an_encrypted_token_is_accepted(alg: str) -> None:
    header = {"p2c": FEW} if alg == PBES2_ALG else None
    token, step = jwe.encrypt(b"a secret", key_for(alg), header=header), STEPS.get(alg, 4)

    def accept(text: Any) -> None:
        jwe.decrypt(text, key_for(alg), max_decompressed=1000)

    assert survivors(accept, token, mutations(token, step=step)) == []
    assert survivors(accept, token, byte_flips(token, step=step)) == []


@pytest.mark.parametrize("alg", ["A256KW", "ECDH-ES"])
def test_no_mutation_of_a_nested_token_is_accepted(alg: str) -> None:
    signer = jwt.Signer(
        key_for("Ed25519"),
        issuer=ISSUER,
        audience=AUDIENCE,
        clock=lambda: float(NOW),
        encrypt_to=key_for(alg),
    )
    check = jwt.Verifier(
        key_for("Ed25519").public(),
        issuer=ISSUER,
        audience=AUDIENCE,
        clock=lambda: float(NOW),
        decrypt_with=key_for(alg),
    )
    token = signer.sign({})
    assert survivors(check.verify, token, mutations(token, step=9)) == []


def member_replaced(
    verify: Callable[[Any], object], token: dict[str, Any], name: str
) -> Callable[[Any], object]:
    return lambda text: verify({**token, name: text})


@pytest.mark.parametrize("alg", ["HS256", "ES256", "Ed25519"])
def test_no_mutation_of_a_member_of_a_json_jws_is_accepted(alg: str) -> None:
    verifying = key_for(alg) if key_for(alg).is_symmetric else key_for(alg).public()
    token = jws.sign_json(b"a payload", key_for(alg))
    for name, text in token.items():
        accept = member_replaced(lambda members: jws.verify_json(members, verifying), token, name)
        assert survivors(accept, text, mutations(text, step=5)) == []


@pytest.mark.parametrize("alg", ["A256KW", "ECDH-ES+A256KW", "A128CBC-HS256"])
def test_no_mutation_of_a_member_of_a_json_jwe_is_accepted(alg: str) -> None:
    token = jwe.encrypt_json(b"a secret", key_for(alg), aad=b"aad")
    for name, text in token.items():
        if isinstance(text, str):
            accept = member_replaced(lambda members: jwe.decrypt_json(members, key_for(alg)), token, name)
            assert survivors(accept, text, mutations(text, step=5)) == []
