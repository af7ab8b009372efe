"""What errors of the library say, in the words of whoever has the command line."""

from __future__ import annotations

import re

__all__ = ["in_commands"]

_COMMANDS = (
    (re.compile(r"Key\.generate\('([\w+-]+)'\)"), r"coatcheck key generate \1"),
    (re.compile(r"\balg='([\w+-]+)'"), r"--alg \1"),
    (re.compile(r"\balg=\.\.\."), "--alg"),
    (re.compile(r"\bAn encoding is for"), "--secret-encoding is for"),
    (re.compile(r"\bmax_decompressed\b"), "--max-decompressed"),
)


def in_commands(message: str) -> str:
    """Say in the words of the command line what an error says in those of the library."""
    for pattern, replacement in _COMMANDS:
        message = pattern.sub(replacement, message)
    return message
