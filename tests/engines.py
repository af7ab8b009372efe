"""Real servers for the tests, each on a free port, in a temporary folder, and gone afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.guards.programs import free_port

_SECONDS_TO_START = 60.0
# What makes it quick, and is not what is tested. A test that kills the machine asks for the usual.
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    assert path is not None, f"PostgreSQL is not here: apt-get install postgresql ({name})"
    return path


def _user() -> str | None:
    """Return the user to run the server as: it refuses to be run by root."""
    return "postgres" if os.geteuid() == 0 else None


class PostgresServer:
    """A server of PostgreSQL, that belongs to the test.

    Attributes:
        port: Where it listens, at 127.0.0.1.
    """

    def __init__(self, directory: Path, *, settings: tuple[str, ...] = _QUICK) -> None:
        self.port: int = free_port()
        self._directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://coatcheck@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Make its files."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if user := _user():
            entry = pwd.getpwnam(user)
            os.chown(self._directory, entry.pw_uid, entry.pw_gid)
        command = [_program("initdb"), "-D", str(self._directory / "data"), "-U", "coatcheck"]
        options = ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [*command, *options], check=True, capture_output=True, user=_user(), group=_user(), cwd="/"
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = (
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._directory}",
            "max_connections=200",
            *self._settings,
        )
        command = [_program("postgres"), "-D", str(self._directory / "data")]
        for setting in settings:
            command += ["-c", setting]
        log = (self._directory / "log").open("ab")
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, user=_user(), group=_user(), cwd="/", start_new_session=True
        )
        log.close()
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while True:
            try:
                with psycopg.connect(self.url(), connect_timeout=2):
                    return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._directory / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: ``SIGINT`` is its fast shutdown, ``SIGQUIT`` an immediate one, after which it recovers."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=_SECONDS_TO_START)
            self._process = None

    def kill(self) -> None:
        """Kill all its processes at once, as when the machine dies."""
        if self._process is not None:
            self._signal(signal.SIGSTOP)  # or it would have the time to end some of them in an orderly way
            self._signal(signal.SIGKILL)
            self._process.wait(timeout=_SECONDS_TO_START)
            self._process = None
            (self._directory / "data" / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Stop all its processes where they are."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and to each of its processes: they are in groups of their own."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()  # before it has none any more
        os.kill(pid, number)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), number)

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the address of a new database, which is dropped at the end of the block."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Execute a statement as its administrator, in no transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server(*, settings: tuple[str, ...] = _QUICK) -> Iterator[PostgresServer]:
    """Run a server for as long as the block takes."""
    # Not in pytest's own folder, which only root may enter.
    with tempfile.TemporaryDirectory(prefix="coatcheck-postgres-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory), settings=settings)
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


class RedisServer:
    """A server of Redis, that belongs to the test.

    Attributes:
        port: Where it listens, at 127.0.0.1.
    """

    def __init__(self, directory: Path, *, settings: tuple[str, ...] = ()) -> None:
        self.port: int = free_port()
        self._directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self, *settings: str) -> None:
        """Start it, empty unless it was asked to keep its data, and wait until it answers."""
        path = shutil.which("redis-server")
        assert path is not None, "Redis is not here: apt-get install redis-server"
        usual = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._directory))
        quick = ("--save", "", "--appendonly", "no")
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [path, *usual, *quick, *self._settings, *settings],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            assert time.monotonic() < deadline, (self._directory / "log").read_text()
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            answer = self.execute("PING")
        except OSError:
            return False
        return answer.startswith((b"+PONG", b"-NOAUTH"))

    def execute(self, *words: str) -> bytes:
        """Send a command, and return the answer as it stands on the wire: of those here, one packet."""
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        with socket.create_connection(("127.0.0.1", self.port), timeout=_SECONDS_TO_START) as connection:
            connection.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
            return connection.recv(65536)

    def kill(self) -> None:
        """Kill it, as when the machine dies. Harmless if it is dead."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=_SECONDS_TO_START)
            self._process = None

    def pause(self) -> None:
        """Stop it where it is: it takes connections and answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server(*, settings: tuple[str, ...] = ()) -> Iterator[RedisServer]:
    """Run a server for as long as the block takes.

    Args:
        settings: More of its command line: ``("--requirepass", "secret")``.
    """
    with tempfile.TemporaryDirectory(prefix="coatcheck-redis-", ignore_cleanup_errors=True) as directory:
        server = RedisServer(Path(directory), settings=settings)
        server.start()
        try:
            yield server
        finally:
            server.kill()
