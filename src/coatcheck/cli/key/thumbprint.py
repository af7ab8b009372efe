"""``coatcheck key thumbprint``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..options import (
    Algorithm,
    KeyArgument,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
)

__all__ = ["thumbprint"]


class Hash(StrEnum):
    """The hash functions of RFC 9278."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


AsURI = Annotated[bool, typer.Option("--uri", help="As a URI (RFC 9278).")]
HashName = Annotated[Hash, typer.Option("--hash", help="The hash function.")]


def thumbprint(
    source: KeyArgument = None,
    *,
    key_env: KeyVariable = None,
    uri: AsURI = False,
    hash_name: HashName = Hash.SHA256,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
) -> None:
    """Print the thumbprint of a key (RFC 7638).

    It is the same for the private and the public half, in any form.
    """
    from .. import sources
    from ..key_text import load_key
    from ..notices import notice
    from ..sinks import write_text

    sources.share_stdin(source, password_file)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    key = load_key(
        source,
        key_env,
        alg=alg,
        use=None,
        encoding=secret_encoding,
        password=password,
        named="FILE",
    )
    if key.is_symmetric:
        notice("The thumbprint of a secret helps to guess it: keep it as secret.")
    write_text(key.thumbprint_uri(hash_name.value) if uri else key.thumbprint(hash_name.value))
