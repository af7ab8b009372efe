"""``coatcheck client token``, as somebody types it."""

import json
import re

from tests.cli.conftest import Run


def test_a_token_is_made_and_shown_once(run: Run) -> None:
    result = run("client", "token", "add", "partner", "--uses", "3", "--lifetime", "30d")
    assert result.exit_code == 0
    assert re.fullmatch(r"cci_[A-Za-z0-9_-]{43}\n", result.stdout)
    token = result.stdout.strip()
    assert token not in result.stderr
    listed = run("client", "token", "list").stdout
    assert re.search(r"partner +3 uses left +ends .+", listed)
    assert token not in listed + run("client", "token", "list", "--json").stdout


def test_as_json_the_token_is_a_member(run: Run) -> None:
    told = json.loads(run("client", "token", "add", "partner", "--json").stdout)
    assert (told["name"], told["uses_left"], told["expires_at"]) == ("partner", None, None)
    assert told["token"].startswith("cci_")
    (listed,) = run("client", "token", "list", "--json").stdout.splitlines()
    assert json.loads(listed) == {name: value for name, value in told.items() if name != "token"}
    assert re.search(r"partner +any number of uses +added", run("client", "token", "list").stdout)


def test_a_token_is_removed_once(run: Run) -> None:
    told = json.loads(run("client", "token", "add", "partner", "--json").stdout)
    assert run("client", "token", "remove", told["id"]).stdout == f"Removed {told['id']}.\n"
    assert run("client", "token", "list").stdout == "No tokens.\n"
    again = run("client", "token", "remove", told["id"])
    assert (again.exit_code, again.stderr.endswith("[unknown_initial_access_token]\n")) == (2, True)


def test_a_token_that_could_not_be_used_is_refused(run: Run) -> None:
    for arguments in (
        ["", "--uses", "1"],
        ["a", "--uses", "0"],
        ["a", "--lifetime", "0s"],
        ["a", "--lifetime", "x"],
    ):
        assert run("client", "token", "add", *arguments).exit_code == 2


def test_where_registration_is_off_it_is_said(run: Run) -> None:
    assert "Registration is off" not in run("client", "token", "add", "partner").stderr
    result = run("client", "token", "add", "partner", env={"COATCHECK_REGISTRATION": "off"})
    assert "Registration is off" in result.stderr


def test_alone_it_explains_itself(run: Run) -> None:
    assert "remove" in run("client", "token").stdout
