"""``coatcheck serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from .configured import Config

__all__ = ["serve"]

Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", metavar="NUMBER", help="The port.", min=1, max=65_535)]
Workers = Annotated[
    int, typer.Option("--workers", metavar="NUMBER", help="How many processes.", min=1, max=256)
]
AccessLog = Annotated[
    bool,
    typer.Option(
        "--access-log/--no-access-log",
        help="Log each request, in production. A proxy in front may do so, too.",
    ),
]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    access_log: AccessLog = True,
    config: Config = None,
) -> None:
    """Run the server that the settings describe.

    Settings come from the environment (COATCHECK_...) and a TOML file. In production, a proxy in front speaks https.
    """
    from .configured import read_settings

    settings = read_settings(config)
    from ..server.run import placed
    from ..server.run import serve as run
    from .greeting import greet

    if settings.mode == "development":
        settings = placed(settings, host=host, port=port)
        greet(settings)
    run(settings, host=host, port=port, workers=workers, access_log=access_log)
