"""The whole file: its head with the policy, its style, and the sections one after the other."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Final

from ..model import Report
from ..plots.markup import Markup, element
from .checks import checks_section
from .leaders import leaders
from .method import claims_section, method_section, missing_section, names_section
from .parts import paragraphs
from .saying import say_count, say_octets
from .sizes import sizes_section
from .trade_off import trade_off_section
from .windows import staleness_section, windows_section

__all__ = ["render"]

_TITLE: Final = "Which one, when, and what it costs"
_HANGER: Final = (
    "M32 19v-3.2c0-2.9 5.2-3.6 5.2-8a5.2 5.2 0 0 0-10.4 0M32 19 6 35.6C3 37.5 4.3 42 7.8 42"
    "h48.4c3.5 0 4.8-4.5 1.8-6.4z"
)
_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#1d5b4c"/>'
    f'<path transform="translate(9.6 12) scale(.7 .84)" d="{_HANGER}" fill="none" stroke="#fff" stroke-width="5" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_CONTENTS: Final = (
    ("size", "Size"),
    ("check", "Check"),
    ("sign-out", "Sign-out"),
    ("permissions", "Permissions"),
    ("both", "Cost against window"),
    ("method", "Method"),
    ("missing", "Not measured"),
    ("claims", "Claims"),
    ("names", "Names"),
)


def render(report: Report) -> str:
    """Return the report as an HTML file, to be written as UTF-8.

    Nothing in it is loaded from elsewhere, and there is no script. All text of the report is escaped. The same report
    gives the same text.

    Args:
        report: What was found. Nothing in it is trusted.
    """
    sections = {
        "size": sizes_section(report),
        "check": checks_section(report),
        "sign-out": windows_section(report),
        "permissions": staleness_section(report),
        "both": trade_off_section(report),
        "method": method_section(report),
        "missing": missing_section(report),
        "claims": claims_section(report),
        "names": names_section(report),
    }
    body = element(
        "body",
        element("a", "Skip to the figures", class_="skip", href="#figures"),
        _header(report),
        element(
            "main",
            _summary(report),
            _contents([name for name, section in sections.items() if section]),
            *sections.values(),
            id="figures",
        ),
        element(
            "footer", element("p", "Made by coatcheck compare. This file loads nothing and runs no script.")
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(), body, lang='en')}\n"


def _head() -> Markup:
    style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    icon = f"data:image/svg+xml;base64,{base64.b64encode(_ICON.encode()).decode()}"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{_TITLE} \N{MIDDLE DOT} Coatcheck"),
        element("link", rel="icon", href=icon),
        element("style", Markup(style)),
    )


def _header(report: Report) -> Markup:
    machine, load = report.machine, report.load
    logo = element("svg", element("path", d=_HANGER), class_="logo", viewBox="0 0 64 48", aria_hidden="true")
    claims = "claims from a file" if report.claims.source == "a file" else "the default claims"
    facts = (
        machine.measured_at.replace("T", " ").replace("Z", " UTC"),
        machine.cpu,
        f"{claims}, {say_octets(report.claims.octets)}",
        f"{say_count(load.requests_per_second)} requests a second",
    )
    return element(
        "header",
        element("p", logo, "Coatcheck", class_="brand"),
        element("h1", _TITLE),
        element(
            "p", "Sessions and tokens side by side, measured on one machine, in one run.", class_="subtitle"
        ),
        element("ul", *(element("li", fact) for fact in facts), class_="facts-line"),
    )


def _summary(report: Report) -> Markup:
    return element(
        "section",
        element("h2", "In short", id="summary-heading"),
        leaders(report),
        paragraphs(report.summary) if report.summary else "",
        class_="summary",
        aria_labelledby="summary-heading",
    )


def _contents(names: list[str]) -> Markup:
    links = [
        element("li", element("a", title, href=f"#{name}")) for name, title in _CONTENTS if name in names
    ]
    return element("nav", element("ul", *links), aria_label="Contents")
