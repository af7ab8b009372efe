"""The live demonstration in a real browser: what somebody sees who wants to be convinced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DEADLINE, free_port


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "coatcheck", "demo", "--no-browser", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output, env=dict(os.environ))
    until = time.monotonic() + DEADLINE
    while "Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until
        time.sleep(0.05)
    yield f"http://localhost:{port}/"
    process.send_signal(signal.SIGINT)
    process.wait(DEADLINE)
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("width, scheme", [(1200, "light"), (360, "dark")])
def test_pressing_the_button_shows_after_how_many_milliseconds_each_service_refused(
    live: str, browser: Browser, width: int, scheme: str
) -> None:
    complaints: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(live)
    page.get_by_role("button", name="Sign in as Ada").click()
    expect(page.get_by_text("200 yes")).to_have_count(4)
    header = page.get_by_role("banner")
    expect(header).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("401 signed out")).to_have_count(4)
    expect(header).to_be_hidden()
    expect(page.get_by_role("heading", name="Refused after")).to_be_visible()
    rows = page.locator(".bar-row strong")
    expect(rows).to_have_count(4)
    for text in rows.all_inner_texts():
        number, unit = text.split()
        assert unit == "ms"
        assert float(number) > 0
    expect(page.get_by_text("would go on saying yes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    page.get_by_role("button", name="Sign in as Ada").click()
    expect(page.get_by_text("200 yes")).to_have_count(4)
    expect(header).to_be_visible()
    context.close()
