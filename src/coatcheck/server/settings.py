"""Settings: typed, from arguments, the environment and a TOML file, in this order.

A setting ``name`` is ``COATCHECK_NAME`` in the environment and ``name`` in the file, which is the one that
``COATCHECK_CONFIG`` names, or ``coatcheck.toml`` in the working directory if it is there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from .errors import SettingProblem, SettingsError
from .secret import Secret
from .setting_rules import broken_rules
from .setting_values import About, read_value, write_duration
from .settings_model import Settings
from .settings_sources import Given, collect

__all__ = ["Secret", "Settings", "check_settings", "describe", "load_settings"]

_DEFAULT = "not set"


def load_settings(
    *,
    config: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    directory: str | os.PathLike[str] = ".",
    **arguments: Any,
) -> Settings:
    """Return the settings, all of them checked.

    Args:
        config: The TOML file, if not the one that the environment names.
        environment: Instead of the process's own.
        directory: What relative paths of files to read are relative to.
        arguments: Settings by name; they come before all other sources.

    Raises:
        SettingsError: With all that is wrong: unknown names, impossible values, and what the mode refuses.
    """
    kinds = _kinds()
    found, problems = collect(
        arguments,
        environment=os.environ if environment is None else environment,
        config=None if config is None else Path(config),
        directory=Path(directory),
        known=list(kinds),
    )
    values: dict[str, Any] = {}
    for key, given in found.items():
        try:
            kind, about = kinds[key]
            values[key] = read_value(kind, given.value, about)
        except ValueError as error:
            problems.append(SettingProblem(key=key, source=given.source, message=str(error)))
    if problems:
        raise SettingsError(problems)
    settings = Settings(**values)
    _refuse_broken(settings, found)
    return settings


def check_settings(settings: Settings) -> None:
    """Refuse settings that do not go together, or that their mode refuses.

    Raises:
        SettingsError: With every rule that is broken.
    """
    _refuse_broken(settings, {})


def _refuse_broken(settings: Settings, found: Mapping[str, Given]) -> None:
    problems = [
        SettingProblem(key=key, source=found[key].source if key in found else _DEFAULT, message=message)
        for key, message in broken_rules(settings)
    ]
    if problems:
        raise SettingsError(problems)


def _kinds() -> dict[str, tuple[Any, About]]:
    hints = get_type_hints(Settings, include_extras=True)
    return {key: get_args(hint)[:2] for key, hint in hints.items()}


def describe() -> str:
    """Return the table of all settings in Markdown, as the documentation has it."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    rows = [
        f"| `{key}` | {_kind_in_words(kind)} | {_default_in_words(defaults[key])} | {about.text} |"
        for key, (kind, about) in _kinds().items()
    ]
    return "\n".join(["| setting | value | default | what it does |", "|---|---|---|---|", *rows]) + "\n"


_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "number",
    timedelta: "span of time",
    Secret: "secret",
}


def _kind_in_words(kind: Any) -> str:
    if get_origin(kind) in {UnionType, Union}:
        (inner,) = (part for part in get_args(kind) if part is not NoneType)
        return _kind_in_words(inner) if inner is Secret else f"{_kind_in_words(inner)} or `none`"
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    return "list of texts" if get_origin(kind) is tuple else _WORDS[kind]


def _default_in_words(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, timedelta):
        return f"`{write_duration(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
