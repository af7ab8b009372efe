"""Runs the benchmark: ``python -m bench [WHAT ...] [--quick] [--sessions N] [--json FILE] [--markdown FILE]``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from bench import jose
from bench.faults import suite as faults
from bench.ledger import suite as ledger
from bench.provider import suite as provider
from bench.report import Report
from bench.scale import suite as scale
from bench.web import suite as web

_SUITES = {
    "jose": jose,
    "web": web,
    "ledger": ledger,
    "provider": provider,
    "scale": scale,
    "faults": faults,
}
_ON_REQUEST = {"scale", "faults"}
"""They start servers, fill disks and take twenty minutes: only for who names them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, print it and write it."""
    options = _options(arguments)
    started = time.monotonic()
    report = Report()
    for name, suite in _SUITES.items():
        is_wanted = not options.what and name not in _ON_REQUEST
        parts = [part for part in suite.PARTS if is_wanted or {part, name} & set(options.what)]
        if parts and suite is scale:
            scale.run(report, parts, quick=options.quick, sessions=options.sessions)
        elif parts:
            suite.run(report, parts, quick=options.quick)
    print(f"{time.monotonic() - started:.0f} s")
    report.write(options.json, options.markdown)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="coatcheck beside its peers")
    words = [*_SUITES, *(part for suite in _SUITES.values() for part in suite.PARTS)]
    parser.add_argument("what", nargs="*", metavar="SUITE or PART", help=f"only these: {', '.join(words)}")
    parser.add_argument("--quick", action="store_true", help="a rough run of about two minutes")
    parser.add_argument(
        "--sessions", type=int, metavar="N", help="for scale: let sessions grow up to so many"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here")
    options = parser.parse_args(arguments)
    if unknown := set(options.what).difference(words):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(words)}")
    return options


if __name__ == "__main__":
    main()
