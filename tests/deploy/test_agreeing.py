"""What is in deploy/ agrees with the program, and with itself."""

import inspect
import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from coatcheck.flows.signal_policy import SignalPolicy
from coatcheck.server import load_settings, run
from coatcheck.server.connections import HEAD_OCTETS
from coatcheck.server.health import LIVE_PATH, READY_PATH
from coatcheck.server.metrics.endpoint import PATH as METRICS_PATH
from coatcheck.server.settings_model import Settings
from coatcheck.server.settings_sources import CONFIG_VARIABLE, FILE_KEYS, PREFIX
from coatcheck.web.bodies import MAX_OCTETS
from tests.deploy.files import (
    DEPLOY,
    FILES,
    compose,
    container,
    directive,
    kubernetes,
    nodes,
    pod,
    recipe,
    seconds,
    text_of,
    unit,
    unit_environment,
)

_SECRETS: Final = {
    "secret": "tK3vQ9sX7wLr2nB5mZ8cF4hJ6pD1gYaEuV0iOqTxWkA=",
    "database": "postgresql://coatcheck:pw@10.0.0.5/coatcheck",
    "smtp-url": "smtp://user:pw@mail.example.com:587",
}
_GIVEN: Final = {
    "COATCHECK_BASE_URL": "https://id.example.com",
    "COATCHECK_MAIL_FROM": "Example <no-reply@example.com>",
}
_ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_that_of_a_setting(path: Path) -> None:
    known = {*msgspec.structs.asdict(Settings()), *FILE_KEYS}
    variables = {PREFIX + name.upper() for name in known} | {CONFIG_VARIABLE}
    assert set(re.findall(r"\bCOATCHECK_[A-Z_]+", path.read_text())) <= variables


def from_compose() -> dict[str, str]:
    (environment,) = {json.dumps(node["environment"]) for node in nodes().values()}
    given: dict[str, str] = json.loads(environment)
    assert {name for name, value in given.items() if value.startswith("${")} == set(_GIVEN)
    return given | _GIVEN


def from_kubernetes() -> dict[str, str]:
    found: dict[str, str] = kubernetes("ConfigMap")["data"]
    return found


def from_unit() -> dict[str, str]:
    found = {name: value for name, value in unit_environment().items() if name.startswith(PREFIX)}
    found.pop(CONFIG_VARIABLE)  # the rest is in the file that it names
    return {**found, **_GIVEN, "COATCHECK_TRUSTED_PROXIES": "127.0.0.1"}


@pytest.mark.parametrize("given", [from_compose, from_kubernetes, from_unit], ids=lambda each: each.__name__)
def test_production_accepts_the_settings_as_they_are_given(given: Any, tmp_path: Path) -> None:
    for name, content in _SECRETS.items():
        (tmp_path / name).write_text(f"{content}\n")
    environment = {
        name: str(tmp_path / value.rpartition("/")[2]) if name.endswith("_FILE") else value
        for name, value in given().items()
    }
    settings = load_settings(environment=environment, directory=tmp_path)
    assert settings.mode == "production"
    assert settings.database == _SECRETS["database"]
    assert settings.secret is not None
    assert settings.secret.reveal() == _SECRETS["secret"]
    assert settings.smtp_url is not None
    assert settings.trusted_proxies != ()


def values_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in values_in(each)]
    if isinstance(value, list):
        return [text for each in value for text in values_in(each)]
    return [str(value)]


def test_no_secret_is_written_down() -> None:
    settings = {**from_compose(), **from_kubernetes(), **unit_environment()}
    for name in ("COATCHECK_SECRET", "COATCHECK_DATABASE", "COATCHECK_SMTP_URL"):
        assert name not in settings
    assert "COATCHECK_METRICS_TOKEN" not in settings
    everything = [
        *values_in(compose()),
        *values_in(list(settings.values())),
        *text_of("Containerfile").split(),
    ]
    assert not [text for text in everything if re.search(r"://[^/\s]*:[^/\s]*@", text)]
    for service in compose()["services"].values():
        for name in service.get("environment", {}):
            assert "PASSWORD" not in name or name.endswith("_FILE")
    assert "kind: Secret" not in text_of("kubernetes.yaml")


def test_the_secrets_that_are_named_are_handed_over() -> None:
    declared = compose()["secrets"]
    for service in compose()["services"].values():
        paths = re.findall(
            r"/run/secrets/([\w.-]+)", json.dumps([service.get("environment"), service.get("command")])
        )
        assert sorted(paths) == sorted(service.get("secrets", []))
        assert set(paths) <= set(declared)
    (mount,) = [each for each in container()["volumeMounts"] if each["name"] == "secrets"]
    files = [value for name, value in from_kubernetes().items() if name.endswith("_FILE")]
    assert {str(Path(file).parent) for file in files} == {mount["mountPath"]}
    loaded = {each.split(":")[0] for each in unit()["LoadCredential"]}
    assert {value for name, value in unit_environment().items() if name.endswith("_FILE")} == {
        f"%d/{name}" for name in loaded
    }


def test_what_restarts_a_node_asks_whether_it_lives_and_what_sends_requests_whether_it_is_ready() -> None:
    port = f"http://127.0.0.1:8000{READY_PATH}"
    for node in nodes().values():
        assert port in json.dumps(node["healthcheck"]["test"])
    assert container()["livenessProbe"]["httpGet"]["path"] == LIVE_PATH
    assert container()["startupProbe"]["httpGet"]["path"] == LIVE_PATH
    assert container()["readinessProbe"]["httpGet"]["path"] == READY_PATH
    (check,) = [rest for name, rest in recipe() if name == "HEALTHCHECK"]
    assert f"http://127.0.0.1:8000{LIVE_PATH}" in check
    assert unit()["ExecStartPost"][0].endswith(port)


def test_all_speak_of_one_port() -> None:
    (command,) = [json.loads(rest) for name, rest in recipe() if name == "CMD"]
    assert command[-2:] == ["--port", "8000"]
    assert container()["args"] == command
    assert container()["ports"] == [{"name": "http", "containerPort": 8000}]
    assert ("EXPOSE", "8000") in recipe()
    assert "--port 8000" in unit()["ExecStart"][0]
    for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
        assert container()[probe]["httpGet"]["port"] == "http"
    assert kubernetes("Service")["spec"]["ports"][0]["targetPort"] == "http"


def test_nginx_knows_the_nodes_of_the_compose_file_and_they_believe_it_alone() -> None:
    networks = [service["networks"] for service in nodes().values()]
    upstream = [each.split()[0] for each in directive("server") if re.match(r"[\d.]+:", each)]
    assert upstream == [f"{each['front']['ipv4_address']}:8000" for each in networks]
    address = compose()["services"]["nginx"]["networks"]["front"]["ipv4_address"]
    assert from_compose()["COATCHECK_TRUSTED_PROXIES"] == address


def test_whoever_stops_a_node_waits_until_it_has_answered() -> None:
    for node in nodes().values():
        assert seconds(node["stop_grace_period"]) >= 2 * run._LONGEST_GOODBYE
    assert seconds(unit()["TimeoutStopSec"][0]) >= 2 * run._LONGEST_GOODBYE
    pause = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod()["terminationGracePeriodSeconds"] >= pause + 2 * run._LONGEST_GOODBYE


def test_nginx_waits_as_long_as_the_program_takes_and_holds_no_connection_longer() -> None:
    source = inspect.getsource(run)
    (kept,) = re.findall(r"timeout_keep_alive=(\d+)", source)
    to_nodes, _ = directive("keepalive_timeout")
    assert seconds(to_nodes) < int(kept)
    waits, for_the_ledger = map(seconds, directive("proxy_read_timeout"))
    assert waits > SignalPolicy().long_poll.total_seconds()
    assert for_the_ledger > 10


def test_nginx_takes_what_the_program_does() -> None:
    (body,) = directive("client_max_body_size")
    assert int(body.removesuffix("k")) * 1024 > MAX_OCTETS  # so that it is the program who refuses
    number, size = directive("large_client_header_buffers")[0].split()
    assert int(number) * int(size.removesuffix("k")) * 1024 <= HEAD_OCTETS


def test_paths_are_those_of_the_program() -> None:
    prefix = Settings().prefix
    paths = re.findall(r"^    location (= )?(\S+) \{", text_of("nginx.conf"), re.MULTILINE)
    assert {path for _, path in paths} == {
        "/",
        f"{prefix}/",
        "/.well-known/",
        f"{prefix}/ledger",
        "/.well-known/acme-challenge/",
    }
    (rule,) = kubernetes("Ingress")["spec"]["rules"]
    ingress = {(each["path"], each["pathType"]) for each in rule["http"]["paths"]}
    assert ingress == {("/", "Exact"), (prefix, "Prefix"), ("/.well-known", "Prefix")}
    for path in (LIVE_PATH, READY_PATH, METRICS_PATH):
        assert not path.startswith((f"{prefix}/", "/.well-known/"))


def test_the_image_installs_extras_that_there_are() -> None:
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", text_of("Containerfile"))
    declared = re.findall(r"^(\w+) = \[", (_ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {"server", "cli", "postgres", "redis"} == set(extras.split(",")) <= set(declared)


def test_what_holds_secrets_gets_neither_into_the_image_nor_into_the_repository() -> None:
    assert text_of("Containerfile.dockerignore").split() == ["*", "!dist/coatcheck-*.whl"]
    ignored = (_ROOT / ".gitignore").read_text().split()
    files = [each["file"] for each in compose()["secrets"].values()]
    volumes = [each.split(":")[0] for each in compose()["services"]["nginx"]["volumes"]]
    folders = {path.split("/")[1] for path in [*files, *volumes] if path.count("/") == 2 or path == "./tls"}
    assert folders == {"secrets", "tls"}
    assert {f"/deploy/{folder}/" for folder in folders} <= set(ignored)


def test_nothing_else_lies_in_the_folder() -> None:
    assert [path.name for path in FILES] == [
        "Containerfile",
        "Containerfile.dockerignore",
        "coatcheck.service",
        "coatcheck@.service",
        "compose.yaml",
        "kubernetes.yaml",
        "nginx.conf",
    ]
    assert DEPLOY.is_dir()
