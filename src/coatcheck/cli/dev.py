"""``coatcheck dev``."""

from __future__ import annotations

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
    from .greeting import greet

    settings = read_settings(config, mode="development", base_url=f"http://localhost:{port}")
    from ..server.run import serve as run

    greet(settings)
    run(settings, host="localhost", port=port, workers=1, demo=True)
