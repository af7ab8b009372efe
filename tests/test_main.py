"""The two ways to start the command line."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "coatcheck"], [str(Path(sys.executable).parent / "coatcheck")]]
)
def test_each_shows_the_commands(command: list[str]) -> None:
    shown = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True).stdout
    assert "token" in shown
    assert "key" in shown
