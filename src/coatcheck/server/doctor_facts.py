"""Looking at a deployment from inside: its settings, its files, its database. Nothing is changed or made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import CoatcheckError
from .doctor_model import Answer, Facts, FileFacts, KeyFacts
from .errors import SettingsError
from .server import Server
from .settings import Settings, load_settings
from .settings_sources import secret_files
from .storages import is_server

__all__ = ["collect_facts"]


async def collect_facts(
    *,
    config: str | os.PathLike[str] | None = None,
    answers: Mapping[str, Answer] | None = None,
    **arguments: Any,
) -> Facts:
    """Return what there is to know about the deployment that the settings describe.

    Args:
        config: As for ``load_settings``.
        answers: What the running deployment has answered.
        arguments: As for ``load_settings``.
    """
    told = answers or {}
    try:
        settings = load_settings(config=config, **arguments)
    except SettingsError as error:
        return Facts(settings=None, problems=error.problems, answers=told)
    files = (*_files(settings), *_secret_files(config, **arguments))
    if not is_server(settings.database) and settings.database not in {file.path for file in files}:
        return Facts(settings=settings, files=files, answers=told)
    server: Server | None = None
    try:
        server = Server(settings)
        keys = await _keys(server)
        is_away = await _redis_is_away(server)
    except CoatcheckError as error:
        return Facts(settings=settings, files=files, database_problem=error.message, answers=told)
    finally:
        if server is not None:
            await server.close()
    return Facts(settings=settings, files=files, keys=keys, redis_is_away=is_away, answers=told)


def _files(settings: Settings) -> list[FileFacts]:
    if is_server(settings.database):
        names = ["coatcheck.secret"]
    else:
        names = [f"{settings.database}{ending}" for ending in ("", "-wal", "-shm", ".secret")]
    return [
        FileFacts(path=name, mode=Path(name).stat().st_mode & 0o777) for name in names if Path(name).is_file()
    ]


def _secret_files(
    config: str | os.PathLike[str] | None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: str | os.PathLike[str] = ".",
    **arguments: Any,
) -> list[FileFacts]:
    named = secret_files(
        arguments,
        environment=os.environ if environment is None else environment,
        config=None if config is None else Path(config),
        directory=Path(directory),
    )
    # A group may be let in for a purpose. What a container was given is for all of that container.
    return [
        FileFacts(path=str(path), mode=path.stat().st_mode & 0o777, forbidden=0o007)
        for path in named
        if path.is_file() and not path.resolve().is_relative_to("/run")
    ]


async def _keys(server: Server) -> KeyFacts:
    stored = await server.storage.records.list_keys()
    newest_at = stored[0].created_at if stored else None
    problem = await _problem_of_keys(server) if stored else None
    return KeyFacts(count=len(stored), newest_at=newest_at, problem=problem)


async def _redis_is_away(server: Server) -> bool:
    if server.settings.redis is None:
        return False
    await server.storage.records.read_throttles(["doctor"])  # what a server would ask
    tells: Callable[[], Mapping[str, float]] = getattr(server.storage, "facts", dict)
    return tells().get("redis_is_up") != 1.0


async def _problem_of_keys(server: Server) -> str | None:
    try:
        await server.flows.context.access_tokens.key_set()
    except CoatcheckError as error:
        return error.message
    return None
