"""The values of a diagnosis: what was looked at, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .errors import SettingProblem
from .settings_model import Settings

__all__ = ["Answer", "Facts", "FileFacts", "Finding", "KeyFacts", "Level"]

Level = Literal["fault", "warning", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know.

    Attributes:
        level: ``fault`` for what does not work or is not safe; ``warning`` for what may not be; ``note`` for the rest.
        code: A stable identifier.
        title: What it is, in a few words.
        explanation: What follows from it.
        fix: What to do.
    """

    level: Level
    code: str
    title: str
    explanation: str
    fix: str


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to the server.

    Attributes:
        path: Where it is.
        mode: Its permission bits.
        forbidden: Those that it should not have.
    """

    path: str
    mode: int
    forbidden: int = 0o077


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The signing keys in the database.

    Attributes:
        count: How many there are.
        newest_at: When the newest was made, in seconds since 1970; ``None`` if there is none.
        problem: Why they cannot be used; ``None`` if they can.
    """

    count: int
    newest_at: float | None
    problem: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request to the deployment brought back.

    Attributes:
        url: What was asked for.
        status: The status; 0 if there was no answer.
        headers: Names in lower case, with their values, in their order.
        body: The first octets of the body.
        at: When it came, by this machine's clock.
        error: Why there was no answer; ``None`` if there was.
    """

    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    at: float = 0.0
    error: str | None = None

    def all(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for header, value in self.headers if header == name]

    def first(self, name: str) -> str:
        """Return the first value of a header, or ``""``."""
        return next(iter(self.all(name)), "")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that was looked at.

    Attributes:
        settings: The settings; ``None`` if they cannot be used.
        problems: Why not.
        files: The server's files that exist.
        database_problem: Why the database cannot be opened; ``None`` if it can, or was not tried.
        keys: The signing keys; ``None`` if there is no database yet, or it does not open.
        redis_is_away: Whether Redis was asked, and cannot be used.
        answers: What the running deployment answered, by the name of the probe; empty if nobody asked.
    """

    settings: Settings | None
    problems: tuple[SettingProblem, ...] = ()
    files: tuple[FileFacts, ...] = ()
    database_problem: str | None = None
    keys: KeyFacts | None = None
    redis_is_away: bool = False
    answers: Mapping[str, Answer] = {}
