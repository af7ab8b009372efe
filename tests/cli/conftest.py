"""The command line, run inside the test's process, in a directory of its own and at a fixed time."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import coatcheck.server.doctor
import coatcheck.server.run  # noqa: F401 - both before the clock is fixed, which would otherwise be their default
from coatcheck._core import clock
from coatcheck.cli.app import app
from coatcheck.jose import Key, jwt
from coatcheck.storage.sqlite import SQLiteStorage

NOW = 1_800_000_000

Run = Callable[..., Result]
Make = Callable[..., str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "system_clock", lambda: NOW)


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: str, given: str | bytes = b"", env: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given, env=env, catch_exceptions=False)

    return invoke


@pytest.fixture
def empty_site(tmp_path: Path) -> None:
    """The database of a server that has run, and that nobody has signed up at."""
    asyncio.run(SQLiteStorage(tmp_path / "coatcheck.db").close())


@pytest.fixture(scope="session")
def key() -> Key:
    return Key.generate("ES256", kid="k1")


@pytest.fixture
def key_file(key: Key, tmp_path: Path) -> str:
    """A private key that only its owner may read."""
    path = tmp_path / "key.jwk"
    path.write_text(json.dumps(key.to_private_jwk()))
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def token(key: Key) -> str:
    """A token without any fault."""
    signer = jwt.Signer(key, issuer="https://id.example", audience="https://api.example", typ="at+jwt")
    return signer.sign({"sub": "u1"}, now=NOW)


@pytest.fixture
def forge() -> Make:
    """Make a token of any header and claims, with a signature that is none."""

    def make(header: Any, claims: Any = None, *, signature: str = "c2ln") -> str:
        return ".".join((encoded(header), encoded({} if claims is None else claims), signature))

    return make


def encoded(value: Any) -> str:
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


@pytest.fixture
def production() -> dict[str, str]:
    """The environment of a server that may be used by others."""
    return {
        "COATCHECK_MODE": "production",
        "COATCHECK_BASE_URL": "https://app.example.com",
        "COATCHECK_SECRET": base64.b64encode(bytes(range(100, 132))).decode(),
        "COATCHECK_SMTP_URL": "smtp://user:hunter2@mail.example.com",
        "COATCHECK_MAIL_FROM": "no-reply@example.com",
    }
