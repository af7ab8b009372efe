"""``coatcheck demo``."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coatcheck.cli.app import app
from coatcheck.server.live import demonstration
from coatcheck.server.live.headless import Figures
from tests.browser.conftest import free_port


def figures(refused: int) -> Figures:
    return Figures(
        service="orders",
        credential="the phone's token",
        rounds=2,
        refused=refused,
        median_ms=1.25,
        p99_ms=2.5,
        slowest_ms=3.5,
        accepted_before=7,
    )


def playing(refused: int) -> Callable[..., Awaitable[list[Figures]]]:
    async def play(*, port: int, rounds: int, on_round: Callable[[int], None]) -> list[Figures]:
        on_round(rounds)
        return [figures(refused)]

    return play


def test_the_figures_are_printed_and_it_leaves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "coatcheck", "demo", "--headless", "--rounds", "1", "--json"]
    done = subprocess.run(
        [*command, "--port", str(free_port())], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 4
    assert all(each["refused"] == 1 for each in found)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refused, code", [(2, 0), (1, 2)])
def test_a_round_without_a_refusal_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, refused: int, code: int
) -> None:
    monkeypatch.setattr(demonstration, "demonstrate_headless", playing(refused))
    result = CliRunner().invoke(app, ["demo", "--headless", "--rounds", "2"])
    assert result.exit_code == code
    assert "half within 1.2 ms" in result.stdout
    assert f"{refused} of 2 refused" in result.stdout


@pytest.mark.parametrize("flag", ["--browser", "--no-browser"])
def test_the_page_is_announced_and_opened_if_wished(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    opened: list[str] = []

    async def show(*, port: int, on_ready: Callable[[str], None]) -> None:
        on_ready(f"http://localhost:{port}/")

    monkeypatch.setattr(demonstration, "demonstrate", show)
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = CliRunner().invoke(app, ["demo", flag, "--port", "8123"])
    assert result.exit_code == 0
    assert "http://localhost:8123/" in result.stdout
    assert opened == (["http://localhost:8123/"] if flag == "--browser" else [])
