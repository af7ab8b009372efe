"""The libraries under test, each behind the same narrow description."""

from __future__ import annotations

from importlib import import_module

from bench.peers.base import Peer

MODULES = ("ours", "pyjwt", "joserfc", "jwcrypto", "authlib", "python_jose")


def load_peer(module: str) -> Peer:
    """The library described by ``bench/peers/<module>.py``."""
    peer: Peer = import_module(f"bench.peers.{module}").PEER
    return peer


def load_peers() -> tuple[dict[str, Peer], list[str]]:
    """The libraries that can be imported, by module and ours first, and why any other cannot."""
    found: dict[str, Peer] = {}
    failures: list[str] = []
    for name in MODULES:
        try:
            found[name] = load_peer(name)
        except Exception as error:  # noqa: BLE001 -- a library that fails is a result, to be shown
            failures.append(f"{name} cannot be imported: {error!r}")
    return found, failures
