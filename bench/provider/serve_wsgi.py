"""Serves a peer by waitress: ``python -m bench.provider.serve_wsgi MODULE PORT``, in the peers' environment."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any


def main(module: str, port: int) -> None:
    """Serve ``application()`` of a module until the process is ended."""
    waitress: Any = import_module("waitress")  # it has no types
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else a line for each request that waits
    waitress.serve(import_module(module).application(), host="127.0.0.1", port=port, threads=4)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
