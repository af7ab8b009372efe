"""What each verifier refuses: the checks a speed is worth nothing without."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.bare import primitives
from bench.material import Claims, claims_ring, material, protected_header
from bench.peers.base import Peer
from bench.signatures import make_token

_ALG = "HS256"
_HOUR = 3600


def probe(peers: Sequence[Peer]) -> tuple[dict[str, dict[str, bool]], list[str]]:
    """For every library, which of the bad tokens it refuses, and why any could not be asked.

    All tokens are HS256: the other checks do not depend on the algorithm.
    """
    tokens = _bad_tokens()
    refused: dict[str, dict[str, bool]] = {}
    failures: list[str] = []
    for peer in peers:
        try:
            refused[peer.name] = _probe(peer, tokens)
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            failures.append(f"{peer.name} FAILED: {error!r}")
    return refused, failures


def _probe(peer: Peer, tokens: dict[str, str]) -> dict[str, bool]:
    verify = peer.verifier(_ALG, material(_ALG))
    verify(_token({}))
    refused = {}
    for fault, token in tokens.items():
        try:
            verify(token)
        except Exception:  # noqa: BLE001 -- every library has its own errors; any of them is a refusal
            refused[fault] = True
        else:
            refused[fault] = False
    return refused


def _bad_tokens() -> dict[str, str]:
    now = int(time.time())
    good = _token({})
    return {
        "signature": good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8),
        "iss": _token({"iss": "https://evil.example.com"}),
        "aud": _token({"aud": "https://other.example.com"}),
        "exp": _token({"exp": now - _HOUR}),
        "no exp": _token({}, without="exp"),
        "nbf": _token({"nbf": now + _HOUR}),
        "iat": _token({"iat": now + _HOUR}),
        "typ": _token({}, typ="logout+jwt"),
    }


def _token(changes: Claims, *, without: str = "", typ: str = "JWT") -> str:
    claims = claims_ring()[0] | changes
    claims.pop(without, None)
    return make_token(primitives(_ALG)[0], _ALG, protected_header(_ALG, typ), claims)
