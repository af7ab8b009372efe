"""The distribution of delays as a picture: an SVG that needs nothing else, and can be read on light and dark ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bench.ledger.delay import Delays, quantile

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 30, 50
_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
_STEPS = 400
_COLOURS = (("#1f6feb", "#6cb0ff"), ("#b35900", "#f0a050"), ("#1a7f37", "#56d364"))
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.grid { stroke: #24292f; stroke-opacity: 0.15 }
.limit { stroke: #cf222e; stroke-dasharray: 4 4 }
.curve { fill: none; stroke-width: 2.5 }
"""
_DARK = """\
text { fill: #e6edf3 }
.grid { stroke: #e6edf3 }
.limit { stroke: #ff7b72 }
"""


def write(file: Path, runs: Sequence[Delays], *, limits: Sequence[float]) -> None:
    """Draw what part of all refusals had come after how many milliseconds, a curve for each run."""
    least = min(run.delays_ms[0] for run in runs)
    most = max(run.delays_ms[-1] for run in runs)
    low, high = 10 ** math.floor(math.log10(least)), max(most, *limits) * 1.1
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(milliseconds: float) -> float:
        return _LEFT + width * math.log(max(milliseconds, low) / low) / math.log(high / low)

    def up(share: float) -> float:
        return _TOP + height * (1 - share)

    parts = [f'<text x="{_LEFT}" y="18">Refusals that have come, of all, after so many milliseconds</text>']
    for share in _SHARES:
        y = up(share)
        parts += [
            f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + width}" y2="{y:.1f}"/>',
            *(
                [f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>']
                if share != 0.99
                else []
            ),
        ]
    for milliseconds in _ticks(low, high):
        x = across(milliseconds)
        parts += [
            f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + height}"/>',
            f'<text x="{x:.1f}" y="{_TOP + height + 18}" text-anchor="middle">{milliseconds:g}</text>',
        ]
    for limit in limits:
        x = across(limit)
        parts.append(f'<line class="limit" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + height}"/>')
    for number, run in enumerate(runs):
        points = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in _curve(run.delays_ms))
        parts += [
            f'<polyline class="curve c{number}" points="{points}"/>',
            (
                f'<text class="t{number}" x="{_LEFT + width}" y="{_TOP + height - 12 - 18 * number}" '
                f'text-anchor="end">{run.verifiers} verifier{"s" if run.verifiers > 1 else ""}: half within '
                f"{quantile(run.delays_ms, 0.5):.1f}, 99 % within {quantile(run.delays_ms, 0.99):.1f}</text>"
            ),
        ]
    parts.append(
        f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 10}" text-anchor="middle">'
        "milliseconds from the call to sign out to the refusal; dashed: the targets</text>"
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_document(parts), encoding="utf-8")


def _document(parts: Sequence[str]) -> str:
    light, dark = (
        "".join(
            f".c{number} {{ stroke: {pair[ground]} }} .t{number} {{ fill: {pair[ground]} }}\n"
            for number, pair in enumerate(_COLOURS)
        )
        for ground in (0, 1)
    )
    style = f"{_STYLE}{light}@media (prefers-color-scheme: dark) {{\n{_DARK}{dark}}}\n"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="Distribution of the time from a revocation to its refusal">'
    )
    return "\n".join((head, f"<style>\n{style}</style>", *parts, "</svg>", ""))


def _curve(ordered: list[float]) -> list[tuple[float, float]]:
    """Return points of the distribution, closer where it matters."""
    shares = [number / _STEPS for number in range(_STEPS + 1)]
    return [(quantile(ordered, share), share) for share in shares]


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        step * 10.0**decade for decade in decades for step in (1, 2, 5) if low <= step * 10.0**decade <= high
    ]
