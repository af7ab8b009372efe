"""The demonstration, started as a person would start it, and people with browsers."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import launched

DEADLINE = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(directory: Path, port: int, **environment: str) -> Iterator[str]:
    """Run ``coatcheck dev`` in an empty directory until the block ends."""
    command = [sys.executable, "-m", "coatcheck", "dev", "--port", str(port)]
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log) as process,
    ):
        url = f"http://localhost:{port}"
        try:
            wait_for(url, process)
            yield url
        finally:
            process.terminate()
    # uvicorn ends on the signal that it was sent, after it has finished what it was doing
    assert process.returncode in (0, -15), (directory / "log").read_text()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE):  # noqa: S310 - our own address
                return
        except URLError:
            time.sleep(0.05)
    raise TimeoutError(url)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("site"), free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def person(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Makes people: each has a browser with cookies of its own, and looks at the site.

    They want nothing to move unless told otherwise: a press waits for whatever is moving.
    """
    contexts: list[BrowserContext] = []

    def make(*, javascript: bool = True, motion: bool = False) -> Page:
        context = browser.new_context(
            base_url=site,
            java_script_enabled=javascript,
            reduced_motion="no-preference" if motion else "reduce",
            viewport={"width": 390, "height": 844},
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    yield make
    for context in contexts:
        context.close()
