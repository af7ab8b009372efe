"""``coatcheck key show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..._core.secret_encoding import SecretEncoding
from ..errors import UsageError
from ..options import (
    Algorithm,
    AsJSON,
    KeyArgument,
    KeyVariable,
    PasswordFile,
    PasswordPrompt,
    PasswordVariable,
    SecretEncodingName,
)

if TYPE_CHECKING:
    from ..key_report import KeyReport

__all__ = ["show"]

Private = Annotated[bool, typer.Option("--private", help="Print the private JWK too.")]


def show(
    source: KeyArgument = None,
    *,
    key_env: KeyVariable = None,
    alg: Algorithm = None,
    secret_encoding: SecretEncodingName = SecretEncoding.RAW,
    private: Private = False,
    password_env: PasswordVariable = None,
    password_file: PasswordFile = None,
    password_prompt: PasswordPrompt = False,
    as_json: AsJSON = False,
) -> None:
    """Show what a key or a set is and what is wrong with it.

    Private parts stay hidden without --private.
    """
    from .. import sources, times
    from ..key_report import Origin, describe
    from ..key_text import load_key_text

    sources.share_stdin(source, password_file)
    password = sources.read_password(password_env, password_file, prompt=password_prompt)
    text = load_key_text(source, key_env, alg=alg, encoding=secret_encoding, password=password, named="FILE")
    reports = describe(
        text, alg=alg, origin=Origin(source, variable=key_env, mode=_mode(source)), now=times.now()
    )
    if private and not any(report.secret for report in reports):
        raise UsageError("There are no private parts to show: leave --private out.")
    _show(reports, private=private, as_json=as_json)


def _mode(source: str | None) -> int | None:
    """Return the permissions of a key's file, if it is one."""
    from pathlib import Path

    path = None if source in {None, "-"} else Path(str(source))
    return path.stat().st_mode if path is not None and path.is_file() else None


def _show(reports: list[KeyReport], *, private: bool, as_json: bool) -> None:
    from .. import sinks
    from ..key_rendering import render
    from ..key_report import as_builtins
    from ..terminal import make_console
    from ..text import as_json as written

    if as_json:
        facts = [as_builtins(report, private=private) for report in reports]
        text = written(facts[0] if len(facts) == 1 else facts, indent=2)
        if private:
            sinks.write_secret(text.encode("ascii"))
        else:
            sinks.write_text(text)
        return
    console = make_console()
    for position, report in enumerate(reports):
        if position:
            console.print()
        render(report, console)
        if private and report.secret is not None:
            sinks.write_text("")
            sinks.write_secret(written(report.secret, indent=2).encode("ascii"))
