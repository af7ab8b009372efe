"""Every statement of the records as PostgreSQL runs it, and which of them read a table from one end to the other."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import time
from typing import Any

import psycopg

from bench.scale import fill
from bench.scale.engines import Postgres
from coatcheck.storage import sql as records

_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
_PARAMETER = re.compile(r":([a-z_]+)")
_SMALL = 10_000
"""Rows: below that, reading a table as a whole is what a planner does and should."""
_MANY = 1_000
# No row has to belong to another that is there; but the trigger that numbers the ledger's entries has to run.
_NO_REFERENCES = (
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER number_entry; SET LOCAL session_replication_role = replica"
)
# What an administrator asks for by name, or a node does once when it starts with shorter limits than before; no request
# of anybody waits for it. Ending all sessions counts them, which is the answer to the command.
_WHOLE: Mapping[str, str] = {
    "keys._DELETE_RETIRED": "the server's own keys are a handful",
    "sessions._COUNT": "ending all sessions: counts them",
    "sessions._COUNT_BEGUN": "ending all sessions begun before: counts them",
    "sessions._CARRY_OVER": "ending all sessions begun before: keeps the others",
    "sessions._LIST_LONGER": "at a start: sessions longer than the settings allow",
}
_INT = (
    "limit",
    "number",
    "revision",
    "attempts",
    "seq",
    "size",
    "given",
    "place",
    "data_revision",
    "uses_left",
)
_BYTES = ("digest", "binding", "document", "data", "client", "sealed", "claims", "successor")
_TIMES = ("at", "now", "until", "before", "time", "iat", "exp", "cutoff", "lifetime", "timeout", "by", "from")


@dataclass(frozen=True)
class Plan:
    """How a statement was run."""

    name: str
    nodes: str
    """The kinds of its scans, and of which table."""
    buffers: int
    """Pages of 8 KiB that it touched."""
    milliseconds: float
    scans: str
    """The tables that were read as a whole though they are large, or have no index for it."""
    excused: str
    """Why that is all right, if it is."""
    failure: str = ""


def statements() -> Iterator[tuple[str, str]]:
    """Give every statement of the records, with the name of its constant."""
    for module in pkgutil.iter_modules(records.__path__):
        found = vars(importlib.import_module(f"{records.__name__}.{module.name}"))
        for name, value in sorted(found.items()):
            if isinstance(value, str) and name.startswith("_") and _STATEMENT.match(value):
                yield f"{module.name}.{name}", value


def explain(postgres: Postgres, database: str) -> list[Plan]:
    """Run every statement once, in a transaction that is taken back, and look at its plan."""
    with postgres.connect(database) as connection:
        connection.autocommit = False
        rows = dict(connection.execute("SELECT relname, reltuples FROM pg_class").fetchall())
        found = [_explained(connection, name, sql, rows) for name, sql in statements() if _is_whole(sql)]
        connection.rollback()
    return found


def _is_whole(sql: str) -> bool:
    """Whether it is a statement and not the beginning of some, which have conditions behind it."""
    return not sql.lstrip().startswith("SELECT") or "WHERE" in sql or "LIMIT" in sql or "count(*)" in sql


def _explained(connection: psycopg.Connection[Any], name: str, sql: str, rows: Mapping[str, float]) -> Plan:
    text = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
    parameters = {each: _value(each, name) for each in _PARAMETER.findall(sql)}
    try:
        plan = _run(connection, text, parameters, also=_NO_REFERENCES)
        scans = _whole_scans(plan["Plan"], rows)
        if scans and all(rows.get(table, 0) < _SMALL for table in scans):
            # It may be small, and that is why. Would there be an index?
            plan = _run(
                connection, text, parameters, also=f"{_NO_REFERENCES}; SET LOCAL enable_seqscan = off"
            )
            scans = _whole_scans(plan["Plan"], rows, small=True)
    except psycopg.Error as error:
        return Plan(name, "", 0, 0.0, "", "", str(error).splitlines()[0])
    top = plan["Plan"]
    return Plan(
        name=name,
        nodes=", ".join(dict.fromkeys(_scans(top))) or top["Node Type"],
        buffers=top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0),
        milliseconds=plan["Execution Time"],
        scans=", ".join(dict.fromkeys(scans)),
        excused=_WHOLE.get(name, ""),
    )


def _run(connection: psycopg.Connection[Any], text: str, parameters: Mapping[str, Any], *, also: str) -> Any:
    connection.rollback()
    connection.execute(also)
    sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}"
    row = connection.execute(sql, parameters).fetchone()
    connection.rollback()
    assert row is not None
    return row[0][0]


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _walk(below)


def _scans(top: Mapping[str, Any]) -> Iterator[str]:
    for node in _walk(top):
        if "Scan" in node["Node Type"]:
            where = node.get("Index Name") or node.get("Relation Name") or ""
            yield f"{node['Node Type']} {where}".strip()


def _whole_scans(top: Mapping[str, Any], rows: Mapping[str, float], *, small: bool = False) -> list[str]:
    """The tables that a plan reads as a whole; of small ones, with ``small``, those that have no index for it."""
    found = []
    for node in _walk(top):
        table = node.get("Relation Name", "")
        is_small = small and rows.get(table, 0) < _SMALL
        removed = node.get("Rows Removed by Filter", 0)
        if node["Node Type"] == "Seq Scan":
            is_whole = table != "session_generation" and (not is_small or bool(node.get("Filter")))
        else:  # an index for the order, say, and none for the condition
            has_read = (node.get("Actual Rows", 0) + removed) * node.get("Actual Loops", 1)
            is_unbound = "Index" in node["Node Type"] and "Index Cond" not in node
            is_whole = not is_small and (removed > _MANY or (is_unbound and has_read > _MANY))
        if is_whole:
            found.append(table)
    return found


def _value(parameter: str, statement: str) -> object:
    """Something of the right type, of a record that is there where it matters."""
    module = statement.partition(".")[0]
    name = parameter.removeprefix("old_").removeprefix("new_")
    known: dict[str, object] = {
        "user_id": fill.identifier("user", 7),
        "session_id": fill.identifier("session", 70),
        "parent_id": fill.identifier("session", 70),
        "email": "person7@example.com",
        "email_key": "person7@example.com",
        "limit": 100,
        "lifetime": 60.0 * 86_400,
        "idle_timeout": 60.0 * 86_400,
        "is_last_word": False,
        "stillborn": False,
        "scopes": "[]",
        "rotated_before": time() - 10,
        "after": 0 if module in {"ledger", "signals", "statuses"} else "",
        "first": 1,
        "end": 100,
        "before": 1 if module == "statuses" else time(),
    }
    if name == "id":
        return fill.identifier(
            "session" if module == "sessions" else "user", 70 if module == "sessions" else 7
        )
    if name == "digest":
        text = fill.secret(70) if module == "sessions" else "token-70"
        return hashlib.sha256(text.encode()).digest()
    return known[name] if name in known else _by_kind(name)


def _by_kind(name: str) -> object:
    last = name.rpartition("_")[2]
    if last in _INT or name in _INT:
        return 1
    if last in _BYTES or name in _BYTES or name.startswith("sealed"):
        return b"{}"
    return time() if last in _TIMES or name in _TIMES else "x"
