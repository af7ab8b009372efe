"""``coatcheck key convert``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..options import (
    Algorithm,
    Force,
    KeyArgument,
    KeyId,
    KeyVariable,
    Out,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
    not_empty,
)
from .formats import Format

__all__ = ["convert"]

To = Annotated[Format, typer.Option("--to", help="The form to write.")]
Public = Annotated[bool, typer.Option("--public", help="Write only the public key.")]
NewVariable = Annotated[
    str | None,
    typer.Option("--new-password-env", metavar="NAME", help="Encrypt with the password in this variable."),
]
NewFile = Annotated[
    str | None,
    typer.Option("--new-password-file", metavar="FILE", help="Encrypt with the password in this file."),
]
NewPrompt = Annotated[bool, typer.Option("--new-password-prompt", help="Ask for a password to encrypt with.")]


def convert(
    source: KeyArgument = None,
    *,
    key_env: KeyVariable = None,
    to: To,
    public: Public = False,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    kid: KeyId = None,
    out: Out = None,
    force: Force = False,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
    new_password_env: NewVariable = None,
    new_password_file: NewFile = None,
    new_password_prompt: NewPrompt = False,
) -> None:
    """Convert a key between JWK, PEM and DER.

    What it is now is detected; a public key stays one. A JWK names the key's algorithm: give --alg where the source
    does not. Without a new password, a private key is written unencrypted.
    """
    from .. import sinks, sources
    from ..key_text import load_key_text
    from .formats import write_key, written

    not_empty(kid=kid)
    sources.share_stdin(source, password_file, new_password_file)
    sinks.check_target(out, force=force)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    fresh = sources.read_password(
        new_password_env, new_password_file, prompt=new_password_prompt, confirm=True, what="New password"
    )
    text = load_key_text(source, key_env, alg=alg, encoding=secret_encoding, password=password, named="FILE")
    # PEM and DER do not name the algorithm, so that there any fitting one will do.
    key = text.key(alg, use=text.likely_use if to is Format.JWK else None, kid=kid)
    private = key.is_private and not public
    octets = written(key, to, public=not private, password=fresh)
    write_key(octets, to, out=out, force=force, private=private)
