"""``coatcheck api``, ``permission`` and ``role``, as somebody types it."""

import json
import re

import pytest

from tests.cli.conftest import Run

API = "https://api.example"
ADA = "ada@example.com"


@pytest.fixture
def api(run: Run) -> None:
    result = run(
        *(
            "api",
            "add",
            API,
            "--name",
            "Orders",
            "--scope",
            "orders:read=Read your orders",
            "--scope",
            "orders:write",
        ),
        *("--everybody", "orders:read", "--everybody", "orders:list", "--token-life", "5m"),
    )
    assert (result.exit_code, result.stdout) == (0, f"Added {API}.\n")


@pytest.fixture
def ada(run: Run) -> None:
    assert run("user", "add", ADA).exit_code == 0


def test_an_api_is_registered_and_shown(run: Run, api: None) -> None:
    told = json.loads(run("api", "show", API, "--json").stdout)
    assert told["scopes"] == [
        {"name": "orders:read", "description": "Read your orders", "for_everybody": True},
        {"name": "orders:write", "description": "", "for_everybody": False},
        {"name": "orders:list", "description": "", "for_everybody": True},
    ]
    assert (told["name"], told["algorithm"], told["token_lifetime"]) == ("Orders", "ES256", 300)
    shown = run("api", "show", API).stdout
    assert re.search(r"tokens live +5 minutes", shown)
    assert re.search(r"orders:read +Read your orders \(everybody\)", shown)
    listed = run("api", "list").stdout
    assert re.search(r"http://localhost:8000 +ES256 +This server +coatcheck:admin", listed)
    assert re.search(r"https://api\.example +ES256 +Orders +orders:read\* orders:write orders:list\*", listed)
    audiences = [json.loads(line)["audience"] for line in run("api", "list", "--json").stdout.splitlines()]
    assert audiences == ["http://localhost:8000", API]
    assert "as the server's own" in run("api", "show", "http://localhost:8000").stdout


def test_an_api_that_shares_a_secret_is_told_it_once(run: Run) -> None:
    result = run("api", "add", API, "--algorithm", "HS256")
    secret = re.fullmatch(r"API_TOKEN_SECRET=(cca_[A-Za-z0-9_-]{43})\n", result.stdout)
    assert secret is not None
    assert secret[1] not in run("api", "show", API).stdout + run("api", "list", "--json").stdout
    again = json.loads(run("api", "secret", API, "--json").stdout)
    assert again["secret"] != secret[1]
    assert run("api", "change", API, "--algorithm", "ES256").stdout == f"Changed {API}.\n"
    refused = run("api", "secret", API)
    assert (refused.exit_code, refused.stderr.endswith("[invalid_api]\n")) == (2, True)


def test_an_api_is_changed_and_removed(run: Run, api: None) -> None:
    run("api", "change", API, "--name", "Shop", "--usual-token-life")
    told = json.loads(run("api", "show", API, "--json").stdout)
    assert (told["name"], told["token_lifetime"], len(told["scopes"])) == ("Shop", None, 3)
    run("api", "change", API, "--scope", "orders:read", "--token-life", "60s")
    told = json.loads(run("api", "show", API, "--json").stdout)
    assert ([each["name"] for each in told["scopes"]], told["token_lifetime"]) == (["orders:read"], 60)
    assert run("api", "remove", API).stdout == f"Removed {API}.\n"
    assert run("api", "show", API).stderr.endswith("[unknown_api]\n")


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["add", "orders"], "invalid_api"),
        (["add", API], "api_taken"),
        (["add", "https://b.example", "--algorithm", "none"], "invalid_api"),
        (["add", "https://b.example", "--scope", "openid"], "invalid_api"),
        (["add", "https://b.example", "--scope", ""], "wrong_usage"),
        (["add", "https://b.example", "--token-life", "soon"], "wrong_usage"),
        (["add", "https://b.example", "--token-life", "2h"], "invalid_api"),
        (["change", API], "wrong_usage"),
        (["change", API, "--token-life", "5m", "--usual-token-life"], "wrong_usage"),
        (["remove", "http://localhost:8000"], "invalid_api"),
    ],
    ids=range(10),
)
def test_what_cannot_be_done_is_told_in_one_line(
    run: Run, api: None, arguments: list[str], code: str
) -> None:
    result = run("api", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith(f"[{code}]")


def test_permissions_are_granted_withdrawn_and_listed(run: Run, api: None, ada: None) -> None:
    run("role", "add", "clerk")
    robot = json.loads(run("client", "add", "Robot", "--machine", "--json").stdout)["client_id"]
    at_api = ("--api", f"{API}/")
    for holder in (("--user", ADA), ("--role", "clerk"), ("--client", robot)):
        result = run("permission", "grant", *holder, *at_api, "orders:read", "orders:write")
        assert result.stdout == f"{holder[1]} may at {API}: orders:read orders:write.\n"
    shown = run("permission", "list").stdout
    assert re.search(rf"user +{re.escape(ADA)} +{re.escape(API)} +orders:read orders:write", shown)
    of_role = run("permission", "list", "--role", "clerk", *at_api, "--json").stdout
    assert json.loads(of_role) == {
        "kind": "role",
        "holder": "clerk",
        "api": API,
        "scopes": ["orders:read", "orders:write"],
    }
    less = run("permission", "withdraw", "--user", ADA, *at_api, "orders:write")
    assert less.stdout == f"{ADA} may at {API}: orders:read.\n"
    none = run("permission", "withdraw", "--client", robot, *at_api, "--all")
    assert none.stdout == f"{robot} may at {API}: nothing.\n"
    assert len(run("permission", "list", "--json").stdout.splitlines()) == 2


def test_no_permissions_are_listed_as_such(run: Run, empty_site: None) -> None:
    assert run("permission", "list").stdout == "No permissions.\n"
    assert run("role", "list").stdout == "No roles.\n"


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["grant", "--api", API, "orders:read"], "wrong_usage"),
        (["grant", "--user", ADA, "--role", "clerk", "--api", API, "orders:read"], "wrong_usage"),
        (["grant", "--user", ADA, "--api", API, "orders:delete"], "invalid_permission"),
        (["grant", "--user", "eve@example.com", "--api", API, "orders:read"], "unknown_user"),
        (["grant", "--role", "clerk", "--api", API, "orders:read"], "unknown_role"),
        (["withdraw", "--user", ADA, "--api", API], "wrong_usage"),
        (["list", "--user", ADA, "--client", "x"], "wrong_usage"),
    ],
    ids=range(7),
)
def test_a_permission_that_cannot_be_is_told_in_one_line(
    run: Run, api: None, ada: None, *, arguments: list[str], code: str
) -> None:
    result = run("permission", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith(f"[{code}]")


def test_roles_are_made_given_taken_listed_and_removed(run: Run, ada: None) -> None:
    assert run("role", "add", "clerk", "--description", "Works here").stdout == "Added clerk.\n"
    run("role", "add", "other")
    assert run("role", "give", "clerk", ADA).stdout == f"{ADA} is clerk.\n"
    assert run("role", "give", "clerk", ADA).stdout == f"{ADA} was already clerk.\n"
    assert re.search(rf"clerk +Works here +{re.escape(ADA)}\n +other +nobody", run("role", "list").stdout)
    told = json.loads(run("role", "list", "--user", ADA, "--json").stdout)
    assert told == {"name": "clerk", "description": "Works here", "members": [ADA]}
    assert run("role", "take", "clerk", ADA).stdout == f"{ADA} is no longer clerk.\n"
    assert run("role", "take", "clerk", ADA).stdout == f"{ADA} was not clerk.\n"
    assert run("role", "remove", "clerk").stdout == "Removed clerk.\n"
    assert run("role", "remove", "clerk").stderr.endswith("[unknown_role]\n")
