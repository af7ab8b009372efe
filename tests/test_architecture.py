"""The import rules, the purity of the domains and the house numbers, read off the source.

The tables are the rules; to change one is a decision about the design. A failure names the file and the line.
"""

import ast
import graphlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

# Who may import whom, besides itself. A name stands for a part and all that is in it.
BASE = {"_core", "errors", "identity"}
DOMAINS = {"accounts", "jose", "oauth", "revocation", "sessions"}
MAY_IMPORT: dict[str, set[str]] = {
    "_core": set(),
    "errors": {"_core"},
    "identity": {"_core", "errors"},
    "jose": {"_core", "errors"},
    "revocation": BASE,
    "sessions": BASE,
    "accounts": BASE,
    "accounts.passkeys": BASE | {"jose"},
    "oauth": BASE | {"jose", "revocation"},
    "verifier": BASE
    | {
        "jose",
        "revocation",
        "sessions.authentication_context",
        "sessions.cookie",
        "sessions.csrf",
        "sessions.errors",
    },
    "guards": BASE | {"verifier"},
    "inspection": BASE | {"jose"},
    "audit": BASE | {"inspection", "jose"},
    "advice": BASE,
    "flows": BASE | DOMAINS,
    "storage": BASE | {f"{part}.{module}" for part in (*DOMAINS, "flows") for module in ("model", "ports")},
    "mail": BASE | {"flows.messages", "flows.model", "flows.ports"},
    "web": BASE | DOMAINS | {"advice", "flows", "inspection"},
    "gateway": BASE | {"sessions", "verifier"},
    # The server too, to run it inside of an application.
    "integrations": BASE | {"flows.session_data", "server", "sessions", "verifier"},
    "server": BASE | DOMAINS | {"flows", "gateway", "mail", "storage", "verifier", "web"},
    # It runs what it measures: a server and services, their stores, their checks.
    "comparison": BASE | {"accounts", "flows", "jose", "server", "sessions", "storage", "verifier"},
    "cli": BASE
    | {
        "accounts",
        "audit",
        "comparison",
        "flows",
        "inspection",
        "jose",
        "oauth",
        "revocation.model",
        "server",
    }
    | {"advice", "sessions.model"},
    "__init__": {"errors"},  # the door
    "__main__": {"cli"},
}

# The pure zone opens no socket or file and reads no environment; time and entropy are handed in by `_core`.
# Nothing outside this list, therefore. (Key generation draws its randomness inside `cryptography`.)
PURE_ZONE = BASE | DOMAINS | {"advice", "audit", "inspection"}
PURE_IMPORTS = {
    *("__future__", "abc", "base64", "binascii", "bisect", "collections", "contextlib", "copy", "csv"),
    *("dataclasses", "datetime", "enum", "functools", "hashlib", "heapq", "hmac", "ipaddress", "itertools"),
    *("json", "math", "operator", "re", "string", "struct", "types", "typing", "unicodedata", "urllib.parse"),
    *("warnings", "weakref", "zlib"),
    *("coatcheck", "cryptography", "msgspec"),
}
ONLY_IN_CORE = {"os.urandom", "time"}
# What single modules may import besides, and why.
EXCEPTIONS: dict[str, set[str]] = {
    "accounts.blocklist": {"importlib.resources"},  # its data file
    "audit.guessing": {"importlib.resources"},  # likewise
    "advice.case_file": {"difflib", "tomllib"},  # what is read is given as octets
    "accounts.email_address": {"email_validator"},  # the syntax only: it looks nothing up
    "accounts.hashes.argon2": {"argon2"},
    "accounts.hashes.bcrypt": {"bcrypt"},
    # Its business is threads; the stopwatch measures what it promises to whoever is turned away.
    "accounts.hashing": {"argon2", "asyncio", "concurrent.futures", "threading", "time.perf_counter"},
}
IMPURE_CALLS = {"__import__", "breakpoint", "eval", "exec", "input", "open", "print"}
CLOCK_READINGS = {f"{kind}.{call}" for kind in ("date", "datetime") for call in ("now", "today", "utcnow")}

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_POSITIONAL = 3  # self and cls not counted; the rest is keyword-only


@dataclass(frozen=True)
class Module:
    """A file of the package. Its name is dotted, without ``coatcheck``: ``jose.jws``."""

    name: str
    source: str
    is_package: bool = False

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.source)))

    @property
    def part(self) -> str:
        return self.name.partition(".")[0]

    def imports(self) -> Iterator[tuple[int, str, str]]:
        """Line, module, and name if it is a ``from`` import; relative imports are made absolute."""
        path = ["coatcheck", *self.name.removesuffix("__init__").split(".")]
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parents = path[: len(path) - node.level + self.is_package] if node.level else []
                origin = ".".join(filter(None, [*parents, node.module]))
                yield from ((node.lineno, origin, alias.name) for alias in node.names)


def read_package() -> list[Module]:
    spec = importlib.util.find_spec("coatcheck")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    return [
        Module(
            name=".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"),
            source=path.read_text(encoding="utf-8"),
            is_package=path.name == "__init__.py",
        )
        for path in sorted(root.rglob("*.py"))
    ]


def within(module: str, parts: set[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def forbidden_imports(module: Module) -> Iterator[str]:
    rule = max((part for part in MAY_IMPORT if within(module.name, {part})), key=len, default=None)
    if rule is None:
        yield "a new part: give it a line in MAY_IMPORT"
        return
    for line, origin, name in module.imports():
        target = f"{origin}.{name}".removeprefix("coatcheck.")
        if origin == "coatcheck" and target not in MAY_IMPORT:
            yield f"{line}: imports {name or 'everything'} from the door, not from the part that owns it"
        elif within(origin, {"coatcheck"}) and not within(target, MAY_IMPORT[rule] | {module.part}):
            yield f"{line}: {rule} may not import {target}"


def impurities(module: Module) -> Iterator[str]:
    if module.part not in PURE_ZONE:
        return
    allowed = PURE_IMPORTS | (ONLY_IN_CORE if module.part == "_core" else EXCEPTIONS.get(module.name, set()))
    for line, origin, name in module.imports():
        if not within(f"{origin}.{name}", allowed):
            yield f"{line}: imports {origin}"
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Name(id=called)) if called in IMPURE_CALLS:
                yield f"{node.lineno}: calls {called}()"
            case ast.Attribute() if within(".".join(ast.unparse(node).split(".")[-2:]), CLOCK_READINGS):
                yield f"{node.lineno}: reads the clock by {ast.unparse(node)}"


def excesses(module: Module) -> Iterator[str]:
    lines = len(module.source.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"has {lines} lines"
    methods = {child for node in module.nodes if isinstance(node, ast.ClassDef) for child in node.body}
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {lines} lines"
            names = [parameter.arg for parameter in node.args.posonlyargs + node.args.args]
            count = len(names) - (node in methods and names[:1] in (["self"], ["cls"]))
            if count > MAX_POSITIONAL:
                yield f"{node.lineno}: {node.name} takes {count} positional parameters"


def find_cycle(modules: list[Module]) -> list[str]:
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        targets = [[f"{origin}.{name}", origin] for _, origin, name in module.imports()]
        found = [[path for path in target if path.removeprefix("coatcheck.") in names] for target in targets]
        graph[module.name] = {paths[0].removeprefix("coatcheck.") for paths in found if paths}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


MODULES = read_package()


@pytest.mark.parametrize("check", [forbidden_imports, impurities, excesses])
def test_the_package_keeps(check: Callable[[Module], Iterator[str]]) -> None:
    findings = [f"{module.name}:{finding}" for module in MODULES for finding in check(module)]
    assert not findings, "\n".join(findings)


def test_the_package_has_no_import_cycle() -> None:
    assert find_cycle(MODULES) == []


@pytest.mark.parametrize(
    "check, name, source",
    [
        (forbidden_imports, "jose.jws", "import coatcheck.sessions"),
        (forbidden_imports, "jose.jws", "from coatcheck.sessions import model"),
        (forbidden_imports, "jose.jws", "from coatcheck import sessions"),
        (forbidden_imports, "jose.jws", "from .. import sessions"),
        (forbidden_imports, "jose.jws", "from ..sessions.model import Session"),
        (forbidden_imports, "jose.jws", "def late():\n    import coatcheck.server"),
        (forbidden_imports, "jose.jws", "from coatcheck import CoatcheckError"),
        (forbidden_imports, "jose.jws", "import coatcheck"),
        (forbidden_imports, "sessions.manager", "from coatcheck.accounts.model import User"),
        (forbidden_imports, "accounts.users", "from coatcheck.jose import Key"),
        (forbidden_imports, "storage.sqlite", "from coatcheck.sessions.manager import Manager"),
        (forbidden_imports, "misc", ""),
        (impurities, "jose.jws", "import time"),
        (impurities, "jose.jws", "from os import urandom"),
        (impurities, "jose.jws", "import urllib.request"),
        (impurities, "_core.clock", "import socket"),
        (impurities, "accounts.passwords", "import argon2"),
        (impurities, "accounts.hashing", "from time import time"),
        (impurities, "sessions.policy", "text = open('policy.toml').read()"),
        (impurities, "sessions.policy", "started = datetime.now(UTC)"),
        (impurities, "sessions.policy", "started = datetime.datetime.now(datetime.UTC)"),
        (excesses, "jose.jws", "x = 1\n" * (MAX_FILE_LINES + 1)),
        (excesses, "jose.jws", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES),
        (excesses, "jose.jws", "def f(a, b, /, c, d, *, e): ..."),
        (excesses, "jose.jws", "class C:\n    async def f(self, a, b, c, d): ..."),
    ],
)
def test_a_breach_is_found(check: Callable[[Module], Iterator[str]], name: str, source: str) -> None:
    assert len(list(check(Module(name, source)))) == 1


@pytest.mark.parametrize(
    "name, source",
    [
        ("_core.clock", "import time"),
        ("accounts.passkeys", "from coatcheck.jose import Key"),
        ("jose.jws", "from coatcheck._core import base64url"),
        ("accounts.hashing", "from time import perf_counter"),
        ("jose.jws", "from . import errors\nfrom .errors import JOSEError"),
        ("jose.jws", "import datetime\nepoch = datetime.datetime.fromtimestamp(0, datetime.UTC)"),
        ("sessions.manager", "class C:\n    def f(self, a, b, c, *, d, e): ..."),
        ("storage.sqlite", "import sqlite3\nfrom coatcheck.sessions.model import Session"),
    ],
)
def test_what_is_allowed_is_not_called_a_breach(name: str, source: str) -> None:
    module = Module(name, source)
    assert [*forbidden_imports(module), *impurities(module), *excesses(module)] == []


def test_a_cycle_is_found() -> None:
    modules = [Module("jose.a", "from . import b"), Module("jose.b", "from .a import thing")]
    assert set(find_cycle(modules)) == {"jose.a", "jose.b"}
