"""``coatcheck token verify``."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..failures import REFUSED
from ..options import (
    Algorithm,
    AsJSON,
    At,
    KeyFile,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
    TokenArgument,
    TokenFile,
    TokenVariable,
    not_empty,
)

if TYPE_CHECKING:
    from ...inspection.verification import Outcome, Wish

__all__ = ["verify"]

KeySetFile = Annotated[
    str | None, typer.Option("--jwks", metavar="FILE", help="The issuer's JWK Set; - is stdin.")
]
Issuer = Annotated[
    str | None,
    typer.Option("--issuer", metavar="NAME", help="Who must have issued it. Unless given: it names nobody."),
]
Audience = Annotated[
    list[str] | None,
    typer.Option(
        "--audience", metavar="NAME", help="Who you are; repeatable. Unless given: it names nobody."
    ),
]
Type = Annotated[str, typer.Option("--typ", metavar="TYPE", help="The kind of token, such as at+jwt.")]
Require = Annotated[
    list[str] | None,
    typer.Option("--require", metavar="CLAIM", help="A claim that must be there; repeatable."),
]
NoExpiry = Annotated[bool, typer.Option("--allow-no-expiry", help="Accept a token that never ends (no exp).")]
Leeway = Annotated[str, typer.Option("--leeway", metavar="SPAN", help="By how much clocks may differ.")]

_OPTIONS: dict[Wish, str] = {
    "type": "pass --typ {}",
    "issuer": "pass --issuer {}",
    "audience": "pass --audience {}",
    "past": "pass --at with an earlier time",
    "leeway": "raise --leeway",
}


def _option_for(wish: Wish, value: str) -> str:
    """Say which option of ``coatcheck token verify`` tells it what would pass."""
    return _OPTIONS[wish].format(quote(value))


def verify(
    token: TokenArgument = None,
    *,
    file: TokenFile = None,
    token_env: TokenVariable = None,
    key: KeyFile = None,
    jwks: KeySetFile = None,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    issuer: Issuer = None,
    audience: Audience = None,
    typ: Type = "JWT",
    require: Require = None,
    allow_no_expiry: NoExpiry = False,
    leeway: Leeway = "10s",
    at: At = None,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
    as_json: AsJSON = False,
) -> None:
    """Verify a token: which check failed, and what would pass.

    Ends with status 0 if the token is valid, 1 if it is refused, 2 if that could not be found out.
    """
    from ...inspection.verification import verify_in_steps
    from ...jose import jwt
    from .. import sources, times
    from ..key_text import load_key_set

    not_empty(issuer=issuer, audience=audience)
    token = sources.or_stdin(token, file, token_env, beside=[key, jwks, password_file])
    sources.share_stdin(token, file, key, jwks, password_file)
    sources.one_of([("--key", key), ("--jwks", jwks), ("--key-env", key_env)])
    text = sources.read_token(token, file, token_env)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    keys = load_key_set(key or jwks, key_env, alg=alg, use="sig", encoding=secret_encoding, password=password)
    verifier = jwt.Verifier(
        keys,
        issuer=issuer,
        audience=audience or None,
        typ=typ,
        require={*(require or []), *(() if allow_no_expiry else ("exp",))},
        leeway=times.parse_span(leeway),
    )
    outcome = verify_in_steps(text, verifier, keys=keys, now=times.now(at), hint=_option_for)
    _show(outcome, as_json=as_json)
    if not outcome.valid:
        raise typer.Exit(REFUSED)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    import msgspec

    from ..sinks import write_text
    from ..terminal import make_console
    from ..text import as_json as written
    from ..verdict import render

    if as_json:
        write_text(written(msgspec.to_builtins(outcome), indent=2))
    else:
        render(outcome, make_console())
