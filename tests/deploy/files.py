"""The files of deploy/, read."""

import re
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = tuple(sorted(path for path in DEPLOY.iterdir() if path.is_file()))


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))
    return found


def nodes() -> dict[str, dict[str, Any]]:
    """Return the services of the compose file that are nodes."""
    return {name: each for name, each in compose()["services"].items() if name.startswith("node")}


def kubernetes(kind: str) -> dict[str, Any]:
    """Return the only object of a kind."""
    (found,) = [each for each in yaml.safe_load_all(text_of("kubernetes.yaml")) if each["kind"] == kind]
    typed: dict[str, Any] = found
    return typed


def pod() -> dict[str, Any]:
    found: dict[str, Any] = kubernetes("Deployment")["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    (found,) = pod()["containers"]
    typed: dict[str, Any] = found
    return typed


def unit(name: str = "coatcheck.service") -> dict[str, list[str]]:
    """Return the values of each directive of a unit."""
    found: dict[str, list[str]] = {}
    for line in text_of(name).splitlines():
        if line and line[0] not in "#[":
            directive, _, value = line.partition("=")
            found.setdefault(directive, []).append(value)
    return found


def unit_environment() -> dict[str, str]:
    return dict(each.split("=", 1) for each in unit()["Environment"])


def recipe() -> list[tuple[str, str]]:
    """Return the instructions of the container recipe, and what they are told."""
    lines = [line for line in text_of("Containerfile").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (name, rest)
        for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def directive(name: str) -> list[str]:
    """Return the values that a directive of nginx has, in order."""
    return re.findall(rf"^\s*{name} ([^;]*);", text_of("nginx.conf"), re.MULTILINE)


def seconds(text: str) -> int:
    """Return a span of time as these files write it."""
    found = re.fullmatch(r"(\d+)s?", text)
    assert found, text
    return int(found[1])
