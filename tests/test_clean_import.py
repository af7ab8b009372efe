"""A service that only verifies tokens pays for nothing else: no framework, no driver, no event loop."""

import subprocess
import sys

import pytest

# The two, and what they load in turn (msgspec looks whether typing_extensions is there).
DEPENDENCIES = {"coatcheck", "cryptography", "msgspec"} | {"_cffi_backend", "_openssl", "typing_extensions"}
HEAVY = {"asyncio", "http", "multiprocessing", "sqlite3", "ssl", "subprocess", "urllib.request"}


def loaded_by(module: str) -> set[str]:
    """Import it in a fresh interpreter that knows no environment, and tell what else came along."""
    program = f"import sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    command = [sys.executable, "-I", "-c", program]
    return set(subprocess.run(command, env={}, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("module", ["coatcheck", "coatcheck.jose", "coatcheck.verifier"])
def test_importing_loads_only_the_two_dependencies(module: str) -> None:
    packages = {name.partition(".")[0] for name in loaded_by(module)}
    assert packages - sys.stdlib_module_names <= DEPENDENCIES


@pytest.mark.parametrize("module", ["coatcheck", "coatcheck.jose", "coatcheck.verifier"])
def test_importing_loads_no_heavy_part_of_the_standard_library(module: str) -> None:
    assert not loaded_by(module) & HEAVY


def test_a_heavy_import_would_be_seen() -> None:
    assert {"asyncio", "ssl"} <= loaded_by("asyncio")
