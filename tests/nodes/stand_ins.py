"""What stands in the place of a node: takes requests, and fails in a certain way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Manner = Literal["answers", "hangs up"]
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class StandIn:
    """Reads what is sent to it, and answers, or hangs up without a word as a node does that is killed.

    Attributes:
        port: Where it listens.
        requests: The first lines of what it was sent.
    """

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                received = connection.recv(65_536)
                if received == b"the end":
                    return
                self.requests.append(received.partition(b"\r\n")[0].decode())
                if self._manner == "answers":
                    connection.sendall(_ANSWER)

    def close(self) -> None:
        """End."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"the end")
        self._thread.join(30)
        self._listener.close()


class Nobody:
    """A port that nobody listens at.

    Attributes:
        port: It.
    """

    def __init__(self) -> None:
        self._taken = socket.socket()
        self._taken.bind(("127.0.0.1", 0))  # and does not listen
        self.port: int = self._taken.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._taken.close()


@contextmanager
def standing_in(*manners: Manner | Literal["refuses"]) -> Iterator[list[StandIn | Nobody]]:
    """Have stand-ins for as long as the block takes."""
    found = [Nobody() if manner == "refuses" else StandIn(manner) for manner in manners]
    try:
        yield found
    finally:
        for each in found:
            each.close()
