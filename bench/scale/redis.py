"""A real Redis, which keeps nothing when it ends."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from bench.ledger.site import free_port
from bench.scale.processes import Program
from bench.web.client import UnexpectedAnswerError

_PATIENCE = 10.0
_PROCESSED = "total_commands_processed:"


class Redis(Program):
    """A Redis server."""

    def __init__(self, directory: Path) -> None:
        """Take where it lives."""
        super().__init__("redis", directory)
        self.port = free_port()

    def start(self) -> None:
        """Start it, empty; returns when it answers."""
        binary = shutil.which("redis-server")
        if binary is None:
            raise UnexpectedAnswerError("Redis is not installed: apt-get install redis-server")
        self.directory.mkdir(parents=True, exist_ok=True)
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory)]
        self.launch([binary, *where, "--save", "", "--appendonly", "no"])
        self.until(self.accepts)

    @property
    def url(self) -> str:
        """The address for nodes."""
        return f"redis://127.0.0.1:{self.port}/0"

    def accepts(self) -> bool:
        """Whether it takes commands."""
        try:
            return self._ask("PING").startswith("+PONG")
        except OSError:
            return False

    def commands(self) -> int:
        """How many it has run, those of scripts included; but for the one that asks."""
        lines = self._ask("INFO stats").splitlines()
        return int(next(line for line in lines if line.startswith(_PROCESSED)).removeprefix(_PROCESSED))

    def _ask(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
            connection.sendall(f"{command}\r\nQUIT\r\n".encode())
            found = b""
            while chunk := connection.recv(65_536):
                found += chunk
        return found.decode()
