"""FastAPI and nothing else: the line that the others are measured against."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI

from bench.web.programs.person import EMAIL


async def nothing() -> str:
    """Stand where a protected route has its user."""
    return EMAIL


def without_dependency() -> FastAPI:
    """Make an application whose route depends on nothing."""
    app = FastAPI()

    @app.get("/me")
    async def me() -> dict[str, str]:
        return {"email": EMAIL}

    return app


def with_empty_dependency() -> FastAPI:
    """Make an application whose route has a dependency that does nothing."""
    app = FastAPI()

    @app.get("/me")
    async def me(email: Annotated[str, Depends(nothing)]) -> dict[str, str]:
        return {"email": email}

    return app
