"""Programs for Node.js that are written with the libraries of others."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"


def modules() -> Path:
    """Return where ``scripts/node-modules`` has put the libraries."""
    for directory in Path(__file__).resolve().parents:
        found = directory / "build" / "clients" / "node_modules"
        if found.is_dir():
            return found
    raise FileNotFoundError("run this first: scripts/node-modules tests/clients build/clients")


class Node:
    """Runs the programs in a directory in which they find their libraries."""

    def __init__(self, directory: Path, *, trusted: Path) -> None:
        self._directory = directory
        self._environment = {"NODE_EXTRA_CA_CERTS": str(trusted), "NODE_NO_WARNINGS": "1"}
        shutil.copytree(PROGRAMS, directory, dirs_exist_ok=True)
        (directory / "node_modules").symlink_to(modules())

    def run(self, program: str, given: dict[str, Any], *, browse: Callable[[str], str]) -> dict[str, Any]:
        """Run a program; where it sends a browser, browse, and tell it where the browser ended up."""
        node = shutil.which("node")
        assert node is not None, "Node.js is needed to try the clients that are written for it"
        command = [node, f"{program}.mjs", json.dumps(given)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command,
            cwd=self._directory,
            env=self._environment,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                said = json.loads(line)
                if "done" in said:
                    result: dict[str, Any] = said["done"]
                    return result
                process.stdin.write(json.dumps({"back": browse(said["visit"])}) + "\n")
                process.stdin.flush()
            raise AssertionError(process.stderr.read())
