"""A network namespace for PostgreSQL, joined to the rest by a cable that can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.web.client import UnexpectedAnswerError


@dataclass(frozen=True)
class Cable:
    """The way to a namespace."""

    name: str
    near: str
    far: str
    """The two ends, as interfaces."""
    address: str
    """Of what is in there."""
    side: str
    """Another address of the same, which can be taken away from it alone."""

    @property
    def within(self) -> Sequence[str]:
        """What starts a command in there."""
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """Let nothing pass. Nobody is told: connections stay open, and are silent."""
        _run("ip", "-n", self.name, "link", "set", self.far, "down")

    def detach(self) -> None:
        """Let nothing that is sent to the other address arrive."""
        _run("ip", "-n", self.name, "address", "delete", f"{self.side}/24", "dev", self.far)

    def attach(self) -> None:
        """Let it arrive again."""
        _run("ip", "-n", self.name, "address", "add", f"{self.side}/24", "dev", self.far)

    def plug(self) -> None:
        """Let everything pass again."""
        _run("ip", "-n", self.name, "link", "set", self.far, "up")


@contextmanager
def cable() -> Iterator[Cable]:
    """Make a namespace and the way there.

    Raises:
        UnexpectedAnswerError: If that is not allowed: it needs root and ``ip``.
    """
    if shutil.which("ip") is None:
        raise UnexpectedAnswerError("there is no ip: apt-get install iproute2")
    number = os.getpid() % 250 + 1
    addresses = (f"10.213.{number}.2", f"10.213.{number}.3")
    found = Cable(f"coatcheck-{os.getpid()}", f"ccn{number}", f"ccf{number}", *addresses)
    _run("ip", "netns", "add", found.name)
    try:
        _run("ip", "link", "add", found.near, "type", "veth", "peer", "name", found.far, "netns", found.name)
        _run("ip", "address", "add", f"10.213.{number}.1/24", "dev", found.near)
        _run("ip", "link", "set", found.near, "up")
        _run("ip", "-n", found.name, "address", "add", f"{found.address}/24", "dev", found.far)
        _run("ip", "-n", found.name, "link", "set", "lo", "up")
        found.plug()
        found.attach()
        yield found
    finally:
        subprocess.run(["ip", "link", "delete", found.near], capture_output=True, check=False)  # noqa: S603, S607
        subprocess.run(["ip", "netns", "delete", found.name], capture_output=True, check=False)  # noqa: S603, S607


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- of this file
    if done.returncode:
        raise UnexpectedAnswerError(f"{' '.join(command)}: {done.stderr.strip()}")
