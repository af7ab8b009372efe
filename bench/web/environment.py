"""The peers' own environment, ``build/bench-peers``: made on demand, so that peers never get into the project's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATH = os.environ.get("PYTHONPATH")
CHILD = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{_PATH}" if _PATH else str(ROOT)}
"""For a process that runs a part of the benchmark in another directory."""
_DIRECTORY = ROOT / "build" / "bench-peers"
_STAMP = "bench.json"
_SHARED = ("fastapi", "httptools", "pydantic", "starlette", "uvicorn", "uvloop")
"""Held at the versions of the project's environment, so that the peers stand on the same ground."""

PEERS: Mapping[str, Sequence[str]] = {
    "fastapi-users": ("fastapi-users[sqlalchemy]>=15", "aiosqlite"),
    "better-auth-server": ("better-auth-server[fastapi,sqlalchemy]>=1.1", "aiosqlite"),
    "django": ("django>=5.1", "waitress"),
    "flask-session": ("flask-session>=0.8", "flask-sqlalchemy>=3.1", "waitress"),
    "itsdangerous": ("itsdangerous>=2.2", "starlette"),
}
"""By the name that the programs give: what to install."""


@dataclass(frozen=True)
class Environment:
    """An interpreter that has the peers."""

    python: Path
    failures: Mapping[str, str]
    """By distribution: why it could not be installed."""
    versions: Mapping[str, str]


def prepare(peers: Mapping[str, Sequence[str]] = PEERS, *, directory: Path = _DIRECTORY) -> Environment:
    """Make the environment, or take the one that is there if it was made of the same things."""
    wanted = {"python": sys.version, "peers": {name: list(what) for name, what in peers.items()}}
    wanted["shared"] = _shared_versions()
    python, stamp = directory / "bin" / "python", directory / _STAMP
    if not stamp.exists() or json.loads(stamp.read_text(encoding="utf-8")) != wanted:
        print(f"Installing the peers into {directory.relative_to(ROOT)}, once", flush=True)
        failures = _make(peers, directory, _shared_versions())
        if not failures:
            stamp.write_text(json.dumps(wanted), encoding="utf-8")
    else:
        failures = {}
    return Environment(python, failures, _versions(python))


def _make(peers: Mapping[str, Sequence[str]], directory: Path, shared: Mapping[str, str]) -> dict[str, str]:
    shutil.rmtree(directory, ignore_errors=True)
    try:
        _run(str(ROOT / "scripts" / "venv"), sys.executable, str(directory))
    except subprocess.CalledProcessError as error:
        return dict.fromkeys(peers, _last_line(error))
    constraints = directory / "constraints.txt"
    constraints.write_text("".join(f"{name}=={held}\n" for name, held in shared.items()), encoding="utf-8")
    pip = (
        str(directory / "bin" / "pip"),
        "install",
        "--quiet",
        "--retries",
        "1",
        "--constraint",
        str(constraints),
    )
    _attempt(pip, ("uvicorn", "uvloop", "httptools"))
    failures = {name: _attempt(pip, requirements) for name, requirements in peers.items()}
    return {name: why for name, why in failures.items() if why}


def _attempt(pip: Sequence[str], requirements: Sequence[str]) -> str:
    """Install; returns why it failed, or nothing."""
    try:
        _run(*pip, *requirements)
    except subprocess.CalledProcessError as error:
        return _last_line(error)
    return ""


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- this file's own
    return done.stdout


def _last_line(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in str(error.stderr).splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else str(error)


def _shared_versions() -> dict[str, str]:
    found = {}
    for name in _SHARED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # the programs that need it will say so
    return found


_LIST = """\
import json, sys
from importlib.metadata import distributions
print(json.dumps({found.name.lower(): found.version for found in distributions()}))
"""


def _versions(python: Path) -> dict[str, str]:
    if not python.exists():
        return {}
    found: dict[str, str] = json.loads(_run(str(python), "-c", _LIST))
    return found
