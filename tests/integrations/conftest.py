"""Applications of the kind that users of the library write, on SQLite, in development mode."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.integrations.applications import Application, make_application


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site() -> Iterator[Application]:
    made = make_application(FastAPI())
    yield made
    asyncio.run(made.auth.server.close())
