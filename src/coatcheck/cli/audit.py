"""``coatcheck audit``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import REFUSED
from .options import AsJSON

if TYPE_CHECKING:
    from ..audit.model import Report, Severity

__all__ = ["FailOn", "audit"]


class FailOn(StrEnum):
    """From which severity on the command ends with status 1."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    NEVER = "never"


File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A HAR (.har, .har.gz), headers that curl saved (-i, -v, -D), or a token; - reads standard input.",
        show_default=False,
    ),
]
FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", help="End with status 1 if a finding is as bad as this, or worse.")
]
SessionCookie = Annotated[
    list[str] | None,
    typer.Option("--session-cookie", metavar="NAME", help="A cookie that is not recognised as a session's."),
]
SignOut = Annotated[
    str | None,
    typer.Option("--sign-out", metavar="PART", help="A part of the address that signs out: /account/leave."),
]
Host = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="NAME", help="Report only on this host and those below it."),
]
AsSARIF = Annotated[bool, typer.Option("--sarif", help="Print it as SARIF 2.1.0, for code scanning.")]


def audit(
    file: File,
    *,
    fail_on: FailOnOption = FailOn.HIGH,
    session_cookie: SessionCookie = None,
    sign_out: SignOut = None,
    host: Host = None,
    as_json: AsJSON = False,
    as_sarif: AsSARIF = False,
) -> None:
    """Look through recorded traffic for mistakes with credentials.

    It reads the file and contacts nobody. Secrets are masked in all that it prints. Record from before the sign-in
    until after the sign-out, with the developer tools of any browser: network, export as HAR, with sensitive data.

    Ends with status 0 if nothing is as bad as --fail-on says, 1 if something is, 2 if the file cannot be read.
    """
    from ..audit.auditing import audit as make_report
    from ..audit.model import Options, at_least
    from ..audit.reading import MOST_OCTETS
    from .errors import UsageError
    from .options import not_empty

    if as_json and as_sarif:
        raise UsageError("Give either --json or --sarif.")
    not_empty(**{"session-cookie": session_cookie, "sign-out": sign_out, "host": host})
    options = Options(
        session_cookies=frozenset(session_cookie or ()),
        sign_out=sign_out or "",
        hosts=frozenset(name.lower() for name in host or ()),
    )
    report = make_report(_read(file, MOST_OCTETS), options, most=MOST_OCTETS)
    _show(report, file, as_json=as_json, as_sarif=as_sarif)
    if fail_on is not FailOn.NEVER and at_least(report, _severity(fail_on)):
        raise typer.Exit(REFUSED)


def _severity(fail_on: FailOn) -> Severity:
    from ..audit.model import SEVERITIES

    return next(severity for severity in SEVERITIES if severity == fail_on.value)


def _read(file: str, most: int) -> bytes:
    """Read the file, or standard input, up to what is looked at and one octet more."""
    from .errors import InputError
    from .sources import STDIN, is_terminal, named

    if file == STDIN:
        if sys.stdin is None:
            raise InputError("There is no standard input.")
        if is_terminal():
            from .notices import notice

            notice("Reading from the terminal; end with Ctrl-D on a line of its own.")
        return sys.stdin.buffer.read(most + 1)
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - a path may hold what pathlib refuses
            return opened.read(most + 1)
    except OSError as error:
        raise InputError(f"{named(file)} cannot be read: {error.strerror or 'the system refused'}.") from None
    except ValueError:
        raise InputError("The name of a file cannot contain a NUL character.") from None


def _show(report: Report, file: str, *, as_json: bool, as_sarif: bool) -> None:
    import msgspec

    from .sinks import write_text
    from .text import as_json as written

    if as_sarif:
        from importlib.metadata import version

        from ..audit.sarif import as_sarif as in_sarif

        log = in_sarif(report, file=_name(file), version=version("coatcheck"))
        write_text(written(log, indent=2))
    elif as_json:
        members = {"file": _name(file), "counts": report.counts, **msgspec.to_builtins(report)}
        write_text(written(members, indent=2))
    else:
        from .audit_report import render
        from .terminal import make_console

        render(report, _name(file), make_console())


def _name(file: str) -> str:
    """Return the name as it is shown; that of a file below the working directory without the way there."""
    import os

    if file == "-":
        return "stdin"
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        return os.path.basename(file)  # noqa: PTH119 - what pathlib refuses was read all the same
    return os.path.basename(file) if relative.startswith("..") else relative  # noqa: PTH119
