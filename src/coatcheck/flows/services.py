"""The services that verify what this server issues: who they are, and how they show it."""

from __future__ import annotations

import re

from .._core.secrets import digest, new_identifier, new_token
from .context import Context
from .errors import InvalidServiceError, ServiceTakenError, UnknownServiceError, UnknownServiceKeyError
from .model import Service

__all__ = ["Services"]

_PREFIX = "cck_"  # so that scanners of code and logs know what they have found
_LONGEST_KEY = 128
# Names stand in paths, logs and actors; an audience in claims (RFC 7519 section 4.1.3).
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_AUDIENCE = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)


class Services:
    """Adding services, and knowing them again."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def add(self, name: str, *, audience: str | None = None) -> tuple[Service, str]:
        """Add a service; return it and its key, which is shown once and stored as its hash only.

        Args:
            name: What it is called: up to 64 letters, digits, dots, dashes and underscores.
            audience: The API that it stands for: it is told of no token that is for another. ``None`` for all.

        Raises:
            InvalidServiceError: If the name or the audience is none.
            ServiceTakenError: If there is a service of that name.
        """
        _check_name(name)
        if audience is not None and not _AUDIENCE.fullmatch(audience):
            raise InvalidServiceError(
                "An audience has 1 to 512 visible ASCII characters, like https://api.example.",
                field="audience",
            )
        key = _PREFIX + new_token()
        service = Service(
            id=new_identifier(),
            name=name,
            audience=audience,
            digest=digest(key),
            created_at=self._context.clock(),
        )
        if not await self._context.storage.records.add_service(service):
            raise ServiceTakenError(name)
        return service, key

    async def list(self) -> list[Service]:
        """Return all services in the order of their names."""
        return await self._context.storage.records.list_services()

    async def remove(self, name: str) -> None:
        """Remove a service: its key is worth nothing from then on.

        Raises:
            InvalidServiceError: If this is no name.
            UnknownServiceError: If there is none of that name.
        """
        _check_name(name)
        # Alone: whoever queues events meanwhile has seen its stream, and would find it gone.
        async with self._context.storage.transaction() as records:
            if not await records.delete_service(name):
                raise UnknownServiceError(name)

    async def authenticate(self, key: str) -> Service:
        """Return the service that a key belongs to.

        Raises:
            UnknownServiceKeyError: If it belongs to none.
        """
        # It is looked up by its hash: what can be learned from the time that takes is nothing about the key.
        found = None
        if len(key) <= _LONGEST_KEY:
            found = await self._context.storage.records.find_service_by_digest(digest(key))
        if found is None:
            raise UnknownServiceKeyError
        return found


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidServiceError(
            "The name of a service has 1 to 64 letters, digits, dots, dashes and underscores.", field="name"
        )
