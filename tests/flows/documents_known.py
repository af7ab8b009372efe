"""Somebody's documents, without a network: what was asked for, and what is answered."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from coatcheck.flows.context import Context
from coatcheck.oauth.documents import Document, DocumentError


@dataclass
class Known:
    """Satisfies ``DocumentFetcher``."""

    documents: dict[str, Document] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None

    def put(self, url: str, value: Any, *, fresh_for: int | None = None) -> None:
        body = value if isinstance(value, bytes) else msgspec.json.encode(value)
        self.documents[url] = Document(body=body, fresh_for=fresh_for)

    async def wait(self, count: int) -> None:
        """Wait until so many were asked for."""
        while len(self.asked) < count:  # noqa: ASYNC110 - one turn of the loop after the other
            await asyncio.sleep(0)

    async def get(self, url: str, *, accept: Collection[str] = ("application/json",)) -> Document:
        assert accept
        self.asked.append(url)
        if self.hold is not None:
            await self.hold.wait()
        if url not in self.documents:
            raise DocumentError(detail="it is not there")
        return self.documents[url]

    async def fetch(self, url: str, *, accept: Collection[str] = ("application/json",)) -> bytes:
        return (await self.get(url, accept=accept)).body


def with_provider(context: Context, known: Known | None = None, **policy: Any) -> Context:
    """Return a context of the same world with another policy of the provider, and these documents."""
    changed = msgspec.structs.replace(context.provider, **policy)
    return replace(context, provider=changed, documents=known or Known())
