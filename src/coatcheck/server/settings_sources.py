"""Where settings come from: arguments, the environment, a TOML file. Here they are only collected, not understood."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from .errors import SettingProblem, SettingsError
from .setting_values import did_you_mean

__all__ = ["CONFIG_VARIABLE", "FILE_KEYS", "PREFIX", "Given", "collect", "secret_files"]

PREFIX = "COATCHECK_"
CONFIG_VARIABLE = "COATCHECK_CONFIG"
FILE_KEYS = {
    "secret_file": "secret",
    "smtp_url_file": "smtp_url",
    "metrics_token_file": "metrics_token",
    "redis_file": "redis",
    "database_file": "database",  # its address may hold a password
}
_DEFAULT_FILE = "coatcheck.toml"
_MOST_OCTETS = 1_048_576
_MOST_SECRET_OCTETS = 65_536
# What container platforms put into the environment of everything beside a service that is called "coatcheck".
# What services that follow this server have in their environment, perhaps in the same shell.
_OF_SERVICES = frozenset({"VERIFIER_KEY"})
_PLATFORM = re.compile(r"(?:PORT|SERVICE_HOST|SERVICE_PORT|ENV|NAME)(?:_\w+)?")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it stands in a source.

    Attributes:
        value: As it stands there.
        source: The source, in words.
    """

    value: Any
    source: str


def collect(
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    config: Path | None,
    directory: Path,
    known: list[str],
) -> tuple[dict[str, Given], list[SettingProblem]]:
    """Return for each setting the value of the source that comes first, and what is wrong with the sources.

    Raises:
        SettingsError: If the TOML file cannot be read.
    """
    problems: list[SettingProblem] = []
    allowed = {*known, *FILE_KEYS}
    found: dict[str, Given] = {}
    for layer in _layers(
        arguments, environment=environment, config=config, directory=directory, known=allowed
    ):
        unknown = [key for key in layer if key not in allowed]
        problems += [_unknown(key, layer.pop(key), sorted(allowed)) for key in unknown]
        problems += _resolve_files(layer, directory)
        found |= layer
    return found, problems


def secret_files(
    arguments: Mapping[str, Any], *, environment: Mapping[str, str], config: Path | None, directory: Path
) -> tuple[Path, ...]:
    """Return the files that hold secrets in the place of settings, those of all sources.

    Raises:
        SettingsError: If the TOML file cannot be read.
    """
    layers = _layers(
        arguments, environment=environment, config=config, directory=directory, known=set(FILE_KEYS)
    )
    named = [layer[key].value for layer in layers for key in FILE_KEYS if key in layer]
    return tuple(dict.fromkeys(directory / name for name in named if isinstance(name, str | Path)))


def _layers(
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    config: Path | None,
    directory: Path,
    known: set[str],
) -> tuple[dict[str, Given], ...]:
    """Return what each source gives, the one that counts least first."""
    return (
        _from_file(config, environment=environment, directory=directory),
        _from_environment(environment, known=known),
        {key: Given(value=value, source="an argument") for key, value in arguments.items()},
    )


def _unknown(key: str, given: Given, known: list[str]) -> SettingProblem:
    hint = did_you_mean(key.lower(), known)
    return SettingProblem(key=key, source=given.source, message=f"there is no such setting.{hint}")


def _from_environment(environment: Mapping[str, str], *, known: set[str]) -> dict[str, Given]:
    """Take every variable with the prefix. An empty one is not set: that is how shells and containers leave it out."""
    layer: dict[str, Given] = {}
    for variable, value in environment.items():
        key = variable.removeprefix(PREFIX)
        if variable in {key, CONFIG_VARIABLE} or not value:
            continue
        if key.lower() not in known and (key in _OF_SERVICES or _PLATFORM.fullmatch(key)):
            continue
        layer[key.lower()] = Given(value=value, source=f"the environment variable {variable}")
    return layer


def _from_file(config: Path | None, *, environment: Mapping[str, str], directory: Path) -> dict[str, Given]:
    named = config if config is not None else environment.get(CONFIG_VARIABLE) or None
    path = directory / (_DEFAULT_FILE if named is None else named)
    if named is None and not path.is_file():
        return {}
    source = f"the file {path.name if named is None else named}"
    table = _read_toml(path, source)
    return {key: Given(value=value, source=source) for key, value in table.items()}


def _read_toml(path: Path, source: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            octets = file.read(_MOST_OCTETS + 1)
        if len(octets) > _MOST_OCTETS:
            raise _unreadable(source, f"it has more than {_MOST_OCTETS} octets.")
        return tomllib.loads(octets.decode("utf-8"))
    except OSError as error:
        raise _unreadable(source, f"it cannot be read: {error.strerror or 'the system refused'}.") from None
    except UnicodeDecodeError:
        raise _unreadable(source, "it is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        # Its words quote at most one character, never a value.
        raise _unreadable(source, f"it is no TOML: {error}.") from None


def _unreadable(source: str, message: str) -> SettingsError:
    return SettingsError([SettingProblem(key="config", source=source, message=message)])


def _resolve_files(layer: dict[str, Given], directory: Path) -> list[SettingProblem]:
    """Put the content of files that hold secrets in the place of their names."""
    problems: list[SettingProblem] = []
    for file_key, key in FILE_KEYS.items():
        given = layer.pop(file_key, None)
        if given is None or given.value is None:
            continue
        try:
            if key in layer:
                raise ValueError(f"{key} is given there as well: choose one of the two.")  # noqa: TRY301
            text = _read_secret_file(directory, given.value)
        except ValueError as error:
            problems.append(SettingProblem(key=file_key, source=given.source, message=str(error)))
        else:
            layer[key] = Given(value=text, source=f"the file that {file_key} names in {given.source}")
    return problems


def _read_secret_file(directory: Path, name: Any) -> str:
    if not isinstance(name, str | Path):
        raise ValueError("it must be the path of a file.")  # noqa: TRY004 - a value, not a call, is wrong
    try:
        with (directory / name).open("rb") as file:
            octets = file.read(_MOST_SECRET_OCTETS)
        text = octets.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("the file is not text.") from None
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror or 'the system refused'}.") from None
    if not text:
        raise ValueError("the file is empty.")
    return text
