import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.server.errors import DevelopmentSecretError
from coatcheck.server.secret import Secret, development_secret
from coatcheck.server.setting_values import parse_duration, write_duration


def test_a_secret_is_not_shown_by_accident() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_if_their_texts_are() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_development_makes_a_secret_and_keeps_it(tmp_path: Path) -> None:
    database = tmp_path / "site.db"
    secret = development_secret(database)
    assert secret.reveal().startswith("development-")
    assert len(secret.reveal()) == len("development-") + 43
    file = tmp_path / "site.db.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert development_secret(str(database)) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["site.db.secret"]


def test_of_several_processes_that_start_at_once_all_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from coatcheck.server.secret import development_secret; sys.stdin.readline(); "
        "print(development_secret(sys.argv[1]).reveal())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "site.db")]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = {process.communicate(timeout=60)[0] for process in running}
    assert len(printed) == 1
    assert printed.pop().startswith("development-")


def test_whoever_comes_second_takes_what_the_first_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = development_secret(tmp_path / "site.db")
    monkeypatch.setattr(Path, "exists", lambda _self: False)  # it was not there a moment ago
    assert development_secret(tmp_path / "site.db") == first


@pytest.mark.parametrize("content", ["", "development-short", "x" * 60])
def test_a_file_that_holds_something_else_is_refused_and_not_shown(content: str, tmp_path: Path) -> None:
    (tmp_path / "site.db.secret").write_text(content)
    with pytest.raises(DevelopmentSecretError, match="holds no development secret") as caught:
        development_secret(tmp_path / "site.db")
    assert "x" * 60 not in caught.value.message


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "coatcheck.db"
    development_secret(database)
    (tmp_path / "coatcheck.db.secret").chmod(0o666)
    with pytest.raises(DevelopmentSecretError, match="Others may write"):
        development_secret(database)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DevelopmentSecretError, match="No such file or directory"):
        development_secret(tmp_path / "nowhere" / "site.db")


@given(st.integers(1, 10**8))
def test_a_span_is_written_as_it_is_read(seconds: int) -> None:
    text = write_duration(parse_duration(f"{seconds} s"))
    assert parse_duration(text).total_seconds() == seconds


@given(st.text())
def test_any_text_is_a_span_or_a_value_error(text: str) -> None:
    try:
        span = parse_duration(text)
    except ValueError:
        return
    assert span.total_seconds() >= 0
