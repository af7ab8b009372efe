"""better-auth-server as its README sets it up with SQLAlchemy, without and with its cookie cache.

Annotations are evaluated at once here: FastAPI must see the dependency that a function has made.
"""
# mypy: disable-error-code="import-not-found"

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from better_auth import BetterAuth, EmailAndPassword, SessionOptions
from better_auth.adapters.sqlalchemy import SQLAlchemyAdapter
from better_auth.config import CookieCache
from better_auth.integrations.fastapi import BetterAuthFastAPI
from fastapi import Depends, FastAPI
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine


def with_database() -> FastAPI:
    """Make an application that reads session and user from the database for each request."""
    return _application(CookieCache(enabled=False))


def with_cookie_cache() -> FastAPI:
    """Make an application that believes a signed copy in a cookie for five minutes, also of a session that ended."""
    return _application(CookieCache(enabled=True, max_age=300))


def _application(cache: CookieCache) -> FastAPI:
    engine = create_async_engine("sqlite+aiosqlite:///better-auth.db")
    event.listen(engine.sync_engine, "connect", _use_wal)
    adapter = SQLAlchemyAdapter(engine)
    auth = BetterAuth(
        secret="a secret of the benchmark, 32 characters",
        base_url="http://127.0.0.1",
        adapter=adapter,
        email_and_password=EmailAndPassword(enabled=True),
        session=SessionOptions(cookie_cache=cache),
    )

    @asynccontextmanager
    async def tables(_app: FastAPI) -> AsyncIterator[None]:
        await adapter.create_tables()
        yield

    app = FastAPI(lifespan=tables)
    integration = BetterAuthFastAPI(auth)
    app.include_router(integration.router)

    @app.get("/me")
    async def me(found: Annotated[dict[str, Any], Depends(integration.require_session)]) -> dict[str, str]:
        return {"email": found["user"]["email"]}

    return app


def _use_wal(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
