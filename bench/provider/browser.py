"""A browser without a window: cookies, redirects, forms; it counts what goes over the wire."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from bench.web.client import UnexpectedAnswerError

_REDIRECTS = {301, 302, 303, 307}
_TIMEOUT = 30.0


@dataclass
class Count:
    """What it took."""

    requests: int = 0
    octets: int = 0
    """Sent and received, heads included."""


@dataclass
class Page:
    """Where the browser has arrived: a page, or an address that is not the server's."""

    url: str
    status: int = 0
    body: bytes = b""
    forms: list[Form] = field(default_factory=list)


@dataclass
class Form:
    """A form of a page."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Browser:
    """Keeps one connection and its cookies. Scripts, styles and images are not fetched."""

    def __init__(self, port: int, origin: str) -> None:
        self.count = Count()
        self._origin = origin
        self._connection = _Counting(port, self.count)
        self._cookies: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def open(self, url: str) -> Page:
        """Go to an address, and on until there is a page or the way leads to another host."""
        return self._go("GET", url, None)

    def submit(self, page: Page, form: Form, values: Mapping[str, str]) -> Page:
        """Send a form by its first button."""
        fields = form.fields | {name: value for name, value in values.items() if name in form.fields}
        fields |= dict(form.buttons[:1])
        return self._go(form.method.upper(), urljoin(page.url, form.action), fields)

    def exchange(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Any:
        """Send what the app itself sends, on the same connection, without cookies; returns the JSON."""
        answer = self._send(method, path, body, {"Host": urlsplit(self._origin).netloc, **headers})
        content = answer.read()
        if answer.status != 200:
            raise UnexpectedAnswerError(f"{path} answered {answer.status}: {content[:200]!r}")
        return content

    def _go(self, method: str, url: str, fields: Mapping[str, str] | None) -> Page:
        while url.startswith(f"{self._origin}/"):
            target = urlsplit(url)
            path = f"{target.path}?{target.query}" if target.query else target.path
            headers = {
                "Accept": "text/html",
                "Host": target.netloc,
                "Cookie": self._cookie_header(target.path),
            }
            body = None
            if method == "POST":
                body = urlencode(fields or {})
                headers |= {
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Origin": self._origin,
                    "Sec-Fetch-Site": "same-origin",
                }
            answer = self._send(method, path, body, headers)
            content = answer.read()
            self._keep(answer, target.path)
            if answer.status not in _REDIRECTS:
                if answer.status >= 400:
                    raise UnexpectedAnswerError(f"{path} answered {answer.status}: {content[:500]!r}")
                return Page(url, answer.status, content, _forms(content))
            url, method, fields = urljoin(url, answer.headers["Location"]), "GET", None
        return Page(url)

    def _send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> HTTPResponse:
        self.count.requests += 1
        self._connection.request(method, path, body, {name: text for name, text in headers.items() if text})
        return self._connection.getresponse()

    def _cookie_header(self, path: str) -> str:
        return "; ".join(
            f"{name}={value}" for (name, below), value in self._cookies.items() if path.startswith(below)
        )

    def _keep(self, answer: HTTPResponse, path: str) -> None:
        for header in answer.headers.get_all("Set-Cookie", []):
            pair, _, attributes = header.partition(";")
            name, _, value = pair.partition("=")
            below = path.rpartition("/")[0] or "/"
            for attribute in attributes.split(";"):
                key, _, text = attribute.strip().partition("=")
                below = text if key.lower() == "path" else below
            self._cookies.pop((name, below), None)
            if value:
                self._cookies[name, below] = value


class _Counting(HTTPConnection):
    """A connection that counts octets."""

    def __init__(self, port: int, count: Count) -> None:
        super().__init__("127.0.0.1", port, timeout=_TIMEOUT)
        self._count = count

    def connect(self) -> None:
        """Connect, without waiting for small pieces to become large ones."""
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock: Any = _CountedSocket(self.sock, self._count)


class _CountedSocket:
    """As much of a socket as ``http.client`` needs."""

    def __init__(self, inner: socket.socket, count: Count) -> None:
        self._inner, self._count = inner, count

    def sendall(self, data: bytes) -> None:
        """Send."""
        self._count.octets += len(data)
        self._inner.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what answers are read from."""
        return io.BufferedReader(_Reader(self._inner, self._count))

    def close(self) -> None:
        """Close."""
        self._inner.close()


class _Reader(io.RawIOBase):
    def __init__(self, inner: socket.socket, count: Count) -> None:
        self._inner, self._count = inner, count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = self._inner.recv_into(buffer)
        self._count.octets += read
        return read


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif self.forms and tag == "input" and found.get("name"):
            if found.get("type") != "checkbox" or "checked" in found:
                self.forms[-1].fields[found["name"]] = found.get("value", "on" if "checked" in found else "")
        elif self.forms and tag == "button" and found.get("name"):
            self.forms[-1].buttons.append((found["name"], found.get("value", "")))


def _forms(content: bytes) -> list[Form]:
    parser = _Forms()
    parser.feed(content.decode("utf-8", "replace"))
    return parser.forms
