"""A real PostgreSQL in a directory of its own, which it needs nobody else for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench.ledger.site import free_port
from bench.scale.processes import Program
from bench.web.client import UnexpectedAnswerError

_VERSIONS = Path("/usr/lib/postgresql")
_NAME = "coatcheck"
# What an operator would set on a machine of this size. Every commit is on the disk before it is answered, which is the
# default and said here once more because everything depends on it.
_SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "6GB",
    "effective_cache_size": "12GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "5min",
    "random_page_cost": "1.1",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "listen_addresses": "*",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "restart_after_crash": "on",
}
_AS_ROOT = os.geteuid() == 0


class Postgres(Program):
    """A PostgreSQL server."""

    def __init__(
        self, directory: Path, *, host: str = "127.0.0.1", within: Sequence[str] = (), **settings: str
    ) -> None:
        """Take where it lives, the address that nodes reach it at, and the command that puts it into a namespace."""
        super().__init__("postgres", directory)
        self.data = directory / "data"
        self.host, self.port = host, free_port()
        self._within = within
        self._settings = {**_SETTINGS, **settings}

    def initialise(self, *options: str) -> None:
        """Make a cluster, with these options of ``initdb``, start it, and make a role and a database."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if _AS_ROOT:
            shutil.chown(self.directory, "postgres", "postgres")
        done = subprocess.run(  # noqa: S603 -- Debian's own initdb
            [
                *_as_postgres(),
                program("initdb"),
                "-D",
                str(self.data),
                "-A",
                "trust",
                "-U",
                "postgres",
                *options,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
        )
        if done.returncode:
            raise UnexpectedAnswerError(f"initdb: {done.stderr.strip()}")
        with (self.data / "pg_hba.conf").open("a", encoding="ascii") as rules:
            rules.write("host all all 0.0.0.0/0 trust\n")
        self.start()
        self.execute("CREATE ROLE coatcheck LOGIN")
        self.execute("CREATE EXTENSION pg_stat_statements")
        self.create(_NAME)

    def start(self) -> None:
        """Start it; returns when it accepts connections. After a crash that is after its recovery."""
        settings = {
            **self._settings,
            "port": str(self.port),
            "unix_socket_directories": str(self.directory),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*self._within, *_as_postgres(), program("postgres"), "-D", str(self.data), *options]
        for _ in range(20):  # processes of the one that was killed may still hold its memory for a moment
            self.launch(command)
            try:
                self.until(self.accepts)
            except UnexpectedAnswerError:
                if self.runs or "still in use" not in self.last_words():
                    raise
            else:
                return
        raise UnexpectedAnswerError(f"PostgreSQL does not start: {self.last_words()}")

    def restart(self) -> None:
        """Restart it as ``pg_ctl restart -m fast`` does."""
        self.end(signal.SIGINT)
        self.start()

    def create(self, database: str, *, template: str = "template1") -> None:
        """Make an empty database, or a copy of another."""
        self.execute(f'CREATE DATABASE "{database}" OWNER coatcheck TEMPLATE "{template}"')

    def drop(self, database: str) -> None:
        """Delete a database, whoever uses it."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def url(self, database: str = _NAME, *, host: str = "") -> str:
        """The address for nodes."""
        return f"postgresql://coatcheck@{host or self.host}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as its owner, by the socket in the file system: no network is needed for that."""
        return psycopg.connect(
            host=str(self.directory), port=self.port, user="postgres", dbname=database, autocommit=True
        )

    def execute(self, sql: LiteralString, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as its owner."""
        with self.connect(database) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def statements(self) -> tuple[int, int]:
        """How many statements it has run for nodes, transactions' ends included, and how many of them began one."""
        row = self.execute(
            "SELECT coalesce(sum(calls), 0)::bigint,"
            " coalesce(sum(calls) FILTER (WHERE query ILIKE 'begin%'), 0)::bigint"
            " FROM pg_stat_statements WHERE userid = 'coatcheck'::regrole"
        )[0]
        return int(row[0]), int(row[1])

    def accepts(self) -> bool:
        """Whether it takes statements."""
        try:
            self.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


def _as_postgres() -> list[str]:
    # PostgreSQL refuses to run as root.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if _AS_ROOT else []


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs, of its newest version."""
    if found := shutil.which(name):
        return found
    numbered = [each for each in _VERSIONS.glob("*") if (each / "bin" / name).exists()]
    if not numbered:
        raise UnexpectedAnswerError("PostgreSQL is not installed: apt-get install postgresql")
    newest = max(numbered, key=lambda each: float(each.name))
    return str(newest / "bin" / name)
