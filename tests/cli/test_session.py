import asyncio
import json
import re

import pytest

from coatcheck.accounts.model import User
from coatcheck.identity import Client
from coatcheck.server.server import open_flows
from coatcheck.server.settings import Settings
from coatcheck.sessions.model import Session
from tests.cli.conftest import NOW, Run

EMAIL = "ann@example.com"


def session(name: str, *, digest: bytes | None, user: User, now: float) -> Session:
    return Session(
        id=name,
        user_id=user.id,
        digest=digest,
        profile="relaxed",
        created_at=now - 60,
        authenticated_at=now - 60,
        methods=("pwd",),
        last_seen_at=now - 30,
        idle_timeout=3_600.0,
        expires_at=now + 86_400.0,
        client=Client(address="203.0.113.7", user_agent="Evil\x1b[2J") if digest else Client(),
    )


@pytest.fixture
def sessions(run: Run) -> list[str]:
    """Two sessions of a user: in a browser, and of tokens."""
    assert run("user", "add", EMAIL).exit_code == 0

    async def add() -> None:
        async with open_flows(Settings()) as flows:
            user = await flows.administration.find_user(EMAIL)
            now = flows.context.clock()
            async with flows.context.storage.transaction() as records:
                await records.add_session(session("one", digest=b"1" * 32, user=user, now=now))
                await records.add_session(session("two", digest=None, user=user, now=now))

    asyncio.run(add())
    return ["one", "two"]


def listed(run: Run) -> set[str]:
    result = run("session", "list", EMAIL, "--json")
    assert result.exit_code == 0
    return {json.loads(line)["id"] for line in result.stdout.splitlines()}


def test_sessions_are_listed_for_people_and_for_programs(run: Run, sessions: list[str]) -> None:
    shown = run("session", "list", EMAIL).stdout
    assert re.search(r"one +browser +seen .+ +203\.0\.113\.7 +Evil\\x1b\[2J", shown)
    assert re.search(r"two +tokens +seen .+ +no address +no name", shown)
    assert listed(run) == set(sessions)
    told = json.loads(run("session", "list", EMAIL, "--json").stdout.splitlines()[0])
    assert told["methods"] == ["pwd"]
    assert told["ends_at"] > told["created_at"] > NOW - 10 * 365 * 86_400


@pytest.mark.usefixtures("sessions")
def test_one_session_is_ended(run: Run) -> None:
    assert run("session", "end", "one").stdout == "Ended.\n"
    assert listed(run) == {"two"}
    again = run("session", "end", "one")
    assert (again.exit_code, again.stderr) == (
        2,
        "coatcheck: There is no such session (any more). [unknown_session]\n",
    )


@pytest.mark.usefixtures("sessions")
def test_all_sessions_are_ended(run: Run) -> None:
    assert run("session", "end-all", EMAIL).stdout == "Sessions ended: 2.\n"
    assert run("session", "list", EMAIL).stdout == "No sessions.\n"


def test_disabling_a_user_ends_the_sessions(run: Run, sessions: list[str]) -> None:
    assert f"sessions ended: {len(sessions)}" in run("user", "disable", EMAIL).stdout
    assert listed(run) == set()


@pytest.mark.usefixtures("empty_site")
@pytest.mark.parametrize("command", ["list", "end-all"])
def test_an_unknown_user_is_told(command: str, run: Run) -> None:
    result = run("session", command, "bob@example.com")
    assert result.exit_code == 2
    assert result.stderr.endswith("[unknown_user]\n")


def test_the_groups_show_their_help_where_no_command_is_named(run: Run) -> None:
    assert "end-all" in run("session").stdout
    assert "import" in run("user").stdout
