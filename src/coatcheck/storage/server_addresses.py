"""What the address of a database server must look like, told before its driver is asked.

Drivers take what they do not understand for a part that may be shown, or fail at the first request. Nothing of an
address is repeated in what is raised here: it may hold a password.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

__all__ = ["check_postgres_url", "check_redis_url"]

_POSTGRES: Final = re.compile(
    r"postgres(?:ql)?://(?:[^@/?]*@)?"
    r"(?:\[[^@/?\[\]]+\]|[^@:/?,\[\]]*)(?::[0-9]*)?"  # a host, and its port
    r"(?:,(?:\[[^@/?\[\]]+\]|[^@:/?,\[\]]*)(?::[0-9]*)?)*"  # and others
    r"(?:/[^@/?]*)?(?:\?[^@]*)?"  # what libpq would take for a password may have a ? in it
)
_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_REDIS_DATABASE: Final = re.compile(r"/?|/[0-9]{1,5}")
_REDIS_OPTIONS: Final = frozenset({"db", "username", "password"})
_REDIS_TLS_OPTIONS: Final = frozenset(
    {
        "ssl_ca_certs",
        "ssl_ca_data",
        "ssl_ca_path",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_ciphers",
        "ssl_keyfile",
        "ssl_password",
    }
)


def check_postgres_url(text: str) -> str:
    """One or more servers of PostgreSQL: ``postgresql://user:password@host:port/name?sslmode=…``.

    libpq ends the user and the password at the first ``/`` or ``@``, and takes the rest of a password for the name of a
    host or a database, which are shown.

    Args:
        text: The address, of libpq's URI form.

    Returns:
        The same.

    Raises:
        ValueError: If it is none, or cannot mean what it says. The sentence has no subject.
    """
    if not _POSTGRES.fullmatch(text) or _NO_ESCAPE.search(text):
        raise ValueError(
            "it must be postgresql://user:password@host:port/name, where / @ ? and % in a password are written"
            " %2F %40 %3F %25."
        )
    return text


def check_redis_url(text: str) -> str:
    """A server of Redis or Valkey: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path``.

    Args:
        text: The address.

    Returns:
        The same.

    Raises:
        ValueError: If it is none, or has options that are not known. The sentence has no subject.
    """
    wrong = ValueError(
        "it must be redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path/to/socket."
    )
    try:
        parts = urlsplit(text)
        is_there = parts.port is None or parts.port > 0
    except ValueError:
        raise wrong from None
    where = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not where or not is_there or parts.fragment:
        raise wrong
    if parts.scheme != "unix" and not _REDIS_DATABASE.fullmatch(parts.path):
        raise wrong
    _check_redis_options(parts.query, is_tls=parts.scheme == "rediss")
    return text


def _check_redis_options(query: str, *, is_tls: bool) -> None:
    # The driver hands all of them on, and fails at the first request over those that it does not know.
    known = _REDIS_OPTIONS | (_REDIS_TLS_OPTIONS if is_tls else frozenset())
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _REDIS_TLS_OPTIONS - known:
            raise ValueError("options that begin with ssl_ are for rediss://, which is TLS.")
        if name not in known:
            raise ValueError(f"what may stand behind ? is {', '.join(sorted(known))}.")
        if name == "db" and not value.isdecimal():
            raise ValueError("db must be a number.")
