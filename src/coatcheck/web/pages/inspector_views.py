"""What the token inspector shows, as values. All text in them is foreign: templates show it through ``pieces``."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...inspection.model import Finding
from .views import View

__all__ = [
    "BarView",
    "FilledView",
    "InspectorView",
    "RowView",
    "SegmentView",
    "StepView",
    "TableView",
    "TokenView",
    "VerdictView",
]


class SegmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the token's text.

    Attributes:
        name: What it is: ``header``, ``payload``.
        text: The part, perhaps shortened.
        number: Its place, from 1, which gives it its colour.
    """

    name: str
    text: str
    number: int


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """A header parameter or a claim.

    Attributes:
        name: Its name.
        value: Its value as JSON.
        meaning: What it means, in a few words; ``""`` if that is unknown here.
        past: Whether it says that the token has ended.
    """

    name: str
    value: str
    meaning: str = ""
    past: bool = False


class TableView(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters or claims.

    Attributes:
        title: What they are.
        number: The place of the part that they stand in, which gives them its colour.
        rows: They themselves.
        more: How many there are that are not shown.
    """

    title: str
    number: int
    rows: tuple[RowView, ...]
    more: int = 0


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One check.

    Attributes:
        check: What was checked.
        status: How it went.
        message: What was found, and for a failure what would pass.
    """

    check: str
    status: Literal["ok", "failed", "not checked", "not reached"]
    message: str


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found out.

    Attributes:
        status: ``valid`` if every check that was made passed; ``open`` if none was made.
        title: That in a few words.
        text: What it means and what it does not, or what is needed.
        notes: More to know about the key.
        steps: The checks in order.
        choices: The algorithms to choose from, where the key does not say which.
    """

    status: Literal["valid", "refused", "open"]
    title: str
    text: str
    notes: tuple[str, ...] = ()
    steps: tuple[StepView, ...] = ()
    choices: tuple[str, ...] = ()


class BarView(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent with each request.

    Attributes:
        name: What it is.
        octets: How many bytes.
        share: Their share of the whole width, in percent.
        tone: Whether it is within the limits, near, or over one.
    """

    name: str
    octets: int
    share: float
    tone: Literal["light", "fits", "near", "over"]


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token, looked into.

    Attributes:
        kind: What it is, in a few words.
        form: Its serialisation.
        length: Its characters.
        segments: The parts of a compact token.
        tables: Its headers and claims.
        content: The payload, if it is anything else than claims; ``None`` if there is none to be seen.
        no_content: Why there is nothing to be seen; ``""`` if there is.
        verdict: What a verification found out.
        findings: What to know, and what to do; the worst first.
        more_findings: How many there are that are not shown.
        bars: What it costs to carry.
        limits: The largest cookie and the largest headers: bytes, and the place in percent of the bars' width.
        ratio: How many times a session cookie it is, as a cookie.
        megabytes: What a million requests carry, with the token and with a session identifier.
    """

    kind: str
    form: str
    length: int
    segments: tuple[SegmentView, ...]
    tables: tuple[TableView, ...]
    content: str | None
    no_content: str
    verdict: VerdictView
    findings: tuple[Finding, ...]
    more_findings: int
    bars: tuple[BarView, ...]
    limits: tuple[tuple[int, float], ...]
    ratio: float
    megabytes: tuple[float, float]


class FilledView(msgspec.Struct, frozen=True, kw_only=True):
    """What was filled in, to be shown again in its fields. The key is not, if it is a secret or private."""

    token: str = ""
    key: str = ""
    alg: str = ""
    encoding: str = ""
    issuer: str = ""
    audience: str = ""
    typ: str = ""


class InspectorView(View, frozen=True, kw_only=True):
    """Development only: the token inspector, at ``{prefix}/dev/token``.

    Attributes:
        issuer: What this server names itself in tokens.
        algorithms: The algorithms that signatures can be verified by.
        asked: What was filled in.
        trouble: Why the text is no token; ``""`` if it is one, or nothing was asked.
        token: The token, looked into; ``None`` if there is none.
    """

    issuer: str
    algorithms: tuple[str, ...]
    asked: FilledView = FilledView()
    trouble: str = ""
    token: TokenView | None = None
