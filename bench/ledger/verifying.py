"""What it costs a service to verify a token that it has seen before, and one that it has not."""

from __future__ import annotations

import gc
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt as joserfc
from joserfc.jwk import OctKey

from bench.harness import Contender, Effort, Row, run
from bench.ledger import issuing
from coatcheck.jose import Key
from coatcheck.revocation.registry import Registry
from coatcheck.verifier import Verifier

HMAC = "hmac.digest of the token"
NEW_TEXT = "making the text anew, nothing else"
FEW, MANY = 10, 1_000_000
WARM_FEW = "seen before, 10 entries"
WARM_MANY = "seen before, 1 000 000 entries"
REQUIRE = "require(headers) with a scope, 1 000 000 entries"
MOVED_FEW = "after an entry came, 10 entries"
MOVED_MANY = "after an entry came, 1 000 000 entries"
COLD = "not seen before (ES256), 10 entries"
BARE_ES256 = "cryptography, ES256, nothing else"
PYJWT, JOSERFC = "PyJWT, HS256", "joserfc, HS256"
_RING = 16
_SECRET = bytes(range(32))


@dataclass(frozen=True)
class Sizes:
    """Octets of memory."""

    per_million: float
    """A million entries."""
    per_token: float
    """A verified token that is remembered."""


def race(effort: Effort) -> tuple[Row, int]:
    """Time them in turns. The second figure is the length of the tokens."""
    key = Key.generate("ES256")
    few, many = (issuing.verifier(key, entries=count) for count in (FEW, MANY))
    forgetful = issuing.verifier(key, entries=FEW)  # of its own: the others have to remember
    octets = [issuing.sign(key).encode("ascii") for _ in range(_RING)]
    entries: dict[str, Callable[[], Contender]] = {
        HMAC: lambda: Contender(HMAC, lambda token: hmac.digest(_SECRET, token, "sha256"), octets),
        NEW_TEXT: lambda: Contender(NEW_TEXT, lambda token: token.decode("ascii"), octets),
        WARM_FEW: lambda: _ours(WARM_FEW, _warm(few), octets),
        WARM_MANY: lambda: _ours(WARM_MANY, _warm(many), octets),
        REQUIRE: lambda: _ours(REQUIRE, _require(many), octets),
        MOVED_FEW: lambda: _ours(MOVED_FEW, _moved(few), octets),
        MOVED_MANY: lambda: _ours(MOVED_MANY, _moved(many), octets),
        COLD: lambda: _ours(COLD, _cold(forgetful), octets),
        BARE_ES256: _bare_es256,
        PYJWT: lambda: _pyjwt(len(octets[0])),
        JOSERFC: lambda: _joserfc(len(octets[0])),
    }
    return run("verifier", entries, effort), len(octets[0])


def _ours(name: str, call: Callable[[bytes], object], octets: list[bytes]) -> Contender:
    for _ in range(3):  # the second time it is remembered, the third time among those in use
        for token in octets:
            if call(token) is None:
                raise AssertionError(name)
    return Contender(name, call, octets)


def _warm(made: Verifier) -> Callable[[bytes], object]:
    """Verify a text that was never seen, though the token was: that is what a request brings."""
    verify = made.verify
    return lambda token: verify(token.decode("ascii"))


def _require(made: Verifier) -> Callable[[bytes], object]:
    require, scopes = made.require, ("orders:read",)

    def call(token: bytes) -> object:
        headers = ((b"host", b"api.example"), (b"accept", b"*/*"), (b"authorization", b"Bearer " + token))
        return require(headers, scopes=scopes)

    return call


def _moved(made: Verifier) -> Callable[[bytes], object]:
    registry, verify = issuing.registry_of(made), made.verify

    def call(token: bytes) -> object:
        registry.epoch += 1
        return verify(token.decode("ascii"))

    return call


def _cold(made: Verifier) -> Callable[[bytes], object]:
    forget, verify = issuing.forget_tokens, made.verify

    def call(token: bytes) -> object:
        forget(made)
        return verify(token.decode("ascii"))

    return call


def _bare_es256() -> Contender:
    private = ec.generate_private_key(ec.SECP256R1())
    public, prehashed = private.public_key(), ec.ECDSA(SHA256())
    made = [(private.sign(bytes([n]) * 400, prehashed), bytes([n]) * 400) for n in range(_RING)]
    assert utils.decode_dss_signature(made[0][0])
    return Contender(BARE_ES256, lambda each: public.verify(each[0], each[1], prehashed), made)


def _pyjwt(length: int) -> Contender:
    tokens = _hs256_tokens(length)

    def verify(token: str) -> dict[str, Any]:
        found: dict[str, Any] = pyjwt.decode(
            token, _SECRET, algorithms=["HS256"], audience=issuing.AUDIENCE, issuer=issuing.ISSUER
        )
        return found

    assert verify(tokens[0])["aud"] == issuing.AUDIENCE
    return Contender(PYJWT, verify, tokens)


def _joserfc(length: int) -> Contender:
    tokens, key = _hs256_tokens(length), OctKey.import_key(_SECRET)
    registry = joserfc.JWTClaimsRegistry(
        iss={"essential": True, "value": issuing.ISSUER}, aud={"essential": True, "value": issuing.AUDIENCE}
    )

    def verify(token: str) -> object:
        found = joserfc.decode(token, key, algorithms=["HS256"])
        registry.validate(found.claims)
        return found

    verify(tokens[0])
    return Contender(JOSERFC, verify, tokens)


def _hs256_tokens(length: int) -> list[str]:
    """Return tokens with the same claims, and as long."""
    made = []
    for _ in range(_RING):
        short = pyjwt.encode(issuing.claims(), _SECRET, "HS256")
        missing = max(0, length - len(short) - 16) * 3 // 4
        made.append(pyjwt.encode(issuing.claims() | {"pad": "p" * missing}, _SECRET, "HS256"))
    return made


def weigh(*, entries: int, tokens: int) -> Sizes:
    """Measure what the process grows by, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.ledger.verifying", str(entries), str(tokens)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- this module
    return Sizes(**json.loads(done.stdout))


def _weigh(entries: int, tokens: int) -> dict[str, float]:
    key, registry = Key.generate("ES256"), Registry()
    issuing.fill(registry, 1_000)
    gc.collect()
    before = _resident()
    issuing.fill(registry, entries)
    gc.collect()
    per_million = (_resident() - before) * 1e6 / entries
    made = issuing.verifier(key, entries=FEW)
    octets = [issuing.sign(key).encode("ascii") for _ in range(tokens)]
    for token in octets[:100]:
        made.verify(token.decode("ascii"))
    gc.collect()
    before = _resident()
    for token in octets[100:]:
        made.verify(token.decode("ascii"))
    gc.collect()
    return {"per_million": per_million, "per_token": (_resident() - before) / (tokens - 100)}


def _resident() -> int:
    """Octets of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(_weigh(int(sys.argv[1]), int(sys.argv[2]))))
