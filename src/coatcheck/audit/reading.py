"""Telling what a file is: a HAR, packed or not, saved headers, or one token."""

from __future__ import annotations

import re
import zlib

from .errors import RecordingTooLargeError, UnreadableRecordingError
from .har import read_har
from .recording import Recording
from .saved_headers import looks_like_headers, read_headers

__all__ = ["MOST_OCTETS", "read_recording"]

MOST_OCTETS = 536_870_912
"""The most that is read of a file, packed or unpacked: 512 MiB."""

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SCHEME = re.compile(r"(?:authorization:[ \t]*)?(?:bearer|dpop)[ \t]+", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/:=]{16,}")
_JOSE = ('"signature"', '"signatures"', '"ciphertext"')
_LONGEST_TOKEN = 1_048_576


def read_recording(octets: bytes, *, most: int = MOST_OCTETS) -> Recording:
    """Read a file.

    Args:
        octets: Its content.
        most: How large it may be, in octets, packed or unpacked.

    Raises:
        UnreadableRecordingError: If it is none of the kinds that are known.
        RecordingTooLargeError: If it is larger than ``most``.
    """
    if len(octets) > most:
        raise RecordingTooLargeError(f"The file is larger than {in_megabytes(most)}: record fewer requests.")
    text, is_lossy = _text(_unpacked(octets, most))
    bare = text.strip()
    if not bare:
        raise UnreadableRecordingError("The file is empty.")
    recording = _read(bare)
    if is_lossy:
        note = "The file is no UTF-8 throughout: what could not be read was replaced."
        return Recording(
            kind=recording.kind,
            creator=recording.creator,
            exchanges=recording.exchanges,
            token=recording.token,
            notes=(*recording.notes, note),
        )
    return recording


def in_megabytes(octets: int) -> str:
    """Return a size in words."""
    return f"{octets // 1_048_576:,} MiB" if octets >= 1_048_576 else f"{octets:,} bytes"


def _read(text: str) -> Recording:
    if text[0] == "{" and not _is_json_token(text):
        return read_har(text)
    if text[0] == "[":
        raise UnreadableRecordingError("This is JSON, but no HAR: it has no object 'log'.")
    token = text[prefix.end() :].strip() if (prefix := _SCHEME.match(text)) else text
    if len(token) <= _LONGEST_TOKEN and (_TOKEN.fullmatch(token) or _is_json_token(token)):
        return Recording(kind="token", token=token)
    if looks_like_headers(text):
        return read_headers(text)
    raise UnreadableRecordingError(
        "This is neither a HAR, nor headers as curl saves them, nor a token: see coatcheck audit --help."
    )


def _is_json_token(text: str) -> bool:
    """Tell whether it is a token in one of the JSON serialisations (RFC 7515 section 7.2)."""
    return (
        len(text) <= _LONGEST_TOKEN
        and text.startswith("{")
        and '"log"' not in text
        and any(name in text for name in _JOSE)
    )


def _unpacked(octets: bytes, most: int) -> bytes:
    if octets.startswith(_ZIP):
        raise UnreadableRecordingError("This is a ZIP archive: unpack it, and name the .har file inside.")
    if not octets.startswith(_GZIP):
        return octets
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(octets, most + 1)
    except zlib.error:
        raise UnreadableRecordingError("The file is packed by gzip, and damaged.") from None
    if len(unpacked) > most:
        raise RecordingTooLargeError(f"Unpacked, the file is larger than {in_megabytes(most)}.")
    if not unpacker.eof:
        raise UnreadableRecordingError("The file is packed by gzip, and cut off.")
    return unpacked


def _text(octets: bytes) -> tuple[str, bool]:
    """Decode, and tell whether anything was lost."""
    encoding = "utf-16" if octets.startswith(_UTF16) else "utf-8-sig"
    try:
        return octets.decode(encoding), False
    except UnicodeDecodeError:
        return octets.decode(encoding, "replace"), True
