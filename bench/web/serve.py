"""Serves one program: ``python -m bench.web.serve SERVER PROGRAM PORT``, in the environment that the program needs."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any


def main(server: str, program: str, port: int) -> None:
    """Serve ``module:factory`` of ``bench.web.programs`` until the process is ended."""
    if server == "uvicorn":
        _uvicorn(program, port)
    else:
        _waitress(program, port)


def _uvicorn(program: str, port: int) -> None:
    import uvicorn  # noqa: PLC0415 -- not in every environment

    uvicorn.run(
        f"bench.web.programs.{program}",
        factory=True,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


def _waitress(program: str, port: int) -> None:
    waitress: Any = import_module("waitress")  # as above; it has no types
    logging.getLogger("waitress.queue").setLevel(
        logging.ERROR
    )  # else a line for each request that has to wait
    module, _, factory = program.partition(":")
    application = getattr(import_module(f"bench.web.programs.{module}"), factory)()
    waitress.serve(application, host="127.0.0.1", port=port, threads=4)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
