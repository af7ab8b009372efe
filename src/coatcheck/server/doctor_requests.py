"""Looking at a deployment from outside: a few harmless requests, as a browser or an attacker would make them."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from .._core.clock import Clock, system_clock
from .doctor_model import Answer

__all__ = ["FOREIGN_HOST", "FOREIGN_ORIGIN", "ask_deployment"]

FOREIGN_HOST = "coatcheck-doctor.invalid"
FOREIGN_ORIGIN = f"https://{FOREIGN_HOST}"
_FORGED = {
    "X-Forwarded-Host": FOREIGN_HOST,
    "X-Forwarded-Proto": "http",
    "X-Original-Host": FOREIGN_HOST,
    "Forwarded": f"for=192.0.2.1;host={FOREIGN_HOST};proto=http",
}
_MOST_OCTETS = 262_144
_TIMEOUT = 10.0


def ask_deployment(
    url: str,
    *,
    prefix: str,
    clock: Clock = system_clock,
    tls: ssl.SSLContext | None = None,
    timeout: float = _TIMEOUT,
) -> dict[str, Answer]:
    """Ask a running deployment, and return its answers by the name of the probe.

    Args:
        url: Its origin.
        prefix: The path that the pages stand below.
        clock: Tells when an answer came.
        tls: Instead of the system's certificates.
        timeout: How long to wait for each answer, in seconds.
    """
    page, keys = f"{url}{prefix}/sign-in", f"{url}{prefix}/.well-known/jwks.json"
    probes: dict[str, tuple[str, Mapping[str, str]]] = {
        "page": (page, {}),
        "keys": (keys, {}),
        "forged": (page, _FORGED),
        "origin": (keys, {"Origin": FOREIGN_ORIGIN}),
    }
    if url.startswith("https:"):
        # Whoever types the address without a scheme comes to port 80; any other port was chosen by somebody.
        probes["plain"] = (f"http://{urlsplit(url).hostname}{prefix}/sign-in", {})
    return {
        name: _ask(address, headers, clock=clock, tls=tls, timeout=timeout)
        for name, (address, headers) in probes.items()
    }


def _ask(
    url: str, headers: Mapping[str, str], *, clock: Clock, tls: ssl.SSLContext | None, timeout: float
) -> Answer:
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", parts.path, headers={"Accept": "text/html, */*", **headers})
        response = connection.getresponse()
        return Answer(
            url=url,
            status=response.status,
            headers=tuple((name.lower(), value) for name, value in response.getheaders()),
            body=response.read(_MOST_OCTETS),
            at=clock(),
        )
    except ssl.SSLCertVerificationError as error:
        return Answer(url=url, error=f"the certificate is not trusted: {error.verify_message}")
    except (OSError, http.client.HTTPException) as error:
        return Answer(url=url, error=getattr(error, "strerror", None) or type(error).__name__)
    finally:
        connection.close()
