"""What every server under test can be asked to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bench.provider.calls import Call, Chains
from bench.provider.code_flow import Flow

CREDENTIALS = "client_credentials"
INTROSPECTION = "introspection"
JWKS = "JWKS"
DISCOVERY = "discovery"
REFRESH = "refresh"
ENDPOINTS = (CREDENTIALS, INTROSPECTION, JWKS, DISCOVERY, REFRESH)


class Contender(ABC):
    """One server.

    Attributes:
        name: What it is called.
        about: What has to be known to judge its figures.
        first: A path that answers once it listens.
        failure: Why it cannot take part; empty if it can.
        version: Which it is.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    first: ClassVar[str]
    failure: str = ""
    version: str = ""

    def prepare(self, _directory: Path, _port: int) -> None:
        """Do what has to be done in its directory before it starts."""
        return

    @abstractmethod
    def command(self, directory: Path, port: int) -> list[str]:
        """Return what starts it."""

    def environment(self, _port: int) -> Mapping[str, str]:
        """Return what its environment has besides."""
        return {}

    @abstractmethod
    def calls(self, port: int) -> Mapping[str, Call]:
        """Return the requests that it is timed with, by endpoint; it is running."""

    def chains(self, _port: int, _count: int) -> Chains | None:
        """Return so many chains of refresh tokens, if it takes part in that."""
        return None

    def flow(self, _port: int) -> Flow | None:
        """Return how an app in a browser gets tokens, if it takes part in that."""
        return None
