"""SQLite with several processes on one machine, behind the same nginx: no less a way to run."""

import asyncio
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes.cluster import Cluster, Node, until
from tests.nodes.people import (
    BROWSER,
    PEOPLE,
    add_people,
    cookie_of,
    refreshing,
    sign_in,
    tokens_for,
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node of two processes that share a file."""
    directory = tmp_path_factory.mktemp("workers")
    database = str(directory / "coatcheck.db")
    asyncio.run(add_people(database))
    found = Cluster(directory, database, [Node(directory, database, workers=2)])
    try:
        found.start()
        yield found
    finally:
        found.end()


def processes_of(node: Node) -> set[int]:
    """Return the processes that answer."""
    assert node.process is not None
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
    command = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return {pid for pid, line in command.items() if b"spawn_main" in line}


def test_whoever_signs_out_at_one_process_is_refused_by_the_other(machine: Cluster) -> None:
    (node,) = machine.nodes
    with machine.nginx.client(**BROWSER) as browser:
        sign_in(browser)
        cookie = cookie_of(browser)
        # Each of these is a connection of its own, and either process takes it.
        assert all(node.knows(cookie) for _ in range(10))
        assert browser.post("/auth/sign-out").status_code == 303
        until(lambda: not node.knows(cookie))
        assert not any(node.knows(cookie) for _ in range(10))


def test_refreshing_at_several_processes_at_once_loses_nothing(machine: Cluster) -> None:
    def work(email: str) -> None:
        with machine.nginx.client() as app:
            tokens = tokens_for(app, email)
            for _ in range(10):
                answer = app.post("/auth/token", data=refreshing(tokens["refresh_token"]))
                if answer.status_code != 200:
                    failed.append(answer.text)
                    return
                tokens = answer.json()

    failed: list[str] = []
    people = [threading.Thread(target=work, args=(email,)) for email in PEOPLE[:4]]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    assert failed == []


def test_a_process_that_is_killed_is_replaced_and_nobody_is_signed_out(machine: Cluster) -> None:
    (node,) = machine.nodes
    with machine.nginx.client(**BROWSER) as browser:
        sign_in(browser, PEOPLE[5])
        cookie = cookie_of(browser)
        before = processes_of(node)
        assert len(before) == 2
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(processes_of(node) - {killed}) == 2)
        until(node.is_ready)
        assert all(node.knows(cookie) for _ in range(10))
    assert not re.search("Traceback", node.log())
