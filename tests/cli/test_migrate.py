"""``coatcheck migrate``: what people and programs see of a move."""

import base64
import json
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coatcheck.server.moving import Progress, Report
from tests.cli.conftest import Run
from tests.storage.populations import make_file, populate

OTHER = {"COATCHECK_SECRET": base64.b64encode(bytes(range(50, 82))).decode()}
EMPTY = pytest.mark.usefixtures("empty_site")


MADE: dict[str, bytes] = {}


@pytest.fixture
def site(run: Run) -> None:
    """A server's database, with a user and a key. It is made once, and then copied."""
    if not MADE:
        assert run("user", "add", "ann@example.com").exit_code == 0
        assert run("key", "rotate").exit_code == 0
        MADE.update((path.name, path.read_bytes()) for path in Path().glob("coatcheck.db*"))
    for name, octets in MADE.items():
        Path(name).write_bytes(octets)
        Path(name).chmod(0o600)


def told(run: Run, *arguments: str, status: int = 0, **options: Any) -> Any:
    result = run("migrate", *arguments, "--json", **options)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("site")
def test_everything_is_moved_and_verified_there_and_back(run: Run, postgres_url: str) -> None:
    result = run("migrate", "coatcheck.db", postgres_url)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "  users               ✓  1" in lines
    assert lines[-1].startswith("Equal: ")
    first, keys, last = result.stderr.splitlines()
    assert first.startswith("Moves ")
    assert first.endswith(
        f"from coatcheck.db to {postgres_url}. Until that is done, nobody can write to the source."
    )
    assert keys == "The signing keys open with the secret that is configured here."
    assert last == "Now start the servers on the target, with the secret that those of the source had."
    assert told(run, postgres_url, "back.db")["keys"] == "unknown"
    Path("coatcheck.secret").write_bytes(Path("coatcheck.db.secret").read_bytes())
    Path("coatcheck.secret").chmod(0o600)
    assert told(run, postgres_url, "back.db")["keys"] == "open"
    assert told(run, "coatcheck.db", "back.db", "--verify-only")["equal"]


@pytest.mark.usefixtures("site")
def test_programs_get_counts_and_digests_of_both_sides(run: Run) -> None:
    report = told(run, "coatcheck.db", "b.db")
    assert (report["source"], report["target"]) == ("coatcheck.db", "b.db")
    assert (report["equal"], report["resumed"], report["was_there"], report["keys"]) == (
        True,
        False,
        False,
        "open",
    )
    users = next(each for each in report["tables"] if each["table"] == "users")
    assert users["source"] == users["target"]
    assert users["source"]["rows"] == 1
    assert len(users["source"]["digest"]) == 32
    assert report["numbers"]["ledger"] == {"source": 0, "target": 0}
    again = run("migrate", "coatcheck.db", "b.db")
    assert (again.exit_code, again.stdout.splitlines()[-1][:22]) == (0, "All was there already:")


@pytest.mark.usefixtures("site")
def test_a_dry_run_tells_what_there_is_and_makes_nothing(run: Run) -> None:
    result = run("migrate", "coatcheck.db", "b.db", "--dry-run")
    assert result.exit_code == 0
    assert "  users               1" in result.stdout.splitlines()
    assert not Path("b.db").exists()
    plan = told(run, "coatcheck.db", "b.db", "--dry-run")
    assert (plan["rows"]["users"], plan["problems"], plan["resumes"], plan["keys"]) == (1, [], False, "open")


@EMPTY
def test_a_dry_run_ends_with_status_1_if_something_is_in_the_way(run: Run, postgres_url: str) -> None:
    with closing(sqlite3.connect("coatcheck.db")) as connection, connection:
        connection.execute("INSERT INTO throttles VALUES ('a' || char(0), 1)")
    result = run("migrate", "coatcheck.db", postgres_url, "--dry-run")
    assert result.exit_code == 1
    assert "[unfit_record]" in result.stdout
    assert r"key='a\x00'" in result.stdout
    plan = told(run, "coatcheck.db", postgres_url, "--dry-run", status=1)
    assert [each["code"] for each in plan["problems"]] == ["unfit_record"]
    refused = run("migrate", "coatcheck.db", postgres_url)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.endswith("[unfit_record]\n")


@pytest.mark.usefixtures("site")
def test_a_comparison_ends_with_status_1_and_names_the_tables_that_differ(run: Run) -> None:
    told(run, "coatcheck.db", "b.db")
    changes = ("UPDATE users SET email = 'x'", "DELETE FROM keys", "UPDATE session_generation SET number = 7")
    with closing(sqlite3.connect("b.db")) as connection, connection:
        for change in changes:
            connection.execute(change)
    result = run("migrate", "coatcheck.db", "b.db", "--verify-only")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "  users               ✗  1, as many, but others" in lines
    assert any(line.startswith("  keys ") and line.endswith(", 0 in the target") for line in lines)
    assert lines[-1].startswith("They differ: ")
    assert not told(run, "coatcheck.db", "b.db", "--verify-only", status=1)["equal"]


@EMPTY
def test_a_comparison_says_if_numbers_would_be_given_again(run: Run) -> None:
    told(run, "coatcheck.db", "b.db")
    with closing(sqlite3.connect("coatcheck.db")) as connection, connection:
        connection.execute("INSERT INTO sqlite_sequence VALUES ('ledger', 7)")
    result = run("migrate", "coatcheck.db", "b.db", "--verify-only")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("They differ, and numbers would be given again:")


@pytest.mark.usefixtures("site")
def test_it_is_said_whether_the_keys_open(run: Run, production: dict[str, str]) -> None:
    def keys(*, env: dict[str, str] | None = None) -> Any:
        return told(run, "coatcheck.db", "b.db", "--dry-run", env=env)["keys"]

    assert keys() == "open"
    assert keys(env=OTHER) == "closed"
    assert (
        "do not open with the secret" in run("migrate", "coatcheck.db", "b.db", "--dry-run", env=OTHER).stderr
    )
    assert keys(env={"COATCHECK_MODE": "nonsense"}) == "unknown"
    secret = Path("coatcheck.db.secret")
    secret.rename("elsewhere")
    assert keys() == "unknown"
    assert not secret.exists()
    assert "it was not tried" in run("migrate", "coatcheck.db", "b.db", "--dry-run").stderr
    secret.write_text("nonsense")
    assert keys() == "unknown"


@EMPTY
def test_without_keys_nothing_is_said_of_them(run: Run) -> None:
    result = run("migrate", "coatcheck.db", "b.db", "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_file_of_an_earlier_release_is_not_touched_by_a_dry_run(run: Run, tmp_path: Path) -> None:
    from coatcheck.storage.sqlite.migrations import MIGRATIONS

    with closing(sqlite3.connect(tmp_path / "old.db")) as connection, connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
    before = Path("old.db").read_bytes()
    result = run("migrate", "old.db", "b.db", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.startswith("The source is of an older release")
    assert Path("old.db").read_bytes() == before
    moved = run("migrate", "old.db", "b.db")
    assert moved.exit_code == 0
    assert moved.stderr.startswith("Moves everything from old.db to b.db.")


@EMPTY
def test_an_interruption_says_how_to_go_on_and_the_next_run_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import coatcheck.server.moving

    real = coatcheck.server.moving.move

    def interrupted(source: str, target: str, **options: Any) -> Report:
        def tell(progress: Progress) -> None:
            options["on_progress"](progress)
            if progress.stage == "verify":
                raise KeyboardInterrupt

        return real(source, target, **options | {"on_progress": tell})

    with monkeypatch.context() as patch:
        patch.setattr("coatcheck.server.moving.move", interrupted)
        result = run("migrate", "coatcheck.db", "b.db")
    assert result.exit_code == 130
    assert "Run the same again to go on." in result.stderr
    served = run("user", "list", env={"COATCHECK_DATABASE": "b.db"})
    assert (served.exit_code, "[half_moved]" in served.stderr) == (2, True)
    plan = run("migrate", "coatcheck.db", "b.db", "--dry-run")
    assert "A move into b.db was begun: it would go on." in plan.stdout
    again = run("migrate", "coatcheck.db", "b.db")
    assert again.exit_code == 0
    assert again.stderr.startswith("Goes on moving ")


@EMPTY
def test_arguments_that_contradict_each_other_are_refused(run: Run) -> None:
    result = run("migrate", "coatcheck.db", "b.db", "--dry-run", "--verify-only")
    assert (result.exit_code, "[wrong_usage]" in result.stderr) == (2, True)


@EMPTY
def test_no_output_shows_a_password(run: Run) -> None:
    address = "postgresql://ann:hunter2@127.0.0.1:1/app"
    for more in ((), ("--dry-run",), ("--verify-only",), ("--dry-run", "--json")):
        result = run("migrate", "coatcheck.db", address, *more)
        assert result.exit_code == (1 if "--dry-run" in more else 2)
        assert "postgresql://ann@127.0.0.1:1/app" in result.output
        assert "hunter2" not in result.output


def test_a_bar_moves_where_a_person_can_see_it(tmp_path: Path) -> None:
    populate(make_file(tmp_path / "a.db"), 1)
    main, side = pty.openpty()
    command = [sys.executable, "-m", "coatcheck", "migrate", "a.db", "b.db"]
    try:
        environment = os.environ | {"TERM": "xterm"}
        ran = subprocess.run(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=side, env=environment, check=True
        )
        seen = os.read(main, 65_536)
    finally:
        os.close(main)
        os.close(side)
    assert b"Equal: " in ran.stdout
    assert b"Verifying" in seen
    assert b"Until that is done" in seen
