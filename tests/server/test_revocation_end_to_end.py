"""From the order to revoke to the refusal, with real processes, and with whatever can happen in between."""

import asyncio
import contextlib
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from coatcheck._core.secrets import new_identifier, new_token
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.flows.ending import ADMINISTRATOR, Reason, end_sessions, revoke
from coatcheck.flows.service import Flows
from coatcheck.identity import Client
from coatcheck.revocation.model import Kind
from coatcheck.server import load_settings, open_flows
from coatcheck.sessions.lifecycle import begin
from coatcheck.verifier import InvalidTokenError, StaleViewError, Verifier, VerifierPolicy
from tests.verifier.server import eventually

SWIFT = VerifierPolicy(first_pause=0.02, longest_pause=0.2)
BOUND = timedelta(seconds=3)
DEADLINE = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    """A server process, and the sessions that its database has: identifiers and tokens."""

    def __init__(self, directory: Path, *, url: str = "") -> None:
        self.directory = directory
        self.port = free_port()
        self.url = url or f"http://127.0.0.1:{self.port}"
        self.database = directory / "coatcheck.db"
        self.sessions, self.tokens = asyncio.run(self._prepare(12))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            cwd=self.directory,
            env={"COATCHECK_BASE_URL": self.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, within=DEADLINE)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def sign_out(self, number: int) -> None:
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/auth/sign-out",
            headers={"Authorization": f"Bearer {self.tokens[number]}"},
        )
        assert answer.status_code == 204, answer.text

    def end_beside(self, number: int) -> None:
        """End a session by the file alone."""
        asyncio.run(self._end(self.sessions[number]))

    def flood(self, events: int) -> None:
        """Append entries about nobody, five hundred at a time."""
        asyncio.run(self._flood(events))

    @contextlib.asynccontextmanager
    async def _flows(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        settings = load_settings(environment={"COATCHECK_BASE_URL": self.url}, database=str(self.database))
        async with open_flows(settings) as flows:
            yield flows

    async def _prepare(self, count: int) -> tuple[list[str], list[str]]:
        async with self._flows() as flows:
            return await sign_in(flows, count)

    async def _end(self, session: str) -> None:
        async with self._flows() as flows, flows.context.storage.transaction() as records:
            reason = Reason.ENDED_BY_ADMINISTRATOR
            await end_sessions(flows.context, records, [session], reason=reason, actor=ADMINISTRATOR)

    async def _flood(self, events: int) -> None:
        async with self._flows() as flows:
            for _ in range(events):
                named: list[tuple[Kind, str]] = [("session", new_identifier()) for _ in range(500)]
                async with flows.context.storage.transaction() as records:
                    reason = Reason.ENDED_BY_ADMINISTRATOR
                    await revoke(flows.context, records, named, reason=reason, actor=ADMINISTRATOR)


async def sign_in(flows: Flows, count: int) -> tuple[list[str], list[str]]:
    context, now = flows.context, flows.context.clock()
    address = parse_email("ada@example.com")
    user = User(
        id=new_identifier(),
        email=address.email,
        email_key=address.key,
        password_hash="none",
        created_at=now,
        password_changed_at=now,
    )
    sessions = [
        begin(
            context.sessions,
            session_id=new_identifier(),
            user_id=user.id,
            secret=new_token(),
            methods=("pwd",),
            client=Client(address="192.0.2.1", user_agent="test"),
            scope=None,
            binding=None,
            now=now,
        )
        for _ in range(count)
    ]
    async with context.storage.transaction() as records:
        await records.add_user(user)
        for session in sessions:
            await records.add_session(session)
    tokens = [await context.access_tokens.issue(user, session, at=context.clock()) for session in sessions]
    return [session.id for session in sessions], tokens


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.start()
    yield site
    site.kill()


@contextlib.contextmanager
def following(site: Site, *, count: int = 4) -> Iterator[list[Verifier]]:
    """Verifiers that have accepted all tokens; every second one has a bound."""
    with contextlib.ExitStack() as stack:
        verifiers = [
            stack.enter_context(
                Verifier(
                    site.url,
                    audience=site.url,
                    policy=SWIFT,
                    max_staleness=BOUND if number % 2 else None,
                )
            )
            for number in range(count)
        ]
        for verifier in verifiers:
            verifier.wait_until_ready(DEADLINE)
            eventually(lambda verifier=verifier: verifier.metrics().connected)  # type: ignore[misc]
            for token in site.tokens:
                verifier.verify(token)
        yield verifiers


def answer(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except InvalidTokenError as error:
        return error.reason
    except StaleViewError:
        return "stale"
    return "accepted"


def all_refuse(verifiers: Sequence[Verifier], tokens: Sequence[str]) -> bool:
    return all(answer(verifier, token) == "revoked-session" for verifier in verifiers for token in tokens)


def all_accept(verifiers: Sequence[Verifier], tokens: Sequence[str]) -> bool:
    return all(answer(verifier, token) == "accepted" for verifier in verifiers for token in tokens)


def test_a_server_that_is_killed_loses_no_revocation(site: Site) -> None:
    with following(site) as verifiers:
        site.sign_out(0)
        site.kill()  # right after its answer: whoever has not been told yet is told by nobody
        site.end_beside(1)
        site.start()
        site.sign_out(2)
        eventually(lambda: all_refuse(verifiers, site.tokens[:3]), within=DEADLINE)
        eventually(lambda: all_accept(verifiers, site.tokens[3:]), within=DEADLINE)


PROGRAM = """
import sys
from coatcheck.verifier import VerificationError, Verifier
verifier = Verifier(sys.argv[1], audience=sys.argv[1])
verifier.wait_until_ready(30)
for token in sys.argv[2:]:
    try:
        verifier.verify(token)
        print("accepted")
    except VerificationError as error:
        print(error.reason)
print("done", flush=True)
sys.stdin.read()
"""


def answers_of_a_process(site: Site, tokens: Sequence[str]) -> list[str]:
    """Return what a service that is just starting answers; then it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, site.url, *tokens],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = list(iter(lambda: process.stdout.readline().strip(), "done"))  # type: ignore[union-attr]
        process.kill()
    return lines


def test_a_verifier_that_is_killed_knows_all_before_it_answers_again(site: Site) -> None:
    tokens = site.tokens[:3]
    assert answers_of_a_process(site, tokens) == ["accepted"] * 3
    site.sign_out(0)
    site.end_beside(1)
    assert answers_of_a_process(site, tokens) == ["revoked-session", "revoked-session", "accepted"]


def test_a_reader_that_reads_nothing_delays_nobody_for_good(site: Site) -> None:
    with following(site) as verifiers, contextlib.ExitStack() as stack:
        for number in range(3):
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", site.port))
            slow.sendall(f"GET /auth/ledger?nonce={number:024} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        site.flood(10)
        site.sign_out(0)
        eventually(lambda: all_refuse(verifiers, site.tokens[:1]), within=DEADLINE)
        assert all_accept(verifiers, site.tokens[1:])


def test_an_old_backup_revives_nothing_that_a_verifier_saw_revoked(site: Site, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with following(site) as verifiers:
        site.sign_out(0)
        eventually(lambda: all_refuse(verifiers, site.tokens[:1]), within=DEADLINE)
        with (
            contextlib.closing(sqlite3.connect(site.database)) as source,
            contextlib.closing(sqlite3.connect(backup)) as target,
        ):
            source.backup(target)
        site.sign_out(1)
        site.sign_out(2)
        eventually(lambda: all_refuse(verifiers, site.tokens[:3]), within=DEADLINE)
        site.kill()
        for ending in ("-wal", "-shm"):
            site.database.with_name(site.database.name + ending).unlink(missing_ok=True)
        shutil.copy(backup, site.database)
        site.start()  # its ledger is at 1, and goes on from there
        site.sign_out(3)
        eventually(lambda: all_refuse(verifiers, [*site.tokens[:1], site.tokens[3]]), within=DEADLINE)
        assert all_refuse(verifiers, site.tokens[1:3])
        assert all_accept(verifiers, site.tokens[4:])


class Cable:
    """What lies between verifiers and a server: it forwards octets, until it is cut, and again when it is mended."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.target = 0
        self.whole = threading.Event()
        self.whole.set()
        self._ended = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._ended = True
        self.whole.set()
        self.listener.close()
        for thread in self._threads:
            thread.join(DEADLINE)

    def _accept(self) -> None:
        self.listener.settimeout(0.1)
        while not self._ended:
            with contextlib.suppress(OSError):
                near, _ = self.listener.accept()
                thread = threading.Thread(target=self._forward, args=(near,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _forward(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as far:
            while not self._ended:
                self.whole.wait()
                for source in select.select([near, far], [], [], 0.05)[0]:
                    octets = source.recv(65_536)
                    if not octets:
                        return
                    (far if source is near else near).sendall(octets)


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.close()


def test_whoever_is_cut_off_accepts_nothing_beyond_its_bound_and_learns_all_afterwards(
    tmp_path: Path, cable: Cable
) -> None:
    site = Site(tmp_path, url=cable.url)
    cable.target = site.port
    site.start()
    try:
        with following(site) as verifiers:
            _, bounded, *_ = verifiers
            cable.whole.clear()
            site.end_beside(0)
            until = time.monotonic() + DEADLINE
            said = ""
            while said != "stale":
                age = bounded.metrics().view_age
                said = answer(bounded, site.tokens[0])
                assert said != "accepted" or age <= BOUND.total_seconds()
                assert time.monotonic() < until
                time.sleep(0.005)
            assert answer(bounded, site.tokens[1]) == "stale"  # all or nothing: it does not know which
            cable.whole.set()
            site.sign_out(1)
            eventually(lambda: all_refuse(verifiers, site.tokens[:2]), within=DEADLINE)
            eventually(lambda: all_accept(verifiers, site.tokens[2:]), within=DEADLINE)
    finally:
        site.kill()
