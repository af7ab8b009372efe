"""``coatcheck token inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ..._core.secret_encoding import SecretEncoding
from ..failures import IMPOSSIBLE, complain
from ..options import (
    Algorithm,
    AsJSON,
    At,
    KeyFile,
    KeyVariable,
    SecretEncodingName,
    TokenArgument,
    TokenFile,
    TokenVariable,
)

if TYPE_CHECKING:
    from ...inspection.model import Report

__all__ = ["inspect"]


def inspect(
    token: TokenArgument = None,
    *,
    file: TokenFile = None,
    token_env: TokenVariable = None,
    key: KeyFile = None,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    at: At = None,
    as_json: AsJSON = False,
) -> None:
    """Show what a token says and what is wrong with it.

    Nothing is verified, sent or fetched. Takes any JWS or JWE, compact or JSON, also behind "Bearer". With --key, the
    key's strength is judged too.
    """
    from ...inspection import inspect as make_report
    from ...jose.errors import MalformedTokenError
    from .. import sources, times
    from ..key_text import in_arguments, load_key_text

    token = sources.or_stdin(token, file, token_env, beside=[key])
    sources.share_stdin(token, file, key)
    text = sources.read_token(token, file, token_env)
    given = load_key_text(key, key_env, alg=alg, encoding=secret_encoding) if key or key_env else None
    try:
        with in_arguments():
            report = make_report(text, times.now(at), key=given)
    except MalformedTokenError as error:
        complain(error.message, error.code)
        raise typer.Exit(IMPOSSIBLE) from None
    _show(report, as_json=as_json)


def _show(report: Report, *, as_json: bool) -> None:
    import msgspec

    from ..sinks import write_text
    from ..terminal import make_console
    from ..text import as_json as written
    from ..token_rendering import render

    if as_json:
        write_text(written(msgspec.to_builtins(report), indent=2))
    else:
        render(report, make_console())
