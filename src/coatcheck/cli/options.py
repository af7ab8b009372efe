"""The arguments that several commands share. Secrets are named (a file, a variable), never given as arguments."""

from __future__ import annotations

from typing import Annotated

import typer

from .._core.secret_encoding import SecretEncoding
from .errors import UsageError

__all__ = [
    "Algorithm",
    "AsJSON",
    "At",
    "Force",
    "KeyArgument",
    "KeyFile",
    "KeyId",
    "KeyVariable",
    "Out",
    "PasswordFile",
    "PasswordPrompt",
    "PasswordVariable",
    "SecretEncodingName",
    "TokenArgument",
    "TokenFile",
    "TokenVariable",
    "not_empty",
]


def not_empty(**named: str | list[str] | None) -> None:
    """Raise ``UsageError`` for options that are given and empty, as an unset variable of the shell leaves them."""
    for option, value in named.items():
        if value is not None and (not value or ("" in value and isinstance(value, list))):
            raise UsageError(f"--{option} is empty: leave it out, or name something.")


TokenArgument = Annotated[
    str | None,
    typer.Argument(metavar="TOKEN", help="The token; - or nothing reads standard input.", show_default=False),
]
TokenFile = Annotated[str | None, typer.Option("--file", metavar="FILE", help="Read the token from a file.")]
TokenVariable = Annotated[
    str | None,
    typer.Option("--token-env", metavar="NAME", help="Read the token from an environment variable."),
]
KeyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="JWK, JWK Set, PEM, DER or a raw secret; - reads standard input.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="FILE", help="The key: JWK, PEM, DER, or a raw secret with --alg. - is stdin."
    ),
]
KeyVariable = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="Read the key from an environment variable.")
]
Algorithm = Annotated[
    str | None,
    typer.Option("--alg", metavar="NAME", help="The key's algorithm, where the key does not name it."),
]
SecretEncodingName = Annotated[
    SecretEncoding,
    typer.Option("--secret-encoding", help="How a shared secret is written, if the key is one."),
]
KeyId = Annotated[
    str | None, typer.Option("--kid", metavar="NAME", help="The key identifier, if not the key's own.")
]
PasswordVariable = Annotated[
    str | None,
    typer.Option("--password-env", metavar="NAME", help="The password is in an environment variable."),
]
PasswordFile = Annotated[
    str | None, typer.Option("--password-file", metavar="FILE", help="The password is in a file; - is stdin.")
]
PasswordPrompt = Annotated[
    bool, typer.Option("--password-prompt", help="Ask for the password on the terminal.")
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write here, for your eyes only, not to standard output."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print it as JSON, for programs.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="As if it were that time: 2026-01-31T12:00:00Z, or seconds since 1970."
    ),
]
