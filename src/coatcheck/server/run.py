"""Running a server by itself: uvicorn around the composed application."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from msgspec.structs import replace
from uvicorn.supervisors import Multiprocess

from .connections import BoundedProtocol
from .errors import AddressInUseError, PublicDevelopmentError
from .logs import ACCESS_LOGGER, log_config
from .server import Server
from .setting_forms import is_loopback
from .settings import Settings
from .standalone import make_application

__all__ = ["check_free", "placed", "serve"]

_DEFAULT_ORIGIN = "http://localhost:8000"
_LONGEST_GOODBYE = 5  # seconds: a client that takes nothing does not keep the server from being stopped


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int = 1,
    demo: bool = False,
    access_log: bool = True,
) -> None:
    """Run the server until it is stopped.

    Args:
        settings: The settings.
        host: The address to listen at.
        port: The port.
        workers: How many processes share it.
        demo: Whether to add the demonstration application.
        access_log: Whether each request is logged; in development none is.

    Raises:
        PublicDevelopmentError: If development is to listen at more than this machine's own addresses.
        AddressInUseError: If another program listens there.
        CoatcheckError: What ``Server`` raises, or that the keys in the storage do not open with this secret.
    """
    if settings.mode == "development":
        settings = placed(settings, host=host, port=port)
    check_free(host, port)
    asyncio.run(_check_keys(settings))
    log = log_config(settings)
    if not access_log:
        log["loggers"][ACCESS_LOGGER]["level"] = "WARNING"
    with _shared_folder(workers) as folder:
        config = uvicorn.Config(
            partial(make_application, settings, demo=demo, figures=folder),
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_config=log,
            log_level="warning" if settings.mode == "development" else "info",
            proxy_headers=False,  # the gate reads them, from proxies that are trusted
            server_header=False,
            access_log=False,  # the application writes its own
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_LONGEST_GOODBYE,
            http=BoundedProtocol,
        )
        server = uvicorn.Server(config)
        if workers > 1:
            # Each process makes its own server from the same settings; what they share is the storage and the socket.
            Multiprocess(config, sockets=[config.bind_socket()]).run()
        else:
            server.run()


def placed(settings: Settings, *, host: str, port: int) -> Settings:
    """Return the settings of a server for development, with the address at which it will be.

    Args:
        settings: The settings.
        host: The address to listen at.
        port: The port.

    Raises:
        PublicDevelopmentError: If that is more than this machine's own addresses.
    """
    if not is_loopback(host):
        raise PublicDevelopmentError(host)
    if settings.base_url != _DEFAULT_ORIGIN:
        return settings
    return replace(settings, base_url=f"http://localhost:{port}")


@contextmanager
def _shared_folder(workers: int) -> Iterator[Path | None]:
    """Give several processes a folder in which they tell each other their figures; one needs none."""
    if workers == 1:
        yield None
        return
    with TemporaryDirectory(prefix="coatcheck-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def _check_keys(settings: Settings) -> None:
    """Open everything once, so that what cannot be opened is told in one line rather than by every worker."""
    server = Server(settings)
    try:
        await server.flows.context.access_tokens.key_set()
    finally:
        await server.close()


def check_free(host: str, port: int) -> None:
    """Look whether a port can be listened at.

    Raises:
        AddressInUseError: If not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressInUseError(
                host, port, reason=error.strerror or os.strerror(error.errno or 0)
            ) from None
