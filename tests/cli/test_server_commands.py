import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from coatcheck._core import clock
from coatcheck.server.settings import Settings
from tests.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, dict[str, Any]]]:
    """What would be served, instead of serving it."""
    calls: list[tuple[Settings, dict[str, Any]]] = []
    monkeypatch.setattr(
        "coatcheck.server.run.serve", lambda settings, **options: calls.append((settings, options))
    )
    return calls


Served = list[tuple[Settings, dict[str, Any]]]


def test_serve_runs_what_the_settings_describe(run: Run, production: dict[str, str], served: Served) -> None:
    arguments = ("--host", "0.0.0.0", "--port", "9000", "--workers", "2")  # noqa: S104 - in a container
    assert run("serve", *arguments, env=production).exit_code == 0
    ((settings, options),) = served
    assert settings.mode == "production"
    assert options == {"host": "0.0.0.0", "port": 9000, "workers": 2, "access_log": True}  # noqa: S104


def test_serve_reads_the_file_that_it_is_told(run: Run, tmp_path: Path, served: Served) -> None:
    (tmp_path / "site.toml").write_text('name = "Mine"\n')
    assert run("serve", "--config", "site.toml").exit_code == 0
    assert served[0][0].name == "Mine"
    assert served[0][1] == {"host": "127.0.0.1", "port": 8000, "workers": 1, "access_log": True}


def test_serve_says_where_a_server_for_development_is(run: Run, served: Served) -> None:
    result = run("serve", "--port", "9000")
    assert "http://localhost:9000\n" in result.stdout
    assert "http://localhost:9000/auth/dev/mail\n" in result.stdout
    assert served[0][0].base_url == "http://localhost:9000"


def test_serve_in_production_leaves_the_standard_output_to_its_log(
    run: Run, production: dict[str, str], served: Served
) -> None:
    assert run("serve", env=production).stdout == ""
    assert len(served) == 1


def test_serve_leaves_the_access_log_to_the_proxy_if_told(run: Run, served: Served) -> None:
    assert run("serve", "--no-access-log").exit_code == 0
    assert served[0][1]["access_log"] is False


def test_serve_refuses_unsafe_settings(run: Run, production: dict[str, str], served: Served) -> None:
    result = run("serve", env={**production, "COATCHECK_BASE_URL": "http://app.example.com"})
    assert result.exit_code == 2
    assert "base_url (the environment variable COATCHECK_BASE_URL)" in result.stderr
    assert "hunter2" not in result.stderr
    assert served == []


def test_development_does_not_serve_others(run: Run) -> None:
    result = run("serve", "--host", "0.0.0.0")  # noqa: S104 - that is what is refused
    assert result.exit_code == 2
    assert "[public_development]" in result.stderr


def test_a_port_that_another_program_has_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        result = run("serve", "--port", str(listening.getsockname()[1]))
    assert result.exit_code == 2
    assert "[address_in_use]" in result.stderr


def test_dev_says_where_it_is_and_where_mails_are(run: Run, served: Served) -> None:
    result = run("dev", "--port", "9000")
    assert result.exit_code == 0
    assert "http://localhost:9000\n" in result.stdout
    assert "http://localhost:9000/auth/dev/mail\n" in result.stdout
    ((settings, options),) = served
    assert (settings.mode, settings.base_url) == ("development", "http://localhost:9000")
    assert options == {"host": "localhost", "port": 9000, "workers": 1, "demo": True}


def test_dev_with_a_mail_server_promises_no_page(run: Run, served: Served) -> None:
    env = {"COATCHECK_SMTP_URL": "smtp://localhost:2525", "COATCHECK_MAIL_FROM": "a@example.com"}
    assert "dev/mail" not in run("dev", env=env).stdout
    assert len(served) == 1


def listed_without(module: str) -> subprocess.CompletedProcess[str]:
    """Run ``coatcheck user list`` in an interpreter in which a module is not there."""
    program = f"import sys; sys.modules[{module!r}] = None; from coatcheck.cli import main; main()"
    command = [sys.executable, "-c", program, "user", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={})


def test_without_the_extra_it_is_said_which() -> None:
    result = listed_without("argon2")
    assert result.returncode == 2
    assert 'pip install "coatcheck[server]"' in result.stderr


def test_a_module_of_our_own_that_is_missing_is_no_missing_extra() -> None:
    result = listed_without("coatcheck.web.app")
    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr


# --- doctor --------------------------------------------------------------------------------------------------


def test_the_doctor_explains_and_says_what_to_do(run: Run) -> None:
    result = run("doctor", env={"COATCHECK_MODE": "production"})
    assert result.exit_code == 1
    assert "The setting secret cannot be used (not set)" in result.stdout
    assert "openssl rand" in result.stdout


def test_notes_alone_are_no_failure(run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "There is no database coatcheck.db yet" in result.stdout


def test_the_doctor_speaks_json(run: Run) -> None:
    (finding,) = json.loads(run("doctor", "--json").stdout)
    assert run("doctor", "--json", env={"COATCHECK_MODE": "production"}).exit_code == 1
    assert set(finding) == {"level", "code", "title", "explanation", "fix"}
    assert (finding["level"], finding["code"]) == ("note", "no_database")


def test_the_doctor_tells_of_a_deployment_that_is_away(run: Run) -> None:
    result = run("doctor", "--url", f"http://127.0.0.1:{free_port()}", "--prefix", "/login")
    assert result.exit_code == 1
    assert "/login/sign-in does not answer" in result.stdout


def test_the_doctor_wants_an_origin(run: Run) -> None:
    result = run("doctor", "--url", "app.example.com")
    assert result.exit_code == 2
    assert "[wrong_usage]" in result.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def development(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """``coatcheck dev`` as a process of its own, when it answers."""
    port = free_port()
    command = [sys.executable, "-m", "coatcheck", "dev", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_for(port, process)
            yield port, process
        finally:
            process.kill()


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()[0]
        try:
            with socket.create_connection(("localhost", port), timeout=0.1):
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    pytest.fail("it does not listen")


def test_a_development_server_runs_is_healthy_and_ends_by_ctrl_c(
    run: Run, development: tuple[int, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "system_clock", time.time)  # that of the other process
    port, process = development
    with urlopen(f"http://localhost:{port}/auth/sign-in", timeout=20) as page:
        assert b"<form" in page.read()
    examined = run("doctor", "--url", f"http://localhost:{port}")
    assert (examined.stdout, examined.exit_code) == ("Nothing is wrong.\n", 0)
    assert run("user", "add", "ann@example.com").exit_code == 0  # beside the running server
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert f"http://localhost:{port}\n" in output
    assert "Traceback" not in output
