"""The services that verify, in SQL."""

from __future__ import annotations

from ...flows.model import Service
from .access import Parameters, Row, SQLTable

__all__ = ["ServiceTable"]

_SELECT = """
SELECT id, name, audience, digest, created_at
FROM services"""
_FIND_BY_DIGEST = _SELECT + " WHERE digest = :digest"
_LIST = _SELECT + " ORDER BY name"
_ADD = """
INSERT INTO services (id, name, audience, digest, created_at)
VALUES (:id, :name, :audience, :digest, :created_at)
ON CONFLICT (name) DO NOTHING"""
_DELETE = "DELETE FROM services WHERE name = :name"


def _service(row: Row) -> Service:
    identifier, name, audience, digest, created_at = row
    return Service(id=identifier, name=name, audience=audience, digest=digest, created_at=created_at)


class ServiceTable(SQLTable):
    """Satisfies ``flows.ports.ServiceRecords``."""

    async def add_service(self, service: Service) -> bool:
        """Add a service."""
        parameters: Parameters = {
            "id": service.id,
            "name": service.name,
            "audience": service.audience,
            "digest": service.digest,
            "created_at": service.created_at,
        }
        return await self._access.change(_ADD, parameters) == 1

    async def find_service_by_digest(self, digest: bytes) -> Service | None:
        """Return the service whose key has that digest."""
        row = await self._access.row(_FIND_BY_DIGEST, {"digest": digest})
        return None if row is None else _service(row)

    async def list_services(self) -> list[Service]:
        """Return all services in the order of their names."""
        return [_service(row) for row in await self._access.rows(_LIST, {})]

    async def delete_service(self, name: str) -> bool:
        """Delete a service."""
        return await self._access.change(_DELETE, {"name": name}) == 1
