"""The machine and the versions: without them a figure means nothing."""

from __future__ import annotations

import hmac
import os
import platform
import ssl
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cryptography.hazmat.backends.openssl.backend import backend

from bench.harness import Contender, Effort, Timing, race

_OURS = ("coatcheck", "cryptography", "msgspec")
_PEERS = ("PyJWT", "joserfc", "jwcrypto", "Authlib", "python-jose")


def machine_facts() -> dict[str, str]:
    """What this run ran on."""
    return {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} logical",
        "load": _load(),
        "system": platform.platform(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "OpenSSL": f"{backend.openssl_version_text()} in cryptography; {ssl.OPENSSL_VERSION} in Python",
        "ours": versions(_OURS),
        "peers": versions(_PEERS),
    }


def bare_hmac(effort: Effort) -> Timing:
    """HMAC-SHA256 of 400 bytes with the standard library: the yardstick for this machine's speed."""
    key = bytes(32)
    messages = [bytes([number]) * 400 for number in range(16)]

    def digest(message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")

    return race([Contender("hmac.digest", digest, messages)], effort)[0]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _load() -> str:
    try:
        minute, *_ = os.getloadavg()
    except (AttributeError, OSError):
        return "unknown"
    return f"{minute:.2f} over the last minute, before the run"


def versions(distributions: Sequence[str]) -> str:
    """The installed versions, in words."""
    return ", ".join(f"{name} {_version(name)}" for name in distributions)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
