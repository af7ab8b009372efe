import json
import re
import sqlite3
from pathlib import Path

import pytest

from coatcheck.cli.key.rotation import _told, _told_of_other
from coatcheck.flows.key_rotation import Rotation
from tests.cli.conftest import Run


@pytest.fixture
def site(run: Run) -> None:
    assert run("user", "add", "ann@example.com").exit_code == 0


def listed(run: Run) -> list[dict[str, object]]:
    result = run("key", "list", "--json")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("site")
def test_keys_are_listed_for_people_and_for_programs(run: Run) -> None:
    (key,) = listed(run)
    assert (key["state"], key["verifies_until"]) == ("signs", None)
    assert re.fullmatch(rf" *{key['kid']} +ES256 +signs +since .+ UTC\n", run("key", "list").stdout)
    run("key", "rotate")
    waits, signs = listed(run)
    assert (waits["state"], signs["state"]) == ("published", "signs")
    shown = run("key", "list").stdout
    assert re.search(rf"{waits['kid']} +ES256 +published +signs in 20 minutes", shown)
    assert re.search(rf"{signs['kid']} +ES256 +signs +trusted until .+ UTC", shown)
    assert "sealed" not in signs


@pytest.mark.usefixtures("site")
def test_a_rotation_says_what_happens_when(run: Run) -> None:
    (old,) = listed(run)
    told = run("key", "rotate").stdout
    new = listed(run)[0]
    assert f"A new key is published: {new['kid']}\n" in told
    assert "(in 20 minutes)" in told
    assert f"Until then {old['kid']} signs. It stays published until" in told
    assert "Nobody is signed out, and no token is refused." in told


@pytest.mark.usefixtures("site")
def test_a_rotation_that_is_under_way_is_not_begun_again(run: Run) -> None:
    run("key", "rotate")
    before = listed(run)
    assert run("key", "rotate").stdout.startswith(
        f"A new key has been published before: {before[0]['kid']}\n"
    )
    assert listed(run) == before


@pytest.mark.usefixtures("site")
def test_compromised_keys_are_out_and_the_operator_is_told_what_that_means(run: Run, tmp_path: Path) -> None:
    run("key", "rotate")
    old = {key["kid"] for key in listed(run)}
    told = run("key", "rotate", "--compromised")
    assert told.exit_code == 0
    (new,) = listed(run)
    assert new["kid"] not in old
    assert new["state"] == "signs"
    lines = told.stdout.splitlines()
    assert lines[0] == f"A new key signs from now on: {new['kid']}"
    assert old == set(lines[1].partition(": ")[2].split(", "))
    assert "Every access token that they signed is refused" in told.stdout
    assert "5 minutes" in told.stdout
    assert "Nobody is signed out" in told.stdout
    assert "its secret too" in told.stdout
    with sqlite3.connect(tmp_path / "coatcheck.db") as database:
        rows = database.execute("SELECT kind, value, reason, actor FROM ledger").fetchall()
    database.close()
    assert set(rows) == {("key", kid, "key-compromised", "administrator") for kid in old}


@pytest.mark.usefixtures("site")
def test_another_secret_is_told_and_changes_nothing(run: Run) -> None:
    before = listed(run)
    other = {"COATCHECK_SECRET": "q" * 20 + "An0ther-Secret-Than-Before-9471"}
    for command in (("rotate",), ("rotate", "--compromised"), ("list",)):
        result = run("key", *command, env=other)
        assert result.exit_code == 2
        assert "[server_key]" in result.stderr
    assert listed(run) == before


def test_without_a_database_no_key_is_made(run: Run, tmp_path: Path) -> None:
    for command in ("rotate", "list"):
        result = run("key", command)
        assert (result.exit_code, "[no_database]" in result.stderr) == (2, True)
    assert not (tmp_path / "coatcheck.db").exists()


@pytest.mark.usefixtures("empty_site")
def test_a_site_that_never_ran_gets_its_first_key_with_the_list(run: Run) -> None:
    (key,) = listed(run)
    assert key["state"] == "signs"
    assert listed(run) == [key]


def test_what_stays_as_it_is_is_not_said_to_end() -> None:
    """As after a rotation that found another done."""
    rotation = Rotation(before="k1", signer="k2", signs_from=2_000_000_000.0, is_new=False, retired=None)
    assert "k1" not in "\n".join(_told(rotation, 1_999_999_000.0))


@pytest.mark.parametrize("compromised", [False, True], ids=["in-order", "compromised"])
def test_keys_of_other_algorithms_are_told_of_too(compromised: bool) -> None:  # noqa: FBT001 - by pytest
    other = Rotation(
        algorithm="RS256",
        before="r1",
        signer="r2",
        signs_from=2_000_000_000.0,
        is_new=True,
        retired=None,
        removed=("r1",) if compromised else (),
    )
    told = _told_of_other(other)
    assert told.startswith("For RS256, r2 signs from 2033-05-18 03:33:20 UTC on.")
    assert told.endswith(" Trusted no more: r1.") is compromised
