"""fastapi-users as its documentation sets it up with SQLAlchemy, with either of its two strategies.

An access token of the database strategy has a lifetime in both, so that both check the time.

Annotations are evaluated at once here: FastAPI must see the dependency that a function has made.
"""
# mypy: disable-error-code="import-not-found,misc,no-any-return,unused-ignore"

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = "a secret of the benchmark, 32 characters"
LIFETIME = 3600

engine = create_async_engine("sqlite+aiosqlite:///fastapi-users.db")
make_session = async_sessionmaker(engine, expire_on_commit=False)


def use_wal(connection: Any, _record: object) -> None:
    """Switch the write-ahead log on, as coatcheck does."""
    connection.execute("PRAGMA journal_mode=WAL")


event.listen(engine.sync_engine, "connect", use_wal)


class Base(DeclarativeBase):
    """What the tables have in common."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A user."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """A token of the database strategy."""


class UserManager(UUIDIDMixin, BaseUserManager[User, UUID]):
    """What fastapi-users asks every application to write."""

    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def open_session() -> AsyncIterator[AsyncSession]:
    """Open a database session for a request."""
    async with make_session() as session:
        yield session


async def user_database(
    session: Annotated[AsyncSession, Depends(open_session)],
) -> AsyncIterator[SQLAlchemyUserDatabase[User, UUID]]:
    """Hand out the users."""
    yield SQLAlchemyUserDatabase(session, User)


async def token_database(
    session: Annotated[AsyncSession, Depends(open_session)],
) -> AsyncIterator[SQLAlchemyAccessTokenDatabase[AccessToken]]:
    """Hand out the access tokens."""
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


async def user_manager(
    users: Annotated[SQLAlchemyUserDatabase[User, UUID], Depends(user_database)],
) -> AsyncIterator[UserManager]:
    """Hand out the manager."""
    yield UserManager(users)


def jwt_strategy() -> JWTStrategy[User, UUID]:
    """Put the user's identifier into a signed token."""
    return JWTStrategy(secret=SECRET, lifetime_seconds=LIFETIME)


def database_strategy(
    tokens: Annotated[SQLAlchemyAccessTokenDatabase[AccessToken], Depends(token_database)],
) -> DatabaseStrategy[User, UUID, AccessToken]:
    """Keep tokens in a table."""
    return DatabaseStrategy(tokens, lifetime_seconds=LIFETIME)


def with_jwt() -> FastAPI:
    """Make an application with the JWT strategy."""
    return _application(jwt_strategy)


def with_database() -> FastAPI:
    """Make an application with the database strategy."""
    return _application(database_strategy)


@asynccontextmanager
async def _tables(_app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


def _application(strategy: Callable[..., Any]) -> FastAPI:
    backend = AuthenticationBackend(
        name="bench", transport=BearerTransport(tokenUrl="sign-in/login"), get_strategy=strategy
    )
    users = FastAPIUsers[User, UUID](user_manager, [backend])
    active_user = users.current_user(active=True)
    app = FastAPI(lifespan=_tables)
    app.include_router(users.get_auth_router(backend), prefix="/sign-in")
    register = users.get_register_router(schemas.BaseUser[UUID], schemas.BaseUserCreate)
    app.include_router(register, prefix="/sign-up")

    @app.get("/me")
    async def me(user: Annotated[User, Depends(active_user)]) -> dict[str, str]:
        return {"email": user.email}

    return app
