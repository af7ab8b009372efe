"""Where keys, tokens and passwords come from: files, standard input, the environment, a prompt."""

from __future__ import annotations

import base64
import errno
import os
import re
import string
import sys
from collections.abc import Sequence
from shlex import quote

from .errors import InputError, UsageError
from .notices import notice

__all__ = [
    "MOST_OCTETS",
    "STDIN",
    "ask_password",
    "is_terminal",
    "one_of",
    "or_stdin",
    "read_password",
    "read_source",
    "read_token",
    "read_variable",
    "refuse_utf16",
    "share_stdin",
]

STDIN = "-"
MOST_OCTETS = 1_048_576
"""The most that is read of anything."""

_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a directory",
    errno.EACCES: "you may not read it",
}
_LONGEST_NAME = 200
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_TEXT = frozenset(string.printable.encode("ascii"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SCHEME = re.compile(r"(?:authorization:[ \t]*)?(?:bearer|dpop)[ \t]+", re.IGNORECASE)


def share_stdin(*sources: str | None) -> None:
    """Raise ``UsageError`` if more than one thing is to come from standard input."""
    if sources.count(STDIN) > 1:
        raise UsageError("Only one thing can come from standard input ('-').")


def or_stdin(*named: str | None, beside: Sequence[str | None]) -> str | None:
    """Return the first of the alternatives, or ``-`` if none is named and something is piped in.

    Args:
        named: The argument, and what may be given in its place.
        beside: What else may read standard input; if it does, nothing else can.
    """
    if any(value is not None for value in named) or STDIN in beside:
        return named[0]
    return named[0] if sys.stdin is None or is_terminal() else STDIN


def one_of(named: Sequence[tuple[str, object]]) -> None:
    """Raise ``UsageError`` unless exactly one of the alternatives is given."""
    given = [name for name, value in named if value not in {None, False}]
    if len(given) != 1:
        raise UsageError(f"Give exactly one of: {', '.join(name for name, _ in named)}.")


def read_source(path: str, *, may_be_empty: bool = False) -> bytes:
    """Read a file, or standard input for ``-``. Raises ``InputError``."""
    if path == STDIN:
        return _bounded(_read_stdin(), "Standard input", may_be_empty=may_be_empty)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path may hold what pathlib refuses
            octets = file.read(MOST_OCTETS + 1)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "the system refused")
        raise InputError(f"{named(path)} cannot be read: {reason}.") from None
    except ValueError:
        raise InputError("The name of a file cannot contain a NUL character.") from None
    return _bounded(octets, named(path), may_be_empty=may_be_empty)


def named(name: str) -> str:
    """Return a name for an error. What may be the secret itself, given in its place, is not repeated into logs."""
    is_name = len(name) <= _LONGEST_NAME and not name.lstrip().startswith(("{", "-----"))
    return repr(name) if is_name else "What was given as a name (it looks like the content itself)"


def is_terminal() -> bool:
    """Tell whether a person writes standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise InputError("There is no standard input.")
    if is_terminal():
        notice("Reading from the terminal; end with Ctrl-D on a line of its own.")
    return sys.stdin.buffer.read(MOST_OCTETS + 1)


def _bounded(octets: bytes, what: str, *, may_be_empty: bool = False) -> bytes:
    if len(octets) > MOST_OCTETS:
        raise InputError(f"{what} is larger than 1 MiB.")
    if not may_be_empty and not octets.strip():
        raise InputError(f"{what} is empty.")
    return octets


def read_variable(name: str) -> bytes:
    """Read an environment variable. Raises ``InputError`` if it is not set or empty."""
    if not _VARIABLE.fullmatch(name):
        raise InputError("What was given is not the name of an environment variable.")
    value = os.environ.get(name)
    if not value:
        raise InputError(f"The environment variable {name!r} is not set, or empty.")
    return _bounded(os.fsencode(value), f"The environment variable {name!r}")


def read_token(argument: str | None, file: str | None, variable: str | None) -> str:
    """Read a token from wherever it is, without white space around it and the ``Bearer`` before it.

    Args:
        argument: The token itself, or ``-`` for standard input.
        file: The name of a file, or ``-``.
        variable: The name of an environment variable.

    Raises:
        UsageError: If not exactly one of them is given.
        InputError: If it cannot be read, or is no text.
    """
    one_of([("TOKEN (- for standard input)", argument), ("--file", file), ("--token-env", variable)])
    if variable is not None:
        octets = read_variable(variable)
    elif file is not None or argument == STDIN:
        octets = read_source(file or STDIN)
    else:
        octets = _bounded(os.fsencode(argument or ""), "The token")
    refuse_utf16(octets, "token")
    try:
        text = octets.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise InputError("The input is binary, not the text of a token.") from None
    text = text[prefix.end() :].strip() if (prefix := _SCHEME.match(text)) else text
    if argument not in {None, STDIN} and not _has_header(text) and os.path.isfile(str(argument)):  # noqa: PTH113
        raise UsageError(f"{argument!r} is a file: use --file {quote(str(argument))}")
    return text


def _has_header(text: str) -> bool:
    """Tell whether a text begins like a token: with an object, or with one in base64url."""
    segment = text.partition(".")[0]
    try:
        octets = base64.b64decode(f"{segment}===", b"-_")
    except ValueError:
        octets = b""
    return (octets.strip() or text.encode()).startswith(b"{")


def read_password(
    variable: str | None, file: str | None, *, prompt: bool, confirm: bool = False, what: str = "Password"
) -> bytes | None:
    """Read a password, without the line's end; ``None`` if none of the ways was chosen.

    Raises:
        UsageError: If several ways were chosen.
        InputError: If it cannot be read, or is empty.
    """
    if variable is None and file is None and not prompt:
        return None
    one_of([("the password's variable", variable), ("its file", file), ("the prompt", prompt)])
    if variable is not None:
        return read_variable(variable)
    if file is not None:
        return read_source(file).removesuffix(b"\n").removesuffix(b"\r")
    return ask_password(what, confirm=confirm)


def refuse_utf16(octets: bytes, what: str) -> None:
    """Raise ``InputError`` for text in UTF-16, as some shells write it to files."""
    if not octets.startswith(_UTF16_MARKS):
        return
    try:
        text = octets.decode("utf-16").encode("ascii")
    except UnicodeError:
        return  # these octets only begin like it
    if _TEXT.issuperset(text):
        raise InputError(f"The {what} is text in UTF-16: save it as UTF-8.")


def ask_password(what: str, *, confirm: bool) -> bytes:
    """Ask for a password on the terminal, without showing it."""
    from getpass import getpass

    try:
        password = getpass(f"{what}: ")
        if confirm and getpass(f"{what} again: ") != password:
            raise InputError("The two passwords differ.")
    except EOFError:
        raise InputError("There is no terminal to ask for the password.") from None
    if not password:
        raise InputError("The password is empty.")
    return os.fsencode(password)
