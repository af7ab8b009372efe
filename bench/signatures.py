"""Races of `sign` and `verify`, full claim checks included."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from bench.bare import Primitive, from_jose, primitives, to_jose
from bench.harness import Contender, Effort, Row, run
from bench.material import Claims, b64, claims_ring, material, protected_header, signing_input, unb64
from bench.peers.base import Peer, subject

Entry = Callable[[], Contender]


def race_sign(alg: str, peers: Sequence[Peer], effort: Effort) -> Row:
    """Every library signs the same claims with the same key."""
    ring = claims_ring()
    messages = [signing_input(protected_header(alg), claims) for claims in ring]
    entries: dict[str, Entry] = {}
    for peer in peers:
        if name := peer.name_for(alg):
            entries[peer.name] = _signing(peer, alg, name, ring)
    for primitive in primitives(alg):
        entries[primitive.name] = _bare_signing(primitive, messages)
    return run(alg, entries, effort)


def race_verify(alg: str, peers: Sequence[Peer], effort: Effort) -> Row:
    """Every library verifies the same tokens: signature, iss, aud, exp, nbf, iat and typ."""
    ring = claims_ring()
    primitive = primitives(alg)[0]
    entries: dict[str, Entry] = {}
    for peer in peers:
        if name := peer.name_for(alg):
            tokens = [make_token(primitive, alg, protected_header(name), claims) for claims in ring]
            entries[peer.name] = _verifying(peer, alg, name, ring, tokens)
    messages = [signing_input(protected_header(alg), claims) for claims in ring]
    for primitive in primitives(alg):
        entries[primitive.name] = _bare_verifying(primitive, messages)
    return run(alg, entries, effort)


def make_token(primitive: Primitive, alg: str, header: dict[str, object], claims: Claims) -> str:
    """A token no library under test had a hand in."""
    message = signing_input(header, claims)
    return (message + b"." + b64(to_jose(alg, primitive.sign(message)))).decode()


def _signing(peer: Peer, alg: str, name: str, ring: list[Claims]) -> Entry:
    def enter() -> Contender:
        sign = peer.signer(name, material(alg))
        given = [peer.to_sign(claims) for claims in ring]
        _check_token(alg, name, sign(given[0]), ring[0])
        return Contender(peer.name, sign, given, _alias(alg, name))

    return enter


def _verifying(peer: Peer, alg: str, name: str, ring: list[Claims], tokens: list[str]) -> Entry:
    def enter() -> Contender:
        verify = peer.verifier(name, material(alg))
        for claims, token in zip(ring, tokens, strict=True):
            if subject(verify(token)) != claims["sub"]:
                raise ValueError("returned other claims than those signed")
        return Contender(peer.name, verify, tokens, _alias(alg, name))

    return enter


def _bare_signing(primitive: Primitive, messages: list[bytes]) -> Entry:
    return lambda: Contender(primitive.name, primitive.sign, messages)


def _bare_verifying(primitive: Primitive, messages: list[bytes]) -> Entry:
    signed = [(message, primitive.sign(message)) for message in messages]
    return lambda: Contender(primitive.name, primitive.verify, signed)


def _alias(alg: str, name: str) -> str:
    return "" if name == alg else f"under the name {name}"


def _check_token(alg: str, name: str, token: str | bytes, claims: Claims) -> None:
    """A signature that is fast but wrong does not count."""
    text = token.encode() if isinstance(token, str) else token
    message, _, signature = text.rpartition(b".")
    primitives(alg)[0].verify((message, from_jose(alg, unb64(signature))))
    header, payload = (json.loads(unb64(part)) for part in message.split(b"."))
    if header != protected_header(name):
        raise ValueError(f"signed with another header: {header}")
    if payload.keys() != claims.keys() or any(payload[key] != claims[key] for key in ("sub", "iss", "aud")):
        raise ValueError(f"signed other claims: {payload}")
