"""The command line: the server (``dev``, ``serve``, ``doctor``), its ``user`` and ``session``, ``token`` and ``key``.

It owns what a person sees: reading keys and tokens from files, standard input and the environment, reports, and exit
statuses. All judgement about tokens and keys is that of ``coatcheck.jose``, that about users and sessions that of
``coatcheck.flows``; what is only shown and never believed is read by ``coatcheck.inspection``. It needs the extra
``cli``, which is why this module imports nothing before it runs; what has to do with a server also needs the extra
``server``.

Exit statuses: 0 done; 1 the token is refused, the deployment has a fault, an audit found something bad, rows of an
import were refused, or two databases differ; 2 it could not be done (usage, unreadable or malformed input).
"""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main"]

_EXTRA = frozenset({"rich", "typer"})


def main() -> None:
    """Run the command that ``sys.argv`` asks for, and exit."""
    try:
        import_module("rich")  # which the commands import only when they have something to show
        from .app import app
    except ModuleNotFoundError as error:
        # A module that is missing inside one of the two is a fault of its own and must be seen.
        if error.name not in _EXTRA:
            raise
        print('coatcheck: The command line needs its extra: pip install "coatcheck[cli]"', file=sys.stderr)
        raise SystemExit(2) from None
    app()
