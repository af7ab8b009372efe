"""From a token that somebody pasted to what the inspector shows of it. Whatever its size, the page stays readable."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from .._core.text import shortened, spelled
from ..inspection import (
    LARGEST_COOKIE,
    LARGEST_HEADERS,
    Entry,
    HeaderView,
    Reading,
    Report,
    Weight,
)
from .pages.inspector_views import BarView, RowView, SegmentView, TableView, TokenView, VerdictView

__all__ = ["cleaned", "show"]

_LONGEST_NAME: Final = 120
_LONGEST_VALUE: Final = 2_000
_LONGEST_SEGMENT: Final = 8_192
_MOST_ROWS: Final = 200
_MOST_FINDINGS: Final = 60
_NARROW: Final = 48  # a value that is longer stands on several lines
_NEAR: Final = 0.75
_SCHEME = re.compile(r"(?:Authorization:\s*)?(?:Bearer|DPoP)\s+", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def cleaned(text: str) -> str:
    """Return a token as it was pasted, without the scheme before it and the line breaks that a terminal put in."""
    text = text.strip().removeprefix("\ufeff")
    text = text[found.end() :] if (found := _SCHEME.match(text)) else text
    return text if text.startswith(("{", "-----BEGIN ")) else _SPACE.sub("", text)


def show(text: str, *, reading: Reading, report: Report, verdict: VerdictView) -> TokenView:
    """Return what is to be shown.

    Args:
        text: The token.
        reading: The same, taken apart.
        report: What is to be said about it.
        verdict: What a verification found out.
    """
    findings = report.findings
    return TokenView(
        kind=_kind(report),
        form=report.form,
        length=report.weight.token,
        segments=_segments(text, reading),
        tables=(*_headers(report.headers), *_claims(report)),
        content=report.content,
        no_content=_no_content(report),
        verdict=verdict,
        findings=tuple(findings[:_MOST_FINDINGS]),
        more_findings=max(0, len(findings) - _MOST_FINDINGS),
        bars=_bars(report.weight),
        limits=tuple((limit, _share(limit, report.weight)) for limit in (LARGEST_COOKIE, LARGEST_HEADERS)),
        ratio=report.weight.ratio,
        megabytes=report.weight.megabytes_per_million,
    )


def _kind(report: Report) -> str:
    if any(finding.code == "unsigned" for finding in report.findings):
        return "Unsigned token"
    return "Signed token (JWS)" if report.kind == "JWS" else "Encrypted token (JWE)"


def _no_content(report: Report) -> str:
    if report.kind == "JWE":
        return "It is encrypted: only the holder of the key can read it."
    return (
        "There is none in the token: it is sent apart."
        if report.claims is None and report.content is None
        else ""
    )


def _segments(text: str, reading: Reading) -> tuple[SegmentView, ...]:
    if reading.form != "compact":
        return ()
    parts = zip(reading.segments, text.split("."), strict=True)
    return tuple(
        SegmentView(name=name, text=shortened(part, _LONGEST_SEGMENT), number=number)
        for number, (name, part) in enumerate(parts, start=1)
    )


def _headers(headers: Sequence[HeaderView]) -> list[TableView]:
    tables: list[TableView] = []
    for place, header in enumerate(headers, start=1):
        suffix = f" {place}" if len(headers) > 1 else ""
        if header.protected or not header.unprotected:
            tables.append(_table(f"Header{suffix}", header.protected, number=1))
        if header.unprotected:
            title = f"Unprotected header{suffix}, which anyone can change"
            tables.append(_table(title, header.unprotected, number=1))
    return tables


def _claims(report: Report) -> list[TableView]:
    if report.claims is None:
        return []
    meanings: Mapping[str, str] = report.meanings
    entries = [Entry(name, value, meanings.get(name, "")) for name, value in report.claims.items()]
    return [_table("Claims, readable for everybody", entries, number=2)]


def _table(title: str, entries: Sequence[Entry], *, number: int) -> TableView:
    rows = tuple(
        RowView(
            name=shortened(entry.name, _LONGEST_NAME),
            value=shortened(_value(entry.value), _LONGEST_VALUE),
            meaning=entry.meaning,
            past=entry.meaning.startswith("expired "),
        )
        for entry in entries[:_MOST_ROWS]
    )
    return TableView(title=title, number=number, rows=rows, more=max(0, len(entries) - _MOST_ROWS))


def _value(value: Any) -> str:
    """Write a value on one line if it fits there."""
    line = spelled(value)
    if not isinstance(value, (dict, list)) or not _NARROW < len(line) <= _LONGEST_VALUE:
        return line
    return json.dumps(value, ensure_ascii=False, indent=2)


def _bars(weight: Weight) -> tuple[BarView, ...]:
    session, token, line = weight.session_cookie, weight.cookie, weight.authorization
    return (
        BarView(name="A session ID as cookie", octets=session, share=_share(session, weight), tone="light"),
        BarView(
            name="This token as cookie",
            octets=token,
            share=_share(token, weight),
            tone=_tone(weight.token, LARGEST_COOKIE),
        ),
        BarView(
            name="This token as Authorization",
            octets=line,
            share=_share(line, weight),
            tone=_tone(weight.token, LARGEST_HEADERS),
        ),
    )


def _share(octets: int, weight: Weight) -> float:
    whole = max(LARGEST_HEADERS, weight.cookie, weight.authorization) * 1.02
    return round(100 * octets / whole, 2)


def _tone(octets: int, limit: int) -> Literal["fits", "near", "over"]:
    if octets > limit:
        return "over"
    return "near" if octets > limit * _NEAR else "fits"
