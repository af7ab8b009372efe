"""``coatcheck token encrypt``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..options import (
    Algorithm,
    KeyFile,
    KeyId,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
    not_empty,
)

__all__ = ["encrypt"]

Content = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="What to encrypt; - or nothing reads standard input."),
]
Encryption = Annotated[
    str | None,
    typer.Option(
        "--enc", metavar="NAME", help="The content encryption; A256GCM unless the key is for another."
    ),
]
ContentType = Annotated[
    str | None, typer.Option("--cty", metavar="TYPE", help="What is inside, such as JWT for a signed token.")
]


def encrypt(
    content: Content = None,
    *,
    key: KeyFile = None,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    kid: KeyId = None,
    enc: Encryption = None,
    cty: ContentType = None,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
) -> None:
    """Encrypt content to a public key, a secret or a password.

    With a key, the password is the one that the key itself is encrypted with.
    """
    from ...jose import Key, jwe
    from .. import sources
    from ..errors import UsageError
    from ..key_text import load_key
    from ..sinks import write_text

    not_empty(kid=kid)
    content = sources.or_stdin(content, beside=[key, password_file])
    if content is None:
        raise UsageError("Name a FILE to encrypt (- for standard input).")
    sources.share_stdin(content, key, password_file)
    password = sources.read_password(
        password_env, password_file, prompt=password_prompt, confirm=not (key or key_env)
    )
    if key is not None or key_env is not None:
        recipient = load_key(
            key, key_env, alg=alg, use="enc", kid=kid, encoding=secret_encoding, password=password
        )
    elif password is not None:
        recipient = Key.from_password(password, alg or "PBES2-HS512+A256KW", kid=kid)
    else:
        raise UsageError("Name a key (--key, --key-env) or a password (--password-env, --password-file).")
    plaintext = sources.read_source(content, may_be_empty=True)
    write_text(jwe.encrypt(plaintext, recipient, enc=enc, cty=cty))
