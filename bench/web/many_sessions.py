"""A hundred thousand sessions: what they take on disk and in memory, and how fast each is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.web import bootstrap
from bench.web.contenders import Program
from bench.web.environment import Environment
from bench.web.load import wrk
from bench.web.programs.person import EMAIL
from bench.web.server import running

_EACH = 10  # sessions of one user
_GUESS, _MOST = 2.0, 60.0  # seconds: to see how fast it goes, and at most for all of them

_SCRIPT = """\
local requests, at = {}, 0
init = function()
  for line in io.lines("cookies.txt") do
    requests[#requests + 1] = wrk.format("GET", "/me", {["Cookie"] = line})
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""


@dataclass(frozen=True)
class Crowd:
    """What was measured. Sizes are bytes."""

    sessions: int
    per_session: float
    """In the database, indexes included."""
    resident_without: int
    resident_with: int
    """With the sessions in the database, none of them used."""
    resident_after: int
    """After ``used`` of them were."""
    used: int
    per_second: float
    """Requests, each with another session than the one before."""


def measure(program: Program, environment: Environment, *, directory: Path, sessions: int) -> Crowd:
    """Fill a database through the storage, start a server over it, and use the sessions one after the other."""
    users = bootstrap.create_accounts(directory, [f"{n}.{EMAIL}" for n in range(sessions // _EACH)])
    with running(program, directory, environment) as server:
        server.wait()
        without = server.resident()
    before = _size(directory)
    cookies = bootstrap.add_sessions(directory, users, each=_EACH)
    per_session = (_size(directory) - before) / len(cookies)
    script = _write(directory, cookies)
    with running(program, directory, environment) as server:
        server.wait()
        resident = server.resident()
        guess = wrk(server.url, _GUESS, script=script)
        seconds = round(min(_MOST, 1.2 * len(cookies) / guess.per_second + 1))
        load = wrk(server.url, seconds, script=script)
        return Crowd(
            sessions=len(cookies),
            per_session=per_session,
            resident_without=without,
            resident_with=resident,
            resident_after=server.resident(),
            used=min(len(cookies), round(load.per_second * seconds)),
            per_second=load.per_second,
        )


def _write(directory: Path, cookies: Sequence[str]) -> Path:
    (directory / "cookies.txt").write_text("\n".join(cookies), encoding="ascii")
    script = directory / "cookies.lua"
    script.write_text(_SCRIPT.replace("cookies.txt", str(directory / "cookies.txt")), encoding="ascii")
    return script


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob(f"{bootstrap.DATABASE}*"))
