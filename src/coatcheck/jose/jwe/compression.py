"""DEFLATE (RFC 7516 section 4.1.3, RFC 1951), bounded.

Compression before encryption leaks the content's redundancy through its length, and decompression is a bomb in
waiting (RFC 8725 section 3.6, CVE-2024-28102): both happen only where the caller asks.
"""

from __future__ import annotations

import zlib

from ..errors import DecryptionError, TokenTooLargeError

__all__ = ["deflate", "inflate"]

_RAW = -zlib.MAX_WBITS


def deflate(octets: bytes) -> bytes:
    """Compress."""
    compressor = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, _RAW)
    return compressor.compress(octets) + compressor.flush()


def inflate(octets: bytes, limit: int) -> bytes:
    """Decompress to at most ``limit`` octets, without ever holding more.

    Raises:
        TokenTooLargeError: If there is more.
        DecryptionError: If it is not one complete DEFLATE stream.
    """
    decompressor = zlib.decompressobj(_RAW)
    try:
        plain = decompressor.decompress(octets, limit + 1)
    except zlib.error:
        raise DecryptionError from None
    if len(plain) > limit:
        raise TokenTooLargeError(f"The content decompresses to more than {limit} octets.")
    if not decompressor.eof or decompressor.unused_data:
        raise DecryptionError
    return plain
