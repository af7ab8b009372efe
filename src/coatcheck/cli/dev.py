"""``coatcheck dev``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .configured import Config

__all__ = ["dev"]

Port = Annotated[int, typer.Option("--port", metavar="NUMBER", help="The port.", min=1, max=65_535)]


def dev(*, port: Port = 8000, config: Config = None) -> None:
    """Run a small application to try everything, on this machine.

    There is nothing to set up. Mails are not sent but printed, and shown on a page.
    """
    from .configured import read_settings
    from .sinks import write_text

    settings = read_settings(config, mode="development", base_url=f"http://localhost:{port}")
    from ..server.run import serve as run

    write_text(f"Coatcheck, for development: {settings.base_url}")
    if settings.smtp_url is None:
        write_text(f"Mails are printed here, and shown at {settings.base_url}{settings.prefix}/dev/mail")
    write_text(f"Tokens are looked into at {settings.base_url}{settings.prefix}/dev/token")
    write_text(f"Which credential for which client: {settings.base_url}{settings.prefix}/dev/advise")
    write_text("Ctrl-C ends it.")
    sys.stdout.flush()  # it is read now, into a file too, and not when the server has ended
    run(settings, host="localhost", port=port, workers=1, demo=True)
