"""``coatcheck token decrypt``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..options import (
    Algorithm,
    KeyFile,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
    TokenArgument,
    TokenFile,
    TokenVariable,
)

__all__ = ["decrypt"]

Encryption = Annotated[
    list[str] | None,
    typer.Option(
        "--enc", metavar="NAME", help="A content encryption to accept; repeatable. All unless given."
    ),
]
Decompressed = Annotated[
    int | None,
    typer.Option("--max-decompressed", metavar="BYTES", help="Accept compressed content, up to this size."),
]
_PASSWORD_ALGORITHMS = ("PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW")


def decrypt(
    token: TokenArgument = None,
    *,
    file: TokenFile = None,
    token_env: TokenVariable = None,
    key: KeyFile = None,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    enc: Encryption = None,
    max_decompressed: Decompressed = None,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
) -> None:
    """Decrypt a token and print what is inside.

    It takes a private key, a shared secret or a password. With a key, the password is the one that the key itself is
    encrypted with.
    """
    from ...jose import Key, KeySet, jwe
    from .. import sources
    from ..errors import UsageError
    from ..key_text import load_key_set

    token = sources.or_stdin(token, file, token_env, beside=[key, password_file])
    sources.share_stdin(token, file, key, password_file)
    text = sources.read_token(token, file, token_env)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    if key is not None or key_env is not None:
        keys = load_key_set(key, key_env, alg=alg, use="enc", encoding=secret_encoding, password=password)
    elif password is not None:
        # The token may name any of these three: they differ in nothing that an attacker could use.
        names = _PASSWORD_ALGORITHMS if alg is None else (alg,)
        keys = KeySet([Key.from_password(password, name) for name in names])
    else:
        raise UsageError("Name a key (--key, --key-env) or a password (--password-env, --password-file).")
    open_token = jwe.decrypt_json if text.startswith("{") else jwe.decrypt
    opened = open_token(text, keys, enc=enc or None, max_decompressed=max_decompressed)
    _write(opened.plaintext)


def _write(plaintext: bytes) -> None:
    """Write the content as it is, but to a person only as text that cannot steer the terminal."""
    from .. import sinks
    from ..text import readable

    try:
        text = plaintext.decode("utf-8")
    except UnicodeDecodeError:
        sinks.write_octets(plaintext)
        return
    if sinks.is_terminal():
        sinks.write_text(readable(text))
    else:
        sinks.write_octets(plaintext)
