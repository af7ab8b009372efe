import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import Run

LINK = re.compile(r"^http://localhost:8000/auth/reset\?token=[\w-]{43}$", re.MULTILINE)


@pytest.fixture
def ann(run: Run) -> str:
    assert run("user", "add", "ann@example.com", "--scope", "admin").exit_code == 0
    return "ann@example.com"


def test_a_user_is_added_without_a_password_and_gets_a_link(run: Run) -> None:
    result = run("user", "add", "Ann@Example.com", "--scope", "admin", "--scope", "notes:read")
    assert result.exit_code == 0
    assert result.stdout.startswith("Added Ann@example.com (")
    assert LINK.search(result.stdout)
    (user,) = listed(run)
    assert (user["email"], user["state"]) == ("Ann@example.com", "no password")
    assert user["scopes"] == ["admin", "notes:read"]
    assert user["password_hash"] is None


def listed(run: Run) -> list[dict[str, object]]:
    result = run("user", "list", "--json")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def refusal(result: Result) -> str:
    assert result.exit_code == 2
    assert result.stderr.startswith("coatcheck: ")
    return result.stderr


@pytest.mark.usefixtures("empty_site")
@pytest.mark.parametrize(
    "arguments, code",
    [
        (("add", "no address"), "invalid_email"),
        (("add", "bob@example.com", "--scope", 'a"b'), "malformed_scope"),
        (("show", "bob@example.com"), "unknown_user"),
        (("reset", "bob@example.com"), "unknown_user"),
        (("disable", "bob@example.com"), "unknown_user"),
        (("enable", "bob@example.com"), "unknown_user"),
        (("delete", "bob@example.com", "--yes"), "unknown_user"),
        (("delete", "bob@example.com"), "wrong_usage"),
        (("scopes", "bob@example.com", "admin"), "unknown_user"),
        (("scopes", "bob@example.com"), "wrong_usage"),
        (("scopes", "bob@example.com", "admin", "--none"), "wrong_usage"),
        (("import", "nowhere.csv"), "unreadable_input"),
        (("list", "--config", "nowhere.toml"), "wrong_settings"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: tuple[str, ...], code: str, run: Run) -> None:
    told = refusal(run("user", *arguments))
    assert told.endswith(f"[{code}]\n")
    assert told.count("\n") == 1


def test_an_address_is_taken_once(run: Run, ann: str) -> None:
    assert "[email_taken]" in refusal(run("user", "add", ann.upper()))


def test_no_option_takes_a_password(run: Run) -> None:
    for command in ("add", "reset", "show"):
        assert "password" not in run("user", command, "--help").stdout.partition("Options:")[2].lower()


def test_users_are_listed_for_people_and_for_programs(run: Run, ann: str) -> None:
    run("user", "add", "bob@example.com")
    shown = run("user", "list").stdout
    assert re.search(r"ann@example.com +no password +\d{4}-\d\d-\d\d +admin\n", shown)
    assert [user["email"] for user in listed(run)] == [ann, "bob@example.com"]


@pytest.mark.usefixtures("empty_site")
def test_an_empty_site_says_how_to_begin(run: Run) -> None:
    assert run("user", "list").stdout == "There are no users yet: coatcheck user add EMAIL\n"
    assert run("user", "list", "--json").stdout == ""


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "ann@example.com"), ("disable", "ann@example.com")]
)
def test_in_a_directory_without_a_database_none_is_made(
    arguments: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    assert refusal(run("user", *arguments)).endswith("[no_database]\n")
    assert list(tmp_path.iterdir()) == []


def test_whoever_begins_with_an_empty_database_is_told_where_it_is(run: Run) -> None:
    assert "There is no database at coatcheck.db yet" in run("user", "add", "ann@example.com").stderr
    assert "There is no database" not in run("user", "add", "bob@example.com").stderr


def test_a_user_is_shown(run: Run, ann: str) -> None:
    shown = run("user", "show", ann).stdout
    for pattern in (
        rf"^{ann}\n",
        r"state +no password",
        r"scopes +admin",
        r"password +not set",
        r"sessions +0",
    ):
        assert re.search(pattern, shown)
    told = json.loads(run("user", "show", ann, "--json").stdout)
    assert (told["email"], told["sessions"]) == (ann, 0)


def test_an_account_is_disabled_and_enabled(run: Run, ann: str) -> None:
    assert run("user", "disable", ann).stdout == f"Disabled {ann}; sessions ended: 0.\n"
    assert [user["state"] for user in listed(run)] == ["disabled"]
    assert run("user", "enable", ann).stdout == f"Enabled {ann}.\n"
    assert [user["state"] for user in listed(run)] == ["no password"]


def test_scopes_are_replaced(run: Run, ann: str) -> None:
    assert run("user", "scopes", ann, "b", "a").stdout == f"{ann} may: a b.\n"
    assert run("user", "scopes", ann, "--none").stdout == f"{ann} may: nothing in particular.\n"


def test_a_reset_mails_a_link(run: Run, ann: str) -> None:
    assert LINK.search(run("user", "reset", ann).stdout)


def test_in_production_mail_is_left_to_the_server(run: Run, production: dict[str, str]) -> None:
    result = run("user", "add", "ann@example.com", env=production)
    assert result.exit_code == 0
    assert "token=" not in result.stdout + result.stderr
    assert "A mail to ann@example.com is queued" in result.stderr


def test_where_mail_is_off_nothing_is_promised(run: Run, production: dict[str, str]) -> None:
    closed = {**production, "COATCHECK_MAIL": "off", "COATCHECK_SIGN_UP": "closed"}
    assert "Mail is switched off" in run("user", "reset", add(run, closed), env=closed).stderr


def add(run: Run, env: dict[str, str]) -> str:
    run("user", "add", "ann@example.com", env=env)
    return "ann@example.com"


def test_a_deleted_account_is_gone(run: Run, ann: str) -> None:
    assert run("user", "delete", ann, "--yes").stdout == f"Deleted {ann}.\n"
    assert listed(run) == []


@pytest.mark.parametrize("answer, left", [("y\n", 0), ("n\n", 1)])
def test_a_person_is_asked_before_an_account_is_deleted(
    answer: str, left: int, run: Run, *, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("coatcheck.cli.user.delete")
    monkeypatch.setattr(module, "is_interactive", lambda: True)
    result = run("user", "delete", ann, given=answer)
    assert f"Delete {ann} and all that belongs to it?" in result.stdout
    assert result.exit_code == (0 if left == 0 else 130)
    assert len(listed(run)) == left


def test_wrong_settings_are_told_line_by_line(run: Run) -> None:
    told = refusal(run("user", "list", env={"COATCHECK_MODE": "production"})).splitlines()
    assert len(told) == 5
    assert all(line.startswith("coatcheck: ") and line.endswith("[wrong_settings]") for line in told)


# --- import --------------------------------------------------------------------------------------------------


BCRYPT = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
CSV = f"""email,password_hash,scopes,colour
ann@example.com,{BCRYPT},admin,red
no address,{BCRYPT},,red
bob@example.com,,,blue
ann@example.com,{BCRYPT},,red
"""


def test_users_are_imported_and_refused_rows_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(CSV)
    result = run("user", "import", "users.csv", "--report", "refused.jsonl")
    assert result.exit_code == 1
    for pattern in (
        r"added +2\n",
        r"there already +0\n",
        r"refused +2\n",
        r"row 2 ",
        r"row 4 +row 1 has the same",
    ):
        assert re.search(pattern, result.stdout), pattern
    assert "colour" in result.stderr
    report = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert [entry["row"] for entry in report] == [2, 4]
    assert BCRYPT not in result.stdout + result.stderr + json.dumps(report)
    assert [(user["email"], user["password_hash"]) for user in listed(run)] == [
        ("ann@example.com", "2b"),
        ("bob@example.com", None),
    ]


def test_an_import_can_be_run_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.jsonl").write_text('{"email": "ann@example.com"}\n{"email": "bob@example.com"}\n')
    assert run("user", "import", "users.jsonl").exit_code == 0
    again = run("user", "import", "users.jsonl")
    assert again.exit_code == 0
    assert re.search(r"added +0\n *there already +2\n *refused +0", again.stdout)


def test_many_refused_rows_are_not_all_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.jsonl").write_text('{"email": "x"}\n' * 25)
    assert "and 5 more: --report FILE writes all of them." in run("user", "import", "users.jsonl").stdout
    result = run("user", "import", "users.jsonl", "--report", "all.jsonl")
    assert "and 5 more: all of them are in all.jsonl." in result.stdout
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 25


@pytest.mark.usefixtures("empty_site")
def test_a_report_is_not_overwritten_and_nothing_imported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(CSV)
    (tmp_path / "refused.jsonl").write_text("mine")
    assert "[unwritable_output]" in refusal(run("user", "import", "users.csv", "--report", "refused.jsonl"))
    assert listed(run) == []
    assert run("user", "import", "users.csv", "--report", "refused.jsonl", "--force").exit_code == 1


def test_an_export_of_firebase_needs_its_parameters(run: Run, tmp_path: Path) -> None:
    user = {
        "localId": "1",
        "email": "ann@example.com",
        "passwordHash": "c2VjcmV0" * 8,
        "salt": "c2FsdHNhbHQ=",
    }
    (tmp_path / "users.json").write_text(json.dumps({"users": [user]}))
    (tmp_path / "parameters.json").write_text(json.dumps({"signer_key": "a2V5" * 16}))
    assert run("user", "import", "users.json").exit_code == 1
    taken = run("user", "import", "users.json", "--firebase-parameters", "parameters.json")
    assert taken.exit_code == 0, taken.stdout
    assert [user["password_hash"] for user in listed(run)] == ["firebase-scrypt"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"signer_key": 5}', "{}", '{"signer_key": "hunter2", "rounds": "x"}']
)
def test_what_is_no_parameters_is_refused_without_being_quoted(
    content: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "users.csv").write_text(CSV)
    (tmp_path / "parameters.json").write_text(content)
    told = refusal(run("user", "import", "users.csv", "--firebase-parameters", "parameters.json"))
    assert "[unreadable_input]" in told
    assert "hunter2" not in told


def test_a_profile_is_set_shown_and_taken_away(run: Run, ann: str) -> None:
    assert run("user", "profile", ann).stdout == "Nothing is said.\n"
    set_ = run("user", "profile", ann, "name=Ann Other", "address.country=GB", "phone_number=+1 212 555 0100")
    assert re.search(r"address\.country +GB\n.*name +Ann Other\n.*phone_number +\+12125550100\n", set_.stdout)
    assert re.search(r"phone_number_verified +false\n", set_.stdout)
    more = run("user", "profile", ann, "address.region=Kent", "name=", "--phone-verified", "--json")
    assert json.loads(more.stdout) == {
        "address": {"country": "GB", "region": "Kent"},
        "phone_number": "+12125550100",
        "phone_number_verified": True,
    }
    assert json.loads(run("user", "profile", ann, "--json").stdout) == json.loads(more.stdout)


@pytest.mark.parametrize(
    "change, code",
    [("name", "wrong_usage"), ("sub=eve", "invalid_profile"), ("locale=x y", "invalid_profile")],
)
def test_what_cannot_be_in_a_profile_is_refused(run: Run, ann: str, change: str, code: str) -> None:
    assert refusal(run("user", "profile", ann, change)).endswith(f"[{code}]\n")
