"""A network that can be cut: a namespace of its own, in which there is nothing but the loopback.

Server, verifiers and whoever revokes all run in it. While the loopback is down nothing passes, and connections that are
open stay open. It needs root and ``ip``. Where it cannot be had, the server is stopped (``SIGSTOP``) instead: for a
verifier that looks alike.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.ledger.site import Site

STOPPED = "the server was stopped (SIGSTOP)"
NAMESPACE = "a network namespace whose loopback was down"


@contextmanager
def namespace() -> Iterator[tuple[Sequence[str], str]]:
    """Make a namespace; gives the command that starts something in it, and how the network will be cut."""
    name, ip = f"coatcheck-bench-{os.getpid()}", shutil.which("ip")
    if ip is None or _run(ip, "netns", "add", name) or _run(ip, "-n", name, "link", "set", "lo", "up"):
        yield (), STOPPED
        return
    try:
        yield (ip, "netns", "exec", name), NAMESPACE
    finally:
        _run(ip, "netns", "delete", name)


def cut(site: Site, how: str) -> None:
    """Let nothing pass between the server and anybody."""
    if how == STOPPED:
        site.send_signal(signal.SIGSTOP)
    elif _run("ip", "link", "set", "lo", "down"):
        raise OSError("the loopback cannot be taken down")


def mend(site: Site, how: str) -> None:
    """Let everything pass again."""
    if how == STOPPED:
        site.send_signal(signal.SIGCONT)
    elif _run("ip", "link", "set", "lo", "up"):
        raise OSError("the loopback cannot be brought up")


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 -- of this file
