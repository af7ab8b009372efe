"""``coatcheck key generate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..options import Force, KeyId, Out, PasswordFile, PasswordPrompt, PasswordVariable, not_empty
from .formats import Format

if TYPE_CHECKING:
    from ...jose import Key

__all__ = ["generate"]

Name = Annotated[str, typer.Argument(metavar="ALG", help="What the key is for, such as ES256.")]
Curve = Annotated[
    str | None,
    typer.Option("--crv", metavar="CURVE", help="For ECDH-ES: P-256, P-384, P-521, X25519 or X448."),
]
Bits = Annotated[
    int | None, typer.Option("--bits", metavar="N", help="For RSA: the size; 3072 unless given.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write it.")]
PublicOut = Annotated[
    str | None, typer.Option("--public-out", metavar="FILE", help="Write the public key here as well.")
]


def generate(
    alg: Name,
    *,
    kid: KeyId = None,
    crv: Curve = None,
    bits: Bits = None,
    form: FormatOption = Format.JWK,
    out: Out = None,
    public_out: PublicOut = None,
    force: Force = False,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
) -> None:
    """Make a new key for one algorithm.

    PEM and DER can be encrypted with a password. The algorithms:

    \b
    sign     HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512,
             ES256, ES384, ES512, ES256K, Ed25519, Ed448,
             ML-DSA-44, ML-DSA-65, ML-DSA-87
    encrypt  RSA-OAEP, RSA-OAEP-256, RSA-OAEP-384, RSA-OAEP-512,
             ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A192KW, ECDH-ES+A256KW,
             A128KW, A192KW, A256KW, A128GCMKW, A192GCMKW, A256GCMKW,
             A128GCM, A192GCM, A256GCM,
             A128CBC-HS256, A192CBC-HS384, A256CBC-HS512
    """  # noqa: D301 - the mark that keeps the lines of the table
    from ...jose import Key
    from .. import sinks, sources
    from ..interruption import ends_at_once
    from ..notices import notice
    from .formats import write_key

    not_empty(kid=kid)
    if out is not None and out == public_out:
        raise UsageError("--out and --public-out name the same file.")
    for target in (out, public_out):
        sinks.check_target(target, force=force)
    password = sources.read_password(password_env, password_file, prompt=password_prompt, confirm=True)
    with ends_at_once():
        key = Key.generate(alg, kid=kid, crv=crv, bits=bits)
    if key.algorithm.deprecated is not None:
        notice(f"{alg} is deprecated: {key.algorithm.deprecated}.")
    private, public = _both(key, form, password=password, with_public=public_out is not None)
    if public_out is not None:
        sinks.write_file(public_out, public, private=False, force=force)
    write_key(private, form, out=out, force=force, private=True)


def _both(key: Key, form: Format, *, password: bytes | None, with_public: bool) -> tuple[bytes, bytes]:
    """Write both halves in memory first, so that nothing is left behind if one of them cannot be."""
    from .formats import written

    return written(key, form, password=password), written(key, form, public=True) if with_public else b""
