"""``coatcheck token sign``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..._core.secret_encoding import SecretEncoding
from ..errors import InputError, UsageError
from ..options import (
    Algorithm,
    At,
    KeyFile,
    KeyId,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
    not_empty,
)

__all__ = ["sign"]

NoIssuer = Annotated[bool, typer.Option("--no-issuer", help="The token shall not say who issues it.")]
Issuer = Annotated[str | None, typer.Option("--issuer", metavar="NAME", help="Who issues the token (iss).")]
Subject = Annotated[str | None, typer.Option("--subject", metavar="NAME", help="Whom it is about (sub).")]
Audience = Annotated[
    list[str] | None,
    typer.Option("--audience", metavar="NAME", help="For whom it is meant (aud); repeatable."),
]
Lifetime = Annotated[
    str, typer.Option("--lifetime", metavar="SPAN", help="How long it lives, such as 5m or 1h.")
]
Claim = Annotated[
    list[str] | None,
    typer.Option(
        "--claim", metavar="NAME=VALUE", help="One more claim, its value JSON or else text; repeatable."
    ),
]
ClaimsFile = Annotated[
    str | None, typer.Option("--claims", metavar="FILE", help="More claims, a JSON object; - is stdin.")
]
Type = Annotated[str, typer.Option("--typ", metavar="TYPE", help="The kind of token, such as at+jwt.")]


def sign(
    *,
    key: KeyFile = None,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    kid: KeyId = None,
    issuer: Issuer = None,
    no_issuer: NoIssuer = False,
    subject: Subject = None,
    audience: Audience = None,
    lifetime: Lifetime = "5m",
    claim: Claim = None,
    claims: ClaimsFile = None,
    typ: Type = "JWT",
    at: At = None,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
) -> None:
    """Sign claims and print the token.

    It gets iat and exp, and what is named here.
    """
    from ...jose import jwt
    from .. import sources, times
    from ..key_text import load_key
    from ..sinks import write_text

    not_empty(kid=kid, issuer=issuer, audience=audience)
    sources.share_stdin(key, claims, password_file)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    signing_key = load_key(
        key, key_env, alg=alg, use="sig", kid=kid, encoding=secret_encoding, password=password
    )
    stated = collect_claims(
        claim or [], None if claims is None else sources.read_source(claims), subject=subject
    )
    if (issuer is not None or "iss" in stated) is no_issuer:
        raise UsageError("Name the issuer with --issuer, or say --no-issuer.")
    several = audience if audience is None or len(audience) > 1 else audience[0]
    signer = jwt.Signer(
        signing_key, issuer=issuer, audience=several, typ=typ, lifetime=times.parse_span(lifetime)
    )
    write_text(signer.sign(stated, now=times.now(at)))


def collect_claims(pairs: list[str], document: bytes | None, *, subject: str | None) -> dict[str, Any]:
    """Put claims together from ``NAME=VALUE`` and a JSON object. No claim may be given twice.

    Raises:
        InputError: If the document is no JSON object.
        UsageError: If a pair is none, or a claim is given twice.
    """
    collected = {} if document is None else _document(document)
    named = [_pair(pair) for pair in pairs] + ([] if subject is None else [("sub", subject)])
    for name, value in named:
        if name in collected:
            raise UsageError(f"The claim {name!r} is given twice.")
        collected[name] = value
    return collected


def _document(octets: bytes) -> dict[str, Any]:
    from ..._core.json import JSONError, decode_object

    try:
        return decode_object(octets, max_depth=32)
    except JSONError as error:
        raise InputError(f"The claims cannot be read: {error}.") from None


def _pair(pair: str) -> tuple[str, Any]:
    name, separator, text = pair.partition("=")
    if not separator or not name:
        raise UsageError("A claim is given as NAME=VALUE.")
    try:
        return name, json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return name, text


def _no_number(constant: str) -> None:
    """Take ``NaN`` and ``Infinity``, which are no JSON, for text."""
    raise ValueError(constant)
