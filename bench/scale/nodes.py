"""Nodes, ``coatcheck serve`` in production, and a balancer in front of them."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from time import monotonic

from bench.ledger.site import free_port
from bench.scale.cheap import CHEAP
from bench.scale.processes import Program, ending
from bench.web import client
from bench.web.client import UnexpectedAnswerError
from bench.web.environment import CHILD
from coatcheck.server.settings import load_settings
from coatcheck.server.settings_model import Settings

ORIGIN = "https://id.example.net"
_PATIENCE = 240.0
_NGINX = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/nginx-body;
    proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    upstream nodes {{
{servers}
        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host {host};
            proxy_set_header X-Forwarded-For $http_x_forwarded_for;
            proxy_connect_timeout 1s;
            proxy_read_timeout 20s;
        }}
    }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How a site is run."""

    name: str
    database: str
    """The SQLite file or the address of a PostgreSQL database."""
    nodes: int = 1
    workers: int = 1
    more: Mapping[str, str] = field(default_factory=dict)
    """Further settings, by the names of their variables."""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    mail_port: int = 9
    """Where mail is handed in. By default nobody listens there."""

    @property
    def variables(self) -> dict[str, str]:
        """The settings as a node is given them."""
        found = {
            "COATCHECK_MODE": "production",
            "COATCHECK_BASE_URL": ORIGIN,
            "COATCHECK_SECRET": self.secret,
            "COATCHECK_DATABASE": self.database,
            "COATCHECK_SMTP_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "COATCHECK_MAIL_FROM": "bench@example.net",
            "COATCHECK_TRUSTED_PROXIES": "127.0.0.1",
            "COATCHECK_NOTIFY_NEW_DEVICE": "false",
        }
        return found | dict(self.more)

    def settings(self, directory: Path) -> Settings:
        """The settings for what is done behind the door."""
        return load_settings(environment=self.variables, directory=directory)


class Node(Program):
    """One node."""

    def __init__(self, number: int, setup: Setup, directory: Path) -> None:
        super().__init__(f"node-{number}", directory)
        self.setup = setup
        self.port = free_port()
        self.started_in_s = 0.0

    def start(self, **more: str) -> None:
        """Start it; returns when it answers. It may be given more variables."""
        began = monotonic()
        self.begin(**more)
        self.until(self._answers, patience=_PATIENCE)
        self.started_in_s = monotonic() - began

    def begin(self, **more: str) -> None:
        """Start it."""
        command = [sys.executable, "-W", "ignore", "-m", self._module, "serve", "--no-access-log"]
        command += ["--port", str(self.port)]
        command += ["--workers", str(self.setup.workers)] if self.setup.workers > 1 else []
        self.launch(command, {**CHILD, **self.setup.variables, **more})

    @property
    def _module(self) -> str:
        return "bench.scale.cheap" if CHEAP.keys() <= self.setup.more.keys() else "coatcheck"

    def _answers(self) -> bool:
        try:
            return client.get(self.port, "/auth/.well-known/jwks.json").status == 200
        except (OSError, HTTPException):
            return False


class Balancer(Program):
    """nginx in front of nodes."""

    def __init__(self, nodes: Sequence[Node], directory: Path) -> None:
        super().__init__("nginx", directory)
        self.port = free_port()
        self._nodes = nodes

    def start(self) -> None:
        """Start it; returns when a node answers through it."""
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if binary is None:
            raise UnexpectedAnswerError("nginx is not installed: apt-get install nginx")
        servers = [
            f"        server 127.0.0.1:{node.port} max_fails=1 fail_timeout=1s;" for node in self._nodes
        ]
        text = _NGINX.format(
            directory=self.directory,
            servers="\n".join(servers),
            port=self.port,
            host=ORIGIN.rpartition("/")[2],
        )
        place = self.directory / "nginx.conf"
        place.write_text(text, encoding="ascii")
        self.launch([binary, "-p", str(self.directory), "-c", str(place)])
        self.until(self._answers)

    def _answers(self) -> bool:
        try:
            return client.get(self.port, "/auth/.well-known/jwks.json").status == 200
        except (OSError, HTTPException):
            return False


@dataclass
class Site:
    """What runs: nodes, and the balancer if there is more than one."""

    setup: Setup
    directory: Path
    nodes: list[Node]
    balancer: Balancer | None

    @property
    def port(self) -> int:
        """Where clients go."""
        return self.nodes[0].port if self.balancer is None else self.balancer.port


@contextmanager
def running(setup: Setup, directory: Path, *, balanced: bool | None = None) -> Iterator[Site]:
    """Start the nodes of a site, and a balancer if there are several or it is wished; stop them in the end."""
    directory.mkdir(parents=True, exist_ok=True)
    nodes = [Node(number, setup, directory) for number in range(setup.nodes)]
    with ending(*nodes):
        nodes[0].start()  # the first brings the schema to its newest state, and makes the keys
        for node in nodes[1:]:
            node.start()
        if not (setup.nodes > 1 if balanced is None else balanced):
            yield Site(setup, directory, nodes, None)
            return
        balancer = Balancer(nodes, directory)
        with ending(balancer):
            balancer.start()
            yield Site(setup, directory, nodes, balancer)
