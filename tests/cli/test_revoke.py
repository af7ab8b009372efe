"""``coatcheck revoke``, as somebody types it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.flows.service import Flows
from coatcheck.identity import Client
from coatcheck.server.server import open_flows
from coatcheck.server.settings import Settings
from coatcheck.sessions.model import Session
from tests.cli.conftest import NOW, Run

EMAIL = "ann@example.com"
T = TypeVar("T")


def with_flows(action: Callable[[Flows], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_flows(Settings()) as flows:
            return await action(flows)

    return asyncio.run(run())


@pytest.fixture
def people(run: Run) -> dict[str, str]:
    """A user with a session, whose access token is good."""
    assert run("user", "add", EMAIL).exit_code == 0

    async def add(flows: Flows) -> dict[str, str]:
        user = await flows.administration.find_user(EMAIL)
        now = flows.context.clock()
        session = Session(
            id=new_identifier(),
            user_id=user.id,
            digest=None,
            profile="relaxed",
            created_at=now - 60,
            authenticated_at=now - 60,
            methods=("pwd",),
            last_seen_at=now - 30,
            idle_timeout=3_600.0,
            expires_at=now + 86_400.0,
            client=Client(),
        )
        await flows.context.storage.records.add_session(session)
        token = await flows.context.access_tokens.issue(user, session, at=now)
        claims, kid = await flows.context.access_tokens.verify(token)
        return {"user": user.id, "session": session.id, "token": token, "jti": claims.jti or "", "kid": kid}

    return with_flows(add)


def ledger(run: Run) -> list[tuple[str, str]]:
    result = run("revoke", "list", "--json")
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    return [(entry["kind"], entry["value"]) for entry in told]


@pytest.mark.parametrize("by", ["user", "email"])
def test_a_user_is_revoked(run: Run, people: dict[str, str], by: str) -> None:
    result = run("revoke", "user", EMAIL if by == "email" else people["user"])
    assert (result.exit_code, result.stdout) == (0, "Revoked; sessions ended: 1.\n")
    assert ledger(run) == [("user", people["user"]), ("session", people["session"])]
    assert run("session", "list", EMAIL).stdout == "No sessions.\n"


def test_a_session_is_revoked_once(run: Run, people: dict[str, str]) -> None:
    assert run("revoke", "session", people["session"]).stdout == "Revoked; sessions ended: 1.\n"
    again = run("revoke", "session", people["session"])
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == "coatcheck: There is no such session (any more). [unknown_session]\n"
    assert ledger(run) == [("session", people["session"])]


def test_a_token_is_revoked_by_its_jti_or_by_itself_from_standard_input(
    run: Run, people: dict[str, str]
) -> None:
    result = run("revoke", "token", "-", given=f"Bearer {people['token']}\n")
    assert (result.exit_code, result.stdout) == (0, f"Revoked: the token {people['jti']}.\n")
    assert run("revoke", "token", people["jti"]).exit_code == 0
    assert ledger(run) == [("token", people["jti"])]
    assert people["token"] not in result.stdout + result.stderr


def test_a_token_is_revoked_from_a_file(run: Run, people: dict[str, str], tmp_path: object) -> None:
    with open("stolen.jwt", "w", encoding="ascii") as file:  # noqa: PTH123 - in the test's own directory
        file.write(people["token"])
    assert run("revoke", "token", "--file", "stolen.jwt").exit_code == 0
    assert ledger(run) == [("token", people["jti"])]


@pytest.mark.parametrize("arguments", [(), ("a" * 22, "--file", "x")], ids=["nothing", "both"])
@pytest.mark.usefixtures("empty_site")
def test_one_token_is_named_in_one_way(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("revoke", "token", *arguments)
    assert (result.exit_code, result.stderr.endswith("[wrong_usage]\n")) == (2, True)


def test_a_whole_token_as_an_argument_is_refused_and_not_repeated(run: Run, people: dict[str, str]) -> None:
    """Whoever can list the processes of a machine reads their arguments."""
    result = run("revoke", "token", people["token"])
    assert result.exit_code == 2
    assert "standard input" in result.stderr
    assert people["token"] not in result.stderr + result.stdout
    assert ledger(run) == []


def test_a_token_of_somebody_else_is_refused_and_not_repeated(
    run: Run, people: dict[str, str], token: str
) -> None:
    result = run("revoke", "token", "-", given=token)
    assert (result.exit_code, result.stderr.endswith("[not_our_token]\n")) == (2, True)
    assert token not in result.stderr + result.stdout
    assert ledger(run) == []


def test_a_client_and_a_key_are_revoked(run: Run, people: dict[str, str]) -> None:
    assert (
        run("revoke", "client", "first-party").stdout
        == "Revoked: what was issued to first-party until now.\n"
    )
    assert people["kid"] in run("revoke", "key", people["kid"]).stdout
    assert ledger(run) == [("key", people["kid"]), ("client", "first-party")]
    assert run("revoke", "client", "unknown").stderr.endswith("[unknown_client]\n")
    assert run("revoke", "key", "unknown").stderr.endswith("[unknown_signing_key]\n")


def test_an_identifier_that_begins_with_a_dash_is_no_option(run: Run, people: dict[str, str]) -> None:
    del people
    assert run("revoke", "key", "-FUc6h").stderr.endswith("[unknown_signing_key]\n")
    assert run("revoke", "key", "--help").stdout.startswith("Usage: ")


def test_everything_is_revoked_by_whoever_says_yes(
    run: Run, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run("revoke", "everything")
    assert (alone.exit_code, alone.stderr.endswith("[wrong_usage]\n")) == (2, True)
    monkeypatch.setattr(sys.modules["coatcheck.cli.user.delete"], "is_interactive", lambda: True)
    assert run("revoke", "everything", given="n\n").exit_code == 130
    assert ledger(run) == []
    assert run("revoke", "everything", given="y\n").stdout.endswith("Revoked; sessions ended: 1.\n")
    assert run("revoke", "everything", "--yes").stdout == "Revoked; sessions ended: 0.\n"
    assert ledger(run) == [("everything", "")] * 2


def test_everything_before_an_instant_spares_the_sessions_since(run: Run, people: dict[str, str]) -> None:
    before = with_flows(_began) - 1
    asked = run("revoke", "everything", "--yes", "--issued-before", f"{before:.3f}")
    assert asked.stdout == "Revoked; sessions ended: 0.\n"
    assert people["session"] in run("session", "list", EMAIL).stdout
    for wrong in ("yesterday", "9999999999"):
        assert run("revoke", "everything", "--yes", "--issued-before", wrong).exit_code == 2


async def _began(flows: Flows) -> float:
    (session,) = await flows.administration.list_sessions(EMAIL)
    return session.created_at


def test_the_list_shows_people_by_their_address(run: Run, people: dict[str, str]) -> None:
    run("revoke", "user", EMAIL)
    shown = run("revoke", "list").stdout.splitlines()
    assert EMAIL in shown[0]
    assert "ended-by-administrator" in shown[0]
    assert "by administrator" in shown[0]
    assert people["session"] in shown[1]
    assert len(run("revoke", "list", "--limit", "1").stdout.splitlines()) == 1
    told = json.loads(run("revoke", "list", "--json").stdout.splitlines()[0])
    assert told["until"] > told["at"] > NOW - 10 * 365 * 86_400
    assert told["actor"] == "administrator"


@pytest.mark.usefixtures("empty_site")
def test_an_empty_ledger_says_so(run: Run) -> None:
    assert run("revoke", "list").stdout == "Nothing was revoked lately.\n"
    assert run("revoke", "list", "--json").stdout == ""


@pytest.mark.usefixtures("empty_site")
@pytest.mark.parametrize("kind", ["user", "session", "token", "client", "key"])
@pytest.mark.parametrize(
    "value",
    ["\x1b[2J", "x\ny", "' OR 1=1 --", "x" * 60_000, "ü"],
    ids=["escape", "newline", "sql", "long", "letters"],
)
def test_what_could_name_nothing_is_refused_in_one_harmless_line(run: Run, kind: str, value: str) -> None:
    result = run("revoke", kind, value)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert value not in result.stderr
    assert "\x1b" not in result.stderr
    assert ledger(run) == []


@pytest.mark.usefixtures("people")
def test_an_unknown_user_is_told(run: Run) -> None:
    for name in ("bob@example.com", "A" * 22):
        assert run("revoke", "user", name).stderr.endswith("[unknown_user]\n")


def test_a_database_that_is_not_there_is_not_made(run: Run) -> None:
    assert run("revoke", "everything", "--yes").stderr.endswith("[no_database]\n")


def test_the_group_shows_its_help_where_no_command_is_named(run: Run) -> None:
    assert "everything" in run("revoke").stdout
