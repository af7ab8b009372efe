"""Several nodes in production behind nginx with the configuration that is shipped, as processes of this machine."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpcore
import httpx

from tests.clients.certificates import make
from tests.guards.programs import free_port

HOST = "id.example.com"
BASE_URL = f"https://{HOST}"
SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
SECRET = "tK3vQ9sX7wLr2nB5mZ8cF4hJ6pD1gYaEuV0iOqTxWkA="
PATIENCE = 60.0  # seconds, on a machine that is busy

_MAIN = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_shutdown_timeout 5s;
events {{}}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""
_SERVER = re.compile(r"server 10\.89\.1\.1([123]):8000( [^;]*)?;")


def until(holds: Callable[[], bool], what: object = "") -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.02)


class Node:
    """``coatcheck serve`` as it is run in production: all of its settings from the environment.

    Attributes:
        port: Where it listens, at 127.0.0.1.
        process: It, if it runs.
    """

    def __init__(
        self,
        directory: Path,
        database: str,
        *,
        workers: int = 1,
        program: Iterable[str] = ("-m", "coatcheck"),
    ) -> None:
        self.port: int = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = settings_of(database)
        self._directory = directory
        self._log = directory / f"node-{self.port}.log"
        self._command = [sys.executable, *program, "serve", "--port", str(self.port)]
        self._command += ["--workers", str(workers)]

    def begin(self, **changes: str) -> None:
        """Start it."""
        environment = _inherited() | self.environment | changes
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._directory, env=environment, stdout=log, stderr=log
            )

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        until(self.is_ready, self._log.read_text)

    def is_ready(self) -> bool:
        """Tell whether it answers, and may be asked."""
        assert self.process is not None
        assert self.process.poll() is None, self._log.read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return how it ended."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        return process.wait(PATIENCE)

    def log(self) -> str:
        """Return what it has written."""
        return self._log.read_text()

    def get(self, path: str, cookie: str | None = None, **headers: str) -> httpx.Response:
        """Ask this node and no other, as nginx does."""
        headers |= {"Host": HOST, "X-Forwarded-For": "192.0.2.1"}
        if cookie is not None:
            headers["Cookie"] = cookie
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30)

    def post(self, path: str, data: Mapping[str, str], **headers: str) -> httpx.Response:
        """Ask this node and no other, as nginx does."""
        headers |= {"Host": HOST, "X-Forwarded-For": "192.0.2.1"}
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers, timeout=30)

    def knows(self, cookie: str) -> bool:
        """Tell whether it takes a session's cookie."""
        status = self.get("/auth/session", cookie).status_code
        assert status in {200, 401}
        return status == 200


def _inherited() -> dict[str, str]:
    # Not what coverage needs: a node that is measured takes ten times as long to start.
    return {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR"}}


def settings_of(database: str) -> dict[str, str]:
    """Return the variables that all nodes are given."""
    return {
        "COATCHECK_MODE": "production",
        "COATCHECK_BASE_URL": BASE_URL,
        "COATCHECK_SECRET": SECRET,
        "COATCHECK_DATABASE": database,
        "COATCHECK_DATABASE_CONNECTIONS": "4",
        "COATCHECK_TRUSTED_PROXIES": "127.0.0.1",
        "COATCHECK_MAIL": "off",
        "COATCHECK_SIGN_UP": "closed",
        "COATCHECK_HASHING_WORKERS": "1",
    }


class HasPort(Protocol):
    """What nginx has to know of a node."""

    @property
    def port(self) -> int: ...


class Nginx:
    """nginx with the shipped configuration, in which nothing but addresses and paths is other.

    Attributes:
        port: Where it speaks https.
        plain_port: Where it does not.
        trust: What trusts its certificate.
    """

    def __init__(self, directory: Path, nodes: Sequence[HasPort]) -> None:
        self.port: int = free_port()
        self.plain_port: int = free_port()
        self._directory = directory
        self._nodes = nodes
        self._process: subprocess.Popen[bytes] | None = None
        authority, self._certificate, self._key = make(directory, host=HOST)
        self.trust: ssl.SSLContext = ssl.create_default_context(cafile=str(authority))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (self._directory / "nginx.conf").write_text(_MAIN.format(directory=self._directory))
        self._write()
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        with (self._directory / "nginx.out").open("ab") as out:
            self._process = subprocess.Popen(
                [program, "-p", str(self._directory), "-c", str(self._directory / "nginx.conf")],
                stdout=out,
                stderr=out,
            )
        until(self._answers, (self._directory / "nginx.out").read_text)

    def _write(self, *, down: HasPort | None = None) -> None:
        text = SHIPPED.read_text()

        def server(found: re.Match[str]) -> str:
            number = int(found[1])
            if number > len(self._nodes):
                return ""
            node = self._nodes[number - 1]
            return f"server 127.0.0.1:{node.port}{found[2]}{' down' if node is down else ''};"

        text, count = _SERVER.subn(server, text)
        assert count == 3
        for shipped, here in {
            "listen [::]:80": f"listen [::1]:{self.plain_port}",
            "listen 80": f"listen 127.0.0.1:{self.plain_port}",
            "listen [::]:443": f"listen [::1]:{self.port}",
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "/etc/nginx/tls/tls.crt": str(self._certificate),
            "/etc/nginx/tls/tls.key": str(self._key),
            "/var/log/nginx/": f"{self._directory}/",
            "/var/www/acme": str(self._directory),
        }.items():
            assert shipped in text
            text = text.replace(shipped, here)
        (self._directory / "site.conf").write_text(text)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "nginx.out").read_text()
        try:
            with self.client() as client:
                return client.get("/nowhere").status_code == 404
        except httpx.TransportError:
            return False

    def take_out(self, node: HasPort | None) -> None:
        """Send nothing more to a node, as an operator does who is going to stop it; to ``None`` for: to all again.

        Returns when those of its processes that still would have ended.
        """
        before = self._workers()
        self._write(down=node)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        until(lambda: not before & self._workers())

    def _workers(self) -> set[str]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return set(children.read_text().split())

    def end(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def client(self, **headers: str) -> httpx.Client:
        """Return a client that reaches the site by its name, through nginx."""
        transport = httpx.HTTPTransport(verify=self.trust)
        pool = httpcore.ConnectionPool(ssl_context=self.trust, network_backend=_Way(self.port))
        transport._pool.close()
        transport._pool = pool
        return httpx.Client(transport=transport, base_url=BASE_URL, headers=headers, timeout=30)

    def node_of(self, response: httpx.Response) -> int:
        """Return the port of the node that answered."""
        return int(self._line_of(response).split()[-2].rpartition(":")[2])

    def nodes_asked(self, response: httpx.Response) -> list[int]:
        """Return the ports of the nodes that were asked, one after the other."""
        found = re.findall(r"127\.0\.0\.1:(\d+)", self._line_of(response).rpartition('"')[2])
        return [int(port) for port in found]

    def _line_of(self, response: httpx.Response) -> str:
        name = response.headers["x-request-id"]
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [line for line in self.access_log().splitlines() if line.endswith(name)]
            return bool(found)

        until(is_there)
        return found[0]

    def access_log(self) -> str:
        """Return what it has written of requests."""
        return (self._directory / "access.log").read_text()


class _Way(httpcore.SyncBackend):
    """Goes to a port of this machine, whatever the name is that is asked for."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def connect_tcp(self, *_: Any, **options: Any) -> httpcore.NetworkStream:
        return super().connect_tcp(**(options | {"host": "127.0.0.1", "port": self._port}))


class Cluster:
    """Nodes, what they share, and nginx in front of them.

    Attributes:
        database: The address of their database.
        nodes: They.
        nginx: It.
    """

    def __init__(self, directory: Path, database: str, nodes: list[Node]) -> None:
        self.database: str = database
        self.nodes: list[Node] = nodes
        self.nginx: Nginx = Nginx(directory, nodes)
        self._directory = directory

    def start(self) -> None:
        """Start all of it: the nodes at once, as when the machines come back after a failure of the power."""
        for node in self.nodes:
            node.begin()
        for node in self.nodes:
            node.wait()
        self.nginx.start()

    def end(self) -> None:
        """End all of it."""
        self.nginx.end()
        for node in self.nodes:
            if node.process is not None:
                node.end()

    def statuses(self, access_token: str) -> set[int]:
        """Return what the nodes answer to whoever shows a token."""
        bearer = f"Bearer {access_token}"
        return {node.get("/auth/session", Authorization=bearer).status_code for node in self.nodes}

    def command(self, *arguments: str) -> Any:
        """Run a command of the program as an operator does on one of the machines."""
        ran = subprocess.run(
            [sys.executable, "-m", "coatcheck", *arguments],
            cwd=self._directory,
            env=_inherited() | settings_of(self.database),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr or ran.stdout
        return json.loads(ran.stdout) if "--json" in arguments else ran.stdout
