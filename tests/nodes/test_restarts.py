"""Nodes that are restarted, killed, or may not start, while people work."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.nodes.cluster import Cluster, Node, until
from tests.nodes.people import BROWSER, PEOPLE, cookie_of, refreshing, sign_in, tokens_for


class Worker(threading.Thread):
    """Somebody who is signed in with a browser and with an app, and goes on working.

    Attributes:
        answers: How many there were.
        failed: Answers that no one should have seen.
    """

    def __init__(self, cluster: Cluster, email: str) -> None:
        super().__init__()
        self.browser: httpx.Client = cluster.nginx.client(**BROWSER)
        self.app: httpx.Client = cluster.nginx.client()
        self.email: str = email
        self.answers: int = 0
        self.failed: list[str] = []
        self._told = threading.Event()
        sign_in(self.browser, email)
        self._tokens = tokens_for(self.app, email)

    def run(self) -> None:
        while not self._told.is_set():
            try:
                self._work()
            except httpx.HTTPError as error:
                self.failed.append(repr(error))

    def _work(self) -> None:
        self._ask(self.browser, "GET", "/auth/session")
        self._ask(self.browser, "GET", "/auth/account")
        form = refreshing(self._tokens["refresh_token"])
        refreshed = self._ask(self.app, "POST", "/auth/token", data=form)
        if refreshed.status_code == 200:
            self._tokens = refreshed.json()
        headers = {"Authorization": f"Bearer {self._tokens['access_token']}"}
        self._ask(self.app, "GET", "/auth/session", headers=headers)

    def _ask(self, client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = client.request(method, path, **more)
        except httpx.RemoteProtocolError:
            # nginx closed a connection that was not in use, as it does when it is reloaded, and this request was on its
            # way. Browsers ask once more then; this client has to be told to.
            response = client.request(method, path, **more)
        self.answers += 1
        if response.status_code != 200:
            self.failed.append(f"{method} {path}: {response.status_code}")
        return response

    def go_on(self) -> None:
        """Wait until it has had some more answers."""
        before = self.answers
        until(lambda: self.answers > before + 3)

    def end(self) -> None:
        self._told.set()
        self.join(30)
        self.browser.close()
        self.app.close()


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[Worker]:
    found = Worker(cluster, PEOPLE[0])
    found.start()
    try:
        yield found
    finally:
        found.end()


def test_nodes_are_restarted_one_after_the_other_and_nobody_sees_it(cluster: Cluster, worker: Worker) -> None:
    for node in cluster.nodes:
        cluster.nginx.take_out(node)
        assert node.end() in {0, -signal.SIGTERM}
        worker.go_on()
        node.start()
    cluster.nginx.take_out(None)
    worker.go_on()
    assert worker.failed == []


def test_a_node_that_is_killed_costs_nobody_an_answer_to_a_question(cluster: Cluster) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        sign_in(browser, PEOPLE[1])
        cookie = cookie_of(browser)
        killed = cluster.nodes[1]
        killed.end(signal.SIGKILL)
        answers = [browser.get("/auth/session") for _ in range(9)]
        assert {answer.status_code for answer in answers} == {200}
        assert killed.port not in {cluster.nginx.node_of(answer) for answer in answers}
        assert browser.post("/auth/sign-out").status_code == 303
    killed.start()  # knows what ended while it was away
    assert not any(node.knows(cookie) for node in cluster.nodes)


def test_a_node_that_is_added_knows_at_once_who_is_signed_in_and_who_is_out(
    cluster: Cluster, tmp_path: Path
) -> None:
    with cluster.nginx.client(**BROWSER) as browser:
        sign_in(browser, PEOPLE[2])
        signed_out = cookie_of(browser)
        assert browser.post("/auth/sign-out").status_code == 303
        sign_in(browser, PEOPLE[2])
        cookie = cookie_of(browser)
        added = Node(tmp_path, cluster.database)
        added.start()
        try:
            assert added.knows(cookie)
            assert not added.knows(signed_out)
            assert browser.post("/auth/sign-out").status_code == 303
            until(lambda: not added.knows(cookie))
        finally:
            added.end()


def test_a_node_with_another_secret_does_not_start_and_says_so_in_one_line(cluster: Cluster) -> None:
    stranger = cluster.nodes[0].environment | {
        "COATCHECK_SECRET": "aN0ther+One/9f3QvL7xJ2mKc8RtYzWbE5sDhG1uP4k="
    }
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", "1"]
    ran = subprocess.run(command, env=stranger, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.endswith("[server_key]\n")
    assert stranger["COATCHECK_SECRET"] not in ran.stderr
