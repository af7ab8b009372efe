"""Starting a server under test: one process, its core to itself while it is measured."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ledger.site import free_port
from bench.provider.contender import Contender
from bench.web import cores
from bench.web.client import UnexpectedAnswerError
from bench.web.environment import CHILD
from bench.web.server import Server


@contextmanager
def running(contender: Contender, directory: Path) -> Iterator[Server]:
    """Start a server in a directory of its own, wait until it answers, and stop it in the end.

    Raises:
        UnexpectedAnswerError: If it cannot be had, or does not start.
    """
    if contender.failure:
        raise UnexpectedAnswerError(contender.failure)
    directory.mkdir()
    port = free_port()
    contender.prepare(directory, port)
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - what the contender names
            contender.command(directory, port),
            cwd=directory,
            env=CHILD | dict(contender.environment(port)),
            stdout=log,
            stderr=log,
        )
    cores.give_to_server(process.pid)
    server = Server(process, port, directory)
    try:
        server.wait(contender.first)
        yield server
    finally:
        server.stop()
