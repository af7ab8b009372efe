"""Races of JWE decryption, compact serialization."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.bare import CRYPTOGRAPHY
from bench.bare_encryption import Parts, decrypter, encrypt
from bench.harness import Contender, Effort, Row, run
from bench.material import claims_ring, compact_json, material
from bench.peers.base import Peer


def race_decrypt(alg: str, enc: str, peers: Sequence[Peer], effort: Effort) -> Row:
    """Every library decrypts the same tokens with the same key."""
    plaintexts = [compact_json(claims) for claims in claims_ring()]
    messages = [encrypt(alg, enc, plaintext) for plaintext in plaintexts]
    entries: dict[str, Callable[[], Contender]] = {}
    for peer in peers:
        if peer.can_decrypt(alg, enc):
            entries[peer.name] = _decrypting(peer, alg, enc, messages, plaintexts)
    entries[CRYPTOGRAPHY] = lambda: Contender(CRYPTOGRAPHY, decrypter(alg, enc), messages)
    return run(f"{alg} + {enc}", entries, effort)


def _decrypting(
    peer: Peer, alg: str, enc: str, messages: list[Parts], plaintexts: list[bytes]
) -> Callable[[], Contender]:
    def enter() -> Contender:
        if peer.decrypter is None:
            raise ValueError("no JWE")
        decrypt = peer.decrypter(alg, enc, material(alg))
        tokens = [message.compact() for message in messages]
        if [decrypt(token) for token in tokens] != plaintexts:
            raise ValueError("returned another plaintext")
        return Contender(peer.name, decrypt, tokens)

    return enter
