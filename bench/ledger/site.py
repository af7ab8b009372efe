"""A real server for the ledger suite: ``coatcheck serve`` on SQLite, in a directory of its own.

Sessions and their tokens are made behind the door, as in ``bench.web.bootstrap``; they are ended at the door.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.web.client import UnexpectedAnswerError
from bench.web.environment import CHILD
from coatcheck._core.secrets import new_identifier, new_token
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.flows.ending import ADMINISTRATOR, Reason, end_sessions, revoke
from coatcheck.flows.service import Flows
from coatcheck.identity import Client
from coatcheck.revocation.model import Kind
from coatcheck.server.server import open_flows
from coatcheck.server.settings import load_settings
from coatcheck.server.settings_model import Settings
from coatcheck.sessions.lifecycle import begin

_DATABASE = "coatcheck.db"
_SESSIONS_EACH = 20
_PATIENCE = 30.0
_POLL = 0.005


@dataclass(frozen=True)
class Ticket:
    """A session, and an access token of it."""

    session: str
    token: str


class Site:
    """A server, its tokens, and the key of the services that follow it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._connection: HTTPConnection | None = None

    def prepare(self, sessions: int) -> list[Ticket]:
        """Make a service with its key, and sessions with a token of each."""
        return asyncio.run(self._prepare(sessions))

    def start(self) -> None:
        """Start the server; returns when it listens."""
        command = [sys.executable, "-W", "ignore", "-m", "coatcheck", "serve", "--port", str(self.port)]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- this interpreter, on coatcheck
                command,
                cwd=self.directory,
                env=CHILD | {"COATCHECK_BASE_URL": self.url},
                stdout=log,
                stderr=log,
            )
        until_listening(self.port, self.process)

    def send_signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash would."""
        self.forget_connection()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def sign_out(self, token: str) -> None:
        """End a session over HTTP, with a token of it, over a connection that is kept."""
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
            self._connection.connect()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._connection.request("POST", "/auth/sign-out", b"", headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 204:
            raise UnexpectedAnswerError(f"signing out was answered {response.status}: {body[:200]!r}")

    def end_beside(self, sessions: Sequence[str]) -> None:
        """End sessions in this process, which shares nothing with the server but the file."""
        asyncio.run(self._end(sessions))

    def flood(self, batches: int, each: int) -> None:
        """Append so many entries, of sessions that nobody has, in transactions of their own, beside the server."""
        asyncio.run(self._flood(batches, each))

    def back_up(self, file: Path) -> None:
        """Copy the database as it is now."""
        with (
            contextlib.closing(sqlite3.connect(self.directory / _DATABASE)) as source,
            contextlib.closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target)

    def restore(self, file: Path) -> None:
        """Put an old copy in the place of the database. The server must not run."""
        for ending in ("", "-wal", "-shm"):
            (self.directory / f"{_DATABASE}{ending}").unlink(missing_ok=True)
        (self.directory / _DATABASE).write_bytes(file.read_bytes())

    def settings(self) -> Settings:
        """Return the settings that the server has."""
        return load_settings(
            environment={"COATCHECK_BASE_URL": self.url},
            directory=self.directory,
            database=str(self.directory / _DATABASE),
        )

    def forget_connection(self) -> None:
        """Use another connection from now on."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _prepare(self, sessions: int) -> list[Ticket]:
        async with open_flows(self.settings()) as flows:
            if not self.key:
                _, key = await flows.services.add("bench")
                self.key = str(key)
            return await _tickets(flows, sessions)

    async def _end(self, sessions: Sequence[str]) -> None:
        async with open_flows(self.settings()) as flows:
            for session in sessions:
                async with flows.context.storage.transaction() as records:
                    reason = Reason.ENDED_BY_ADMINISTRATOR
                    await end_sessions(flows.context, records, [session], reason=reason, actor=ADMINISTRATOR)

    async def _flood(self, batches: int, each: int) -> None:
        async with open_flows(self.settings()) as flows:
            for _ in range(batches):
                named: list[tuple[Kind, str]] = [("session", new_identifier()) for _ in range(each)]
                async with flows.context.storage.transaction() as records:
                    reason = Reason.ENDED_BY_ADMINISTRATOR
                    await revoke(flows.context, records, named, reason=reason, actor=ADMINISTRATOR)


async def _tickets(flows: Flows, count: int) -> list[Ticket]:
    context, made = flows.context, []
    now = context.clock()
    encoded = await context.hasher.hash(new_token())
    for first in range(0, count, _SESSIONS_EACH):
        address = parse_email(f"{new_identifier().lower()}@example.com")
        user = User(
            id=new_identifier(),
            email=address.email,
            email_key=address.key,
            password_hash=encoded,
            created_at=now,
            password_changed_at=now,
        )
        opened = [
            begin(
                context.sessions,
                session_id=new_identifier(),
                user_id=user.id,
                secret=new_token(),
                methods=("pwd",),
                client=Client(address="192.0.2.1", user_agent="bench"),
                scope=None,
                binding=None,
                now=now,
            )
            for _ in range(min(_SESSIONS_EACH, count - first))
        ]
        async with context.storage.transaction() as records:
            await records.add_user(user)
            for session in opened:
                await records.add_session(session)
        made += [
            Ticket(session.id, await context.access_tokens.issue(user, session, at=now)) for session in opened
        ]
    return made


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise UnexpectedAnswerError(f"the server ended with {process.returncode}")
        connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/auth/keys")
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(_POLL)
        else:
            return
        finally:
            connection.close()
    raise UnexpectedAnswerError("the server does not answer")
