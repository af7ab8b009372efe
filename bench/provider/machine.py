"""Who asks every server, and for what: a machine and an app in a browser, for tokens of one API."""

from __future__ import annotations

from base64 import b64encode

MACHINE = "machine"
SECRET = "machine-secret-machine-secret-machine-secret"
APP = "app"
APP_SECRET = "app-secret-app-secret-app-secret-app-secret"
CALLBACK = "https://app.example.com/callback"
API = "https://api.example.com/"
SCOPE = "read"
PEOPLE = 20
"""So many can sign in."""


def basic(client: str, secret: str) -> dict[str, str]:
    """Return the header by which a client authenticates itself, ``client_secret_basic``."""
    return {"Authorization": f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"}
