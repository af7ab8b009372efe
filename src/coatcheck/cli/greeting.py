"""What whoever starts a server for development is told: nothing else would say where it is."""

from __future__ import annotations

import sys

from ..server.settings import Settings
from .sinks import write_text

__all__ = ["greet"]


def greet(settings: Settings) -> None:
    """Write where the server is, and its pages for development.

    Args:
        settings: Those that it runs with.
    """
    pages = f"{settings.base_url}{settings.prefix}/dev"
    write_text(f"Coatcheck, for development: {settings.base_url}")
    if settings.smtp_url is None:
        write_text(f"Mails are printed here, and shown at {pages}/mail")
    write_text(f"Tokens are looked into at {pages}/token")
    write_text(f"Which credential for which client: {pages}/advise")
    write_text("Ctrl-C ends it.")
    sys.stdout.flush()  # it is read now, into a file too, and not when the server has ended
