"""A server by itself, in memory, and whoever asks it from where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from coatcheck.flows.ports import Storage
from coatcheck.server.server import Server
from coatcheck.server.standalone import make_application
from tests.web.sites import Site, open_site

TOKEN = "mY0-8sT2fQ9xLk4vBn7cWz1pRd6hGj3u"
DEVELOPMENT: dict[str, Any] = {
    "mode": "development",
    "base_url": "http://localhost:8000",
    "smtp_url": None,
    "mail_from": None,
}


class Operated:
    """A site with all that stands around it."""

    def __init__(self, site: Site, application: Starlette) -> None:
        self.site = site
        self.server: Server = site.server
        self.application: Starlette = application

    def client(self, *, peer: str = "203.0.113.9", **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.application, client=(peer, 50_000))
        base_url = self.server.settings.base_url
        return httpx.AsyncClient(transport=transport, base_url=base_url, **options)

    async def scrape(self, **headers: str) -> str:
        async with self.client() as client:
            response = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}", **headers})
        assert response.status_code == 200, response.text
        return response.text

    async def figure(self, line: str) -> float:
        """The figure of a line of the metrics; 0 if it is not there."""
        found = [each for each in (await self.scrape()).splitlines() if each.startswith(f"{line} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


@asynccontextmanager
async def operating(
    *, figures: Path | None = None, storage: Storage | None = None, **settings: Any
) -> AsyncIterator[Operated]:
    """Give a site in production whose metrics are on."""
    usual = {"metrics": "on", "metrics_token": TOKEN}
    async with open_site(storage=storage, **{**usual, **settings}) as site:
        yield Operated(site, make_application(site.server.settings, server=site.server, figures=figures))
