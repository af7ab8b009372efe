"""``wrk``: 16 connections from one thread, always the same request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.web.client import UnexpectedAnswerError

CONNECTIONS = 16
_HINT = "wrk is not installed: apt-get install wrk"
_FAULTS = re.compile(r"Non-2xx or 3xx responses: .*|Socket errors: .*")
_LATENCY = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s|m)")
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Load:
    """What a server did under load."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


def find_wrk() -> str:
    """The path of wrk, installed first where this may install it."""
    if not shutil.which("wrk") and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing wrk", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "wrk"]):
            subprocess.run(command, check=False, **quiet)  # type: ignore[call-overload]  # noqa: S603 -- as above
    found = shutil.which("wrk")
    if found is None:
        raise UnexpectedAnswerError(_HINT)
    return found


def wrk(
    url: str, seconds: float, *, headers: Mapping[str, str] | None = None, script: Path | None = None
) -> Load:
    """Load a server; an answer that is no success, or none, raises."""
    command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency"]
    command += [
        "--timeout",
        "20s",
    ]  # by default 2: sixteen sign-ins at once may take longer on a busy machine
    command += [f"-H{name}: {value}" for name, value in (headers or {}).items()]
    command += [f"-s{script}"] if script else []
    return _read(_run([*command, url]))


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- built above
    if done.returncode:
        raise UnexpectedAnswerError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _read(text: str) -> Load:
    if fault := _FAULTS.search(text):
        raise UnexpectedAnswerError(fault.group())
    count = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
    within = {part: float(time) * _MILLISECONDS[unit] for part, time, unit in _LATENCY.findall(text)}
    if not count or not rate or not within.keys() >= {"50", "99"}:
        raise UnexpectedAnswerError(f"wrk said {text!r}")
    return Load(int(count[1]), float(rate[1]), within["50"], within["99"])
