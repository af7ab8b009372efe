"""``coatcheck service``, as somebody types it."""

import asyncio
import json
import re

import pytest

from coatcheck.server.server import open_flows
from coatcheck.server.settings import Settings
from tests.cli.conftest import Run

API = "https://api.example"


async def name_of(key: str) -> str:
    async with open_flows(Settings()) as flows:
        return (await flows.services.authenticate(key)).name


def test_a_service_is_added_and_its_key_shown_once_as_the_line_to_run(run: Run) -> None:
    result = run("service", "add", "orders", "--audience", API)
    assert result.exit_code == 0
    line = re.fullmatch(r"export COATCHECK_VERIFIER_KEY=(cck_[A-Za-z0-9_-]{43})\n", result.stdout)
    assert line is not None
    assert asyncio.run(name_of(line[1])) == "orders"
    assert line[1] not in result.stderr
    assert "Added orders" in result.stderr
    assert line[1] not in run("service", "list").stdout + run("service", "list", "--json").stdout


def test_as_json_the_key_is_a_member(run: Run) -> None:
    told = json.loads(run("service", "add", "orders", "--json").stdout)
    assert (told["name"], told["audience"]) == ("orders", None)
    assert asyncio.run(name_of(told["key"])) == "orders"


def test_services_are_listed_for_people_and_for_programs(run: Run) -> None:
    run("service", "add", "orders", "--audience", API)
    run("service", "add", "billing")
    shown = run("service", "list").stdout
    assert re.search(r"billing +all audiences +added .+\n +orders +https://api\.example +added", shown)
    told = [json.loads(line) for line in run("service", "list", "--json").stdout.splitlines()]
    assert [(each["name"], each["audience"]) for each in told] == [("billing", None), ("orders", API)]


def test_a_service_is_removed_once(run: Run) -> None:
    run("service", "add", "orders")
    assert run("service", "remove", "orders").stdout == "Removed orders.\n"
    assert run("service", "list").stdout == "No services.\n"
    again = run("service", "remove", "orders")
    assert (again.exit_code, again.stderr.endswith("[unknown_service]\n")) == (2, True)


def test_a_name_is_taken_once(run: Run) -> None:
    run("service", "add", "orders")
    again = run("service", "add", "orders")
    assert (again.exit_code, again.stdout, again.stderr.endswith("[service_taken]\n")) == (2, "", True)


@pytest.mark.usefixtures("empty_site")
@pytest.mark.parametrize(
    "name", ["\x1b[2J", "a\nb", "x" * 65, ""], ids=["escape", "newline", "long", "empty"]
)
def test_a_name_that_is_none_is_refused_in_one_harmless_line(run: Run, name: str) -> None:
    for command in ("add", "remove"):
        result = run("service", command, name)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.endswith("[invalid_service]\n")
        assert "\x1b" not in result.stderr


def test_the_group_shows_its_help_where_no_command_is_named(run: Run) -> None:
    assert "remove" in run("service").stdout
