"""Keys from files and variables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._core.secret_encoding import SecretEncoding
from ..inspection.errors import UnclearKeyError, UnreadableKeyError
from ..inspection.key_text import KeyText, Use, read_key_text
from ..jose import Key, KeySet
from ..jose.errors import KeyPasswordError
from .errors import InputError, UsageError
from .sources import ask_password, is_terminal, one_of, read_source, read_variable, refuse_utf16

__all__ = ["in_arguments", "load_key", "load_key_set", "load_key_text"]


def load_key(
    file: str | None,
    variable: str | None,
    *,
    alg: str | None,
    use: Use | None,
    kid: str | None = None,
    encoding: SecretEncoding = SecretEncoding.RAW,
    password: bytes | None = None,
    named: str = "--key",
) -> Key:
    """Read the one key of a file or variable, as ``KeyText.key`` does. Raises ``UsageError`` for a set."""
    text = load_key_text(file, variable, alg=alg, encoding=encoding, password=password, named=named)
    with in_arguments():
        return text.key(alg, use=use, kid=kid)


def load_key_text(
    file: str | None,
    variable: str | None,
    *,
    alg: str | None = None,
    encoding: SecretEncoding = SecretEncoding.RAW,
    password: bytes | None = None,
    named: str = "--key",
) -> KeyText:
    """Read the key or set of a file or variable.

    Args:
        file: The name of a file, or ``-``.
        variable: The name of an environment variable.
        alg: The algorithm that the person names.
        encoding: How a secret is written.
        password: That of an encrypted private key; asked for on the terminal if it is needed and not given.
        named: How the command calls the file.

    Raises:
        UsageError: Unless exactly one of the two is given, or what is said of the key does not fit it.
        InputError: If it is no key.
    """
    one_of([(named, file), ("--key-env", variable)])
    octets = read_variable(variable) if variable is not None else read_source(file or "-")
    refuse_utf16(octets, "key")
    with in_arguments():
        try:
            return read_key_text(octets, alg=alg, encoding=encoding, password=password)
        except KeyPasswordError as error:
            if password is not None:
                raise
            return read_key_text(octets, alg=alg, encoding=encoding, password=_asked(error))


def load_key_set(
    file: str | None,
    variable: str | None,
    *,
    alg: str | None,
    use: Use,
    encoding: SecretEncoding = SecretEncoding.RAW,
    password: bytes | None = None,
) -> KeySet:
    """Read a key or a set of keys."""
    found = load_key_text(file, variable, alg=alg, encoding=encoding, password=password)
    with in_arguments():
        return found.key_set(alg, use=use)


@contextmanager
def in_arguments() -> Iterator[None]:
    """Turn what an inspection says of a key into what is said of the arguments of a command."""
    try:
        yield
    except UnclearKeyError as error:
        raise UsageError(error.message) from None
    except UnreadableKeyError as error:
        raise InputError(error.message) from None


def _asked(error: KeyPasswordError) -> bytes:
    if not is_terminal():
        raise KeyPasswordError(f"{error.message} Give it with --password-env or --password-file.") from None
    return ask_password("Password of the key", confirm=False)
