"""``coatcheck doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .configured import Config
from .failures import REFUSED
from .options import AsJSON

if TYPE_CHECKING:
    from ..server.doctor import Finding

__all__ = ["doctor"]

URL = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="ORIGIN", help="Also ask the running deployment there.", show_default=False
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option("--prefix", metavar="PATH", help="Where its pages are, if not as the settings say."),
]


def doctor(*, url: URL = None, prefix: Prefix = None, as_json: AsJSON = False, config: Config = None) -> None:
    """Explain what is wrong with a deployment.

    It looks at the settings, files and keys; with --url also at cookies, proxy, certificate and clock.

    Ends with status 0 if nothing is wrong, 1 if something is.
    """
    import asyncio

    from . import times
    from .configured import need_server

    need_server()
    from ..server.doctor import ask_deployment, collect_facts, diagnose

    facts = asyncio.run(collect_facts(config=config))
    if url is not None:
        import msgspec

        below = prefix or ("/auth" if facts.settings is None else facts.settings.prefix)
        answers = ask_deployment(_origin(url), prefix=below, clock=times.now)
        facts = msgspec.structs.replace(facts, answers=answers)
    findings = diagnose(facts, now=times.now())
    _show(findings, as_json=as_json)
    if any(finding.level == "fault" for finding in findings):
        raise typer.Exit(REFUSED)


def _origin(url: str) -> str:
    from ..server.setting_forms import origin
    from .errors import UsageError

    try:
        return origin(url)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _show(findings: list[Finding], *, as_json: bool) -> None:
    import msgspec

    from .sinks import write_text
    from .text import as_json as written

    if as_json:
        write_text(written(msgspec.to_builtins(findings), indent=2))
    elif findings:
        _render(findings)
    else:
        write_text("Nothing is wrong.")


def _render(findings: list[Finding]) -> None:
    from rich.text import Text

    from .findings import FINDING_STYLES
    from .terminal import cell, grid, make_console, symbols_for

    console = make_console()
    symbols = symbols_for(console)
    signs = {"fault": symbols.failed, "warning": symbols.warning, "note": symbols.note}
    styles = {**FINDING_STYLES, "fault": FINDING_STYLES["danger"]}
    rows: list[tuple[Text | str, ...]] = []
    for finding in findings:
        rows.append((Text(signs[finding.level], style=styles[finding.level]), cell(finding.title, "bold")))
        rows.append(("", cell(finding.explanation)))
        rows.append((Text(symbols.fix, style="dim"), cell(finding.fix, "dim")))
    console.print(grid(rows))
