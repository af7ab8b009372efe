"""One of the services of the demonstration, as a process of its own: it verifies by itself and says what it found.

It is started with the issuer and its own name, and prints the port that it has found free.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys

import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send

from ...verifier import Verifier
from ...verifier.errors import VerificationError
from ...verifier.refusals import refusal

__all__ = ["main"]


class _Service:
    """Answers every request with whom it comes from."""

    def __init__(self, verifier: Verifier, *, name: str) -> None:
        self._verifier = verifier
        self._name = name

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            principal = await self._verifier.require_async(scope["headers"], method=scope["method"])
        except VerificationError as error:
            refused = refusal(error)
            await _answer(send, status=refused.status, headers=refused.headers, body=refused.body)
            return
        said = {
            "service": self._name,
            "subject": principal.subject,
            "via": principal.via,
            "scopes": sorted(principal.scopes),
        }
        headers = [("content-type", "application/json")]
        await _answer(send, status=200, headers=headers, body=msgspec.json.encode(said))


async def _answer(send: Send, *, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    raw = [each for each in raw if each[0] != b"content-length"]
    raw.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _serve(name: str, issuer: str) -> None:
    # The protocol is named: where it is not, asyncio leaves Nagle's algorithm on, which holds back answers.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal sends it to all: whoever has started this ends it
    async with Verifier(issuer, audience=issuer, cookies="session") as verifier:
        await verifier.ready(timeout=30.0)
        logging.getLogger("coatcheck").setLevel(
            logging.CRITICAL
        )  # that the server ends, too, is part of the play
        config = uvicorn.Config(
            _Service(verifier, name=name), log_level="warning", lifespan="off", server_header=False
        )
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        server = uvicorn.Server(config)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _stop, server)
        await server.serve(sockets=[listening])


def _stop(server: uvicorn.Server) -> None:
    """End with whoever has started this: nobody ever writes to its input, so it can be read only when it is closed."""
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    server.should_exit = True


def main() -> None:
    """Run the service until it is stopped. Takes its name and the issuer as arguments, its key from the environment."""
    name, issuer = sys.argv[1:]
    asyncio.run(_serve(name, issuer))


if __name__ == "__main__":
    main()
