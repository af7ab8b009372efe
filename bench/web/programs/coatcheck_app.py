"""Coatcheck, by the program of its README."""

from __future__ import annotations

from fastapi import FastAPI

from coatcheck.integrations.fastapi import Auth, CurrentUser


def protected() -> FastAPI:
    """Make an application whose route takes a session cookie or a bearer token."""
    app = FastAPI()
    Auth(app)

    @app.get("/me")
    async def me(user: CurrentUser) -> dict[str, str]:
        return {"email": user.email}

    return app
