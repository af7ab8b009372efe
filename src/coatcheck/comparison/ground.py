"""A real server of this library to measure with: in this process, on a free port, gone afterwards."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from ..accounts.importing import ImportedUser
from ..flows.ending import SERVER, Reason, end_sessions
from ..flows.model import SignedIn
from ..flows.opening import Credential, Request, hand_out, open_session
from ..flows.service import Flows
from ..identity import Client
from ..server.live.demonstration import listening, throwaway_settings
from ..server.server import Server
from ..server.standalone import make_application

__all__ = ["ROLE", "Ground", "grounded"]

ROLE = "orders:write"
"""The permission that is taken away."""

_CLIENT = Client(address="127.0.0.1", user_agent="Coatcheck comparison")


class Ground:
    """The server, and people who are signed in to it.

    Attributes:
        flows: What it can do.
        issuer: Its address.
        key: By which its services show who they are.
        cookie_name: What its session cookie is called.
        introspection_url: Where it is asked what a credential is worth.
    """

    def __init__(self, server: Server, *, issuer: str, key: str) -> None:
        self.flows: Flows = server.flows
        self.issuer: str = issuer
        self.key: str = key
        self.cookie_name: str = server.gate.cookies.session.name
        self.introspection_url: str = f"{issuer}{server.settings.prefix}/introspect"

    def __repr__(self) -> str:
        return f"<Ground {self.issuer}>"

    async def add_users(self, count: int, *, name: str) -> list[str]:
        """Add users who may do what ``ROLE`` says; return their addresses."""
        emails = [f"{name}{number}@example.com" for number in range(count)]
        rows = [
            ImportedUser(row=row, email=email, key=email, password_hash=None, scopes=frozenset({ROLE}))
            for row, email in enumerate(emails, start=1)
        ]
        await self.flows.administration.import_users(rows)
        return emails

    async def sign_in(self, email: str, carrier: Credential) -> SignedIn:
        """Open a session for a user, without asking for a password."""
        context = self.flows.context
        user = await self.flows.administration.find_user(email)
        async with context.storage.transaction() as records:
            request = Request(client=_CLIENT, credential=carrier)
            opened = await open_session(context, records, user, request=request)
        return await hand_out(context, opened, device=None)

    async def tokens_of(self, signed_in: SignedIn, count: int) -> list[str]:
        """Return so many further access tokens of one session."""
        context = self.flows.context
        at = context.clock()
        return [
            await context.access_tokens.issue(signed_in.user, signed_in.session, at=at) for _ in range(count)
        ]

    async def end(self, session_ids: Sequence[str]) -> None:
        """End sessions, as signing out does."""
        context = self.flows.context
        async with context.storage.transaction() as records:
            await end_sessions(context, records, session_ids, reason=Reason.ENDED_BY_USER, actor=SERVER)

    async def take_role(self, email: str) -> None:
        """Take ``ROLE`` from a user."""
        await self.flows.administration.set_scopes(email, [])

    async def give_role(self, email: str) -> None:
        """Give it back."""
        await self.flows.administration.set_scopes(email, [ROLE])


@asynccontextmanager
async def grounded() -> AsyncIterator[Ground]:
    """Run a server in this process until the block ends. Nothing of it is kept.

    Raises:
        CoatcheckError: If it does not start.
    """
    port = _free_port()
    with TemporaryDirectory(prefix="coatcheck-compare-") as directory:
        settings = throwaway_settings(port, Path(directory))
        server = Server(settings)
        _, key = await server.flows.services.add("comparison")
        application = make_application(settings, server=server)
        async with listening(application, port, kind=_Deaf):
            yield Ground(server, issuer=settings.base_url, key=key)


class _Deaf(uvicorn.Server):
    """A server that leaves signals to the command that runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
