"""A program under test, running: one process of its own, with its core to itself while it is measured."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from bench.web import client, cores
from bench.web.contenders import Program
from bench.web.environment import CHILD, Environment

_START_LIMIT = 30.0
_POLL = 0.002
_STOP_LIMIT = 10.0


class Server:
    """A running server. Made by ``running``."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
        self.process = process
        self.port = port
        self.directory = directory

    @property
    def url(self) -> str:
        """The protected route."""
        return f"http://127.0.0.1:{self.port}/me"

    def resident(self) -> int:
        """Bytes of the process in memory."""
        statm = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def processor_ns(self) -> int:
        """Nanoseconds of processor time that it has taken, in all of its threads that still run."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((each / "schedstat").read_text(encoding="ascii").split()[0]) for each in threads)

    def pause(self) -> None:
        """Let it use no processor at all."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def wait(self, path: str = "/me", headers: Mapping[str, str] | None = None) -> client.Answer:
        """Return the first answer, whatever it says."""
        limit = time.monotonic() + _START_LIMIT
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise client.UnexpectedAnswerError(self._last_words())
            try:
                return client.get(self.port, path, headers)
            except (OSError, HTTPException):
                time.sleep(_POLL)
        raise client.UnexpectedAnswerError(f"no answer within {_START_LIMIT:.0f} s")

    def stop(self) -> None:
        """End it."""
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        lines = _log(self.directory).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"it ended: {lines[-1]}" if lines else f"it ended with {self.process.returncode}"


@contextmanager
def running(program: Program, directory: Path, environment: Environment) -> Iterator[Server]:
    """Start a program in a directory that is its own, and stop it in the end."""
    server = start(program, directory, environment)
    try:
        yield server
    finally:
        server.stop()


def start(program: Program, directory: Path, environment: Environment) -> Server:
    """Start a program; it may not listen yet."""
    if program.distribution in environment.failures:
        raise client.UnexpectedAnswerError(environment.failures[program.distribution])
    python = str(environment.python) if program.distribution else sys.executable
    port = _free_port()
    command = [python, "-W", "ignore", "-m", "bench.web.serve", program.server, program.factory, str(port)]
    with _log(directory).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- runs this interpreter, or the peers', on bench.web.serve
            command, cwd=directory, env=CHILD, stdout=log, stderr=log
        )
    cores.give_to_server(process.pid)
    return Server(process, port, directory)


def _log(directory: Path) -> Path:
    return directory / "server.log"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
