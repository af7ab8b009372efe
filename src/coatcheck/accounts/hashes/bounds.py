"""How much work a stored hash may ask for. An import is a file from somewhere: one line must not stop the server."""

from __future__ import annotations

import msgspec

__all__ = ["BOUNDS", "Bounds"]

_MIB = 2**20


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds for all kinds of hashes. Whatever is within them takes seconds at the most.

    Attributes:
        characters: The longest encoded hash.
        digest_octets: The shortest and the longest digest. A short one would match many passwords.
        bcrypt_cost: The highest cost; each step doubles the time. 16 takes some four seconds.
        pbkdf2_iterations: The highest count. Ten million of SHA-256 take some two seconds.
        argon2_memory_kib: The most memory of one hash: 1 GiB.
        argon2_passes: The highest time cost.
        argon2_lanes: The highest parallelism: each lane is a thread.
        argon2_work_kib: The highest product of memory and time cost: 4 GiB.
        scrypt_memory: The most octets of memory of one hash, 128 N r: 256 MiB.
        scrypt_work: The highest product of that and p: 1 GiB.
    """

    characters: int = 1024
    digest_octets: tuple[int, int] = (16, 128)
    bcrypt_cost: int = 16
    pbkdf2_iterations: int = 10_000_000
    argon2_memory_kib: int = 1024 * 1024
    argon2_passes: int = 64
    argon2_lanes: int = 16
    argon2_work_kib: int = 4 * 1024 * 1024
    scrypt_memory: int = 256 * _MIB
    scrypt_work: int = 1024 * _MIB

    def accepts_digest(self, digest: bytes) -> bool:
        """Tell whether a digest is of an acceptable length."""
        shortest, longest = self.digest_octets
        return shortest <= len(digest) <= longest

    def accepts_argon2(self, *, memory_kib: int, passes: int, lanes: int) -> bool:
        """Tell whether the parameters of an argon2 hash are possible and acceptable."""
        return (
            1 <= lanes <= self.argon2_lanes
            and 8 * lanes <= memory_kib <= self.argon2_memory_kib
            and 1 <= passes <= self.argon2_passes
            and memory_kib * passes <= self.argon2_work_kib
        )

    def accepts_scrypt(self, *, n: int, r: int, p: int) -> bool:
        """Tell whether the parameters of an scrypt hash are possible (RFC 7914 section 2) and acceptable."""
        memory = 128 * n * r
        return (
            n > 1
            and n.bit_count() == 1
            and r > 0
            and p > 0
            and memory <= self.scrypt_memory
            and memory * p <= self.scrypt_work
        )


BOUNDS = Bounds()
