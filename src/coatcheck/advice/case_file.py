"""A case as a small TOML file. It is hostile until it is read, and all that is wrong with it is told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .._core.text import shortened, visible
from .errors import CaseError
from .model import (
    ASSURANCES,
    CLIENTS,
    FRAMEWORKS,
    HOSTS,
    OFFLINE,
    SIGN_INS,
    SIGN_OUTS,
    VERIFIERS,
    Addresses,
    Case,
)
from .questions import QUESTIONS

__all__ = ["MOST_OCTETS", "read_case", "write_case"]

MOST_OCTETS = 65_536
"""The largest file that is read."""

_SEVERAL: Mapping[str, tuple[str, ...]] = {"clients": CLIENTS, "verifiers": VERIFIERS}
_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "sign_in": SIGN_INS,
    "hosts": HOSTS,
    "sign_out": SIGN_OUTS,
    "offline": OFFLINE,
    "assurance": ASSURANCES,
    "framework": FRAMEWORKS,
}
_SWITCHES = ("backend", "hidden")
_ADDRESSES = ("app", "server", "api")
_KNOWN = (*_SEVERAL, *_ONE_OF, *_SWITCHES, "addresses")
# What may stand in a shell's line, in TOML and in Python without being quoted.
_ADDRESS = re.compile(
    r"https://[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?::[1-9][0-9]{0,4})?"
    r"(?P<path>(?:/[A-Za-z0-9_-]+)*)",
    re.ASCII,
)
_LONGEST_ADDRESS = 200
_MOST_SHOWN = 60


def read_case(octets: bytes) -> Case:
    """Return the case that a file describes.

    Args:
        octets: The content of the file.

    Raises:
        CaseError: With all that is wrong: an unknown name, an impossible answer, no TOML at all.
    """
    table = _parsed(octets)
    problems: list[str] = []
    fields: dict[str, Any] = {}
    for name, value in table.items():
        try:
            fields[name] = _read(name, value)
        except CaseError as error:
            problems += error.problems
    if not fields.get("clients") and not any(problem.startswith("clients:") for problem in problems):
        problems.insert(0, f"clients: name at least one of {', '.join(CLIENTS)}.")
    if problems:
        raise CaseError(tuple(problems))
    case = Case(**fields)
    if case.hosts == "one" and len(_hosts(case.addresses)) > 1:
        raise CaseError(('hosts: the addresses are on several hosts: write "subdomains" or "domains".',))
    return case


def _hosts(addresses: Addresses) -> set[str]:
    """Return the hosts of what browsers open."""
    return {urlsplit(each).hostname or "" for each in (addresses.app, addresses.server) if each}


def write_case(case: Case) -> str:
    """Return a case as a file that ``read_case`` reads, with the questions as comments."""
    lines: list[str] = []
    for question in QUESTIONS:
        value = getattr(case, question.name)
        values = [choice.value for choice in question.choices]
        lines.append(f"# {question.ask} ({', '.join(values)})")
        lines.append(f"{question.name} = {_written(value)}")
    given = [(name, getattr(case.addresses, name)) for name in _ADDRESSES]
    if any(value for _, value in given):
        lines += ["", "[addresses]", *(f'{name} = "{value}"' for name, value in given if value)]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    return f'"{value}"'


def _parsed(octets: bytes) -> dict[str, Any]:
    if len(octets) > MOST_OCTETS:
        raise CaseError((f"The file has more than {MOST_OCTETS:,} octets.",))
    try:
        return tomllib.loads(octets.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CaseError(("The file is not UTF-8.",)) from None
    except RecursionError:
        raise CaseError(("The file is no TOML that anybody wrote: it is nested too deeply.",)) from None
    except ValueError as error:  # TOMLDecodeError, and numbers of more digits than Python reads
        raise CaseError((f"The file is no TOML: {visible(shortened(str(error), _MOST_SHOWN))}.",)) from None


def _read(name: str, value: Any) -> Any:
    if name in _SEVERAL:
        return _several(name, value, _SEVERAL[name])
    if name in _ONE_OF:
        return _one(name, value, _ONE_OF[name])
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise CaseError((f"{name}: write true or false, without quotes.",))
        return value
    if name == "addresses":
        return _addresses(value)
    raise CaseError((f"{_shown(name)}: there is no such answer.{_meant(name, _KNOWN)}",))


def _several(name: str, value: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise CaseError((f'{name}: write a list, as in ["{known[0]}"].',))
    found = [_one(name, each, known) for each in value[: len(known) + 1]]
    if len(value) > len(known) or len(set(found)) < len(found):
        raise CaseError((f"{name}: name each one once.",))
    if name == "clients" and not found:
        raise CaseError((f"clients: name at least one of {', '.join(known)}.",))
    return tuple(each for each in known if each in found)


def _one(name: str, value: Any, known: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise CaseError((f"{name}: write a text in quotes: {', '.join(known)}.",))
    if value not in known:
        meant = _meant(value, known) or f" There is {', '.join(known)}."
        raise CaseError((f"{name}: {_shown(value)} is none of the answers.{meant}",))
    return value


def _addresses(value: Any) -> Addresses:
    if not isinstance(value, dict):
        raise CaseError(("addresses: write a table, [addresses], with app, server or api in it.",))
    problems = [
        f"addresses.{_shown(name)}: there is no such address.{_meant(name, _ADDRESSES)}"
        for name in value
        if name not in _ADDRESSES
    ]
    problems += [
        f"addresses.{name}: write an https address in small letters, as in https://{name}.example.com"
        + (", with a path or without." if name == "api" else ", without a path.")
        for name in _ADDRESSES
        if name in value and not _is_address(value[name], with_path=name == "api")
    ]
    if problems:
        raise CaseError(tuple(problems))
    return Addresses(**value)


def _is_address(value: Any, *, with_path: bool) -> bool:
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        return False
    match = _ADDRESS.fullmatch(value)
    return match is not None and (with_path or not match["path"])


def _shown(text: str) -> str:
    return visible(shortened(text, _MOST_SHOWN))


def _meant(given: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(given[:_MOST_SHOWN].lower().replace(" ", "-"), known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""
