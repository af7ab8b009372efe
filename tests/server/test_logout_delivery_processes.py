"""Notices to clients and processes: a server that is killed tells them when it is back."""

import asyncio
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.identity import Client
from coatcheck.oauth.model import OAuthClient
from coatcheck.server import load_settings, open_flows
from coatcheck.sessions.model import Session
from tests.flows.granting import said
from tests.server.signal_receivers import Answer, Receiver, receiving
from tests.server.test_processes import PEOPLE, import_people, serving

DONE = Answer(status=200)


async def give(database: Path, port: int) -> list[str]:
    """Have everybody let a client on this machine in; return its sessions."""
    sessions: list[str] = []
    async with open_flows(load_settings(environment={}, database=str(database))) as flows:
        records, now = flows.context.storage.records, time.time()
        uri = f"http://127.0.0.1:{port}/logout"
        await records.add_client(
            OAuthClient(id="app", name="App", created_at=now, backchannel_logout_uri=uri)
        )
        for email in PEOPLE:
            user = await records.find_user_by_email(email)
            assert user is not None
            sessions.append(new_identifier())
            await records.add_session(
                Session(
                    id=sessions[-1],
                    user_id=user.id,
                    digest=None,
                    profile="relaxed",
                    created_at=now,
                    authenticated_at=now,
                    methods=("pwd",),
                    last_seen_at=now,
                    idle_timeout=3600,
                    expires_at=now + 3600,
                    client=Client(),
                    client_id="app",
                )
            )
    return sessions


async def end(database: Path) -> None:
    """End everybody's sessions, by another process than the server."""
    async with open_flows(load_settings(environment={}, database=str(database))) as flows:
        for email in PEOPLE:
            await flows.revoking.user(email, actor="administrator")


def let_leases_run_out(database: Path) -> None:
    """Have it be later: a process that died has what it claimed for a while."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE logout_notices SET due_at = due_at - 60")


def told(receiver: Receiver) -> list[dict[str, object]]:
    return [said(parse_qs(body)["logout_token"][0]) for _, body in receiver.requests]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    asyncio.run(import_people(tmp_path / "coatcheck.db"))
    return tmp_path


def test_kill_9_while_a_client_is_down_loses_no_notice(directory: Path) -> None:
    with receiving() as (receiver, port):
        receiver.lasting = DONE  # nobody listens there, for now
    sessions = asyncio.run(give(directory / "coatcheck.db", port))
    with serving(directory, end=signal.SIGKILL):
        asyncio.run(end(directory / "coatcheck.db"))
    with receiving(port=port, receiver=receiver), serving(directory):
        receiver.wait_for(lambda: {each["sid"] for each in told(receiver)} >= set(sessions), 60)


def test_kill_9_while_a_client_is_told_tells_it_again_the_same(directory: Path) -> None:
    hold = threading.Event()
    with receiving() as (receiver, port):
        receiver.answers, receiver.lasting = [Answer(status=200, hold=hold)] * 2, DONE
        sessions = asyncio.run(give(directory / "coatcheck.db", port))
        with serving(directory, end=signal.SIGKILL):
            asyncio.run(end(directory / "coatcheck.db"))
            receiver.wait(2)
        hold.set()
        let_leases_run_out(directory / "coatcheck.db")
        with serving(directory):
            receiver.wait_for(lambda: len(receiver.requests) >= len(sessions) + 2, 60)
    found = told(receiver)
    assert {each["sid"] for each in found} == set(sessions)
    # Whoever is told twice can tell.
    assert len({each["jti"] for each in found}) == len(sessions)
