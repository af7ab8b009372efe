"""Finding what belongs to an issuer (RFC 8414)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from .._core.json import JSONError, decode_object
from .actions import Answer, Fetch, Steps
from .errors import DiscoveryError, UnexpectedAnswerError, VerifierConfigurationError
from .policy import VerifierPolicy

__all__ = [
    "Metadata",
    "check_answer",
    "check_issuer",
    "discover",
    "metadata_url",
    "read_metadata",
    "retry_after",
]

_WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
_DEEPEST: Final = 8
_LONGEST_PAUSE: Final = 30
_CLEAN = re.compile(r"[!-~]+")


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself.

    Attributes:
        issuer: Who it is.
        jwks_uri: Where its keys are.
        ledger: Where its ledger is.
        introspection: Where to ask about a session cookie; ``None`` if that cannot be asked.
    """

    issuer: str
    jwks_uri: str
    ledger: str
    introspection: str | None


def check_issuer(issuer: object, *, allow_http: bool) -> str:
    """Return an issuer's identifier (RFC 8414 section 2).

    Raises:
        VerifierConfigurationError: If it is no https URL without query and fragment. Plain http is for this machine
            only, unless it is allowed.
    """
    if not isinstance(issuer, str) or not _CLEAN.fullmatch(issuer):
        raise VerifierConfigurationError("The issuer must be a URL, such as 'https://id.example'.")
    parts = _split(issuer)
    if parts is None or parts.query or parts.fragment or "?" in issuer or "#" in issuer:
        raise VerifierConfigurationError("The issuer must be a URL without a query or a fragment.")
    if not _is_safe(parts, allow_http=allow_http):
        raise VerifierConfigurationError(
            "The issuer must be an https URL: over http, anybody on the way could declare any token good. "
            "http is possible for this machine, or with allow_http=True."
        )
    return issuer


def metadata_url(issuer: str) -> str:
    """Return where an issuer's metadata is: the well-known path comes before its own (RFC 8414 section 3.1)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path.rstrip('/')}"


def read_metadata(body: bytes, *, issuer: str, allow_http: bool) -> Metadata:
    """Read a metadata document.

    Raises:
        DiscoveryError: If it is none, is another issuer's (RFC 8414 section 3.3), or names places that are not safe.
    """
    try:
        members = decode_object(body, max_depth=_DEEPEST)
    except JSONError:
        raise DiscoveryError("The metadata of the server is no JSON object.") from None
    stated = members.get("issuer")
    if stated != issuer:
        raise DiscoveryError(
            "The metadata is that of another issuer: the names must be the same, letter by letter.",
            detail=f"issuer is {ascii(stated)[:200]}, expected {issuer!a}",
        )
    ledger = _endpoint(members, "coatcheck_ledger_endpoint", allow_http=allow_http)
    jwks_uri = _endpoint(members, "jwks_uri", allow_http=allow_http)
    introspection = _endpoint(members, "introspection_endpoint", allow_http=allow_http)
    if ledger is None or jwks_uri is None:
        raise DiscoveryError("The metadata names no ledger or no keys: this is no Coatcheck server.")
    for url in filter(None, (ledger, introspection)):
        if _origin(url) != _origin(issuer):
            # These are sent the service key.
            raise DiscoveryError("The metadata names an endpoint at another origin.", detail=url[:200])
    return Metadata(issuer=issuer, jwks_uri=jwks_uri, ledger=ledger, introspection=introspection)


def discover(issuer: str, policy: VerifierPolicy, *, allow_http: bool) -> Steps[Metadata]:
    """Fetch and read an issuer's metadata. Raises kinds of ``FollowingError``."""
    answer: Answer = yield Fetch(
        url=metadata_url(issuer),
        headers={"accept": "application/json"},
        limit=policy.answer_limit,
        timeout=policy.request_timeout,
    )
    check_answer(answer)
    return read_metadata(answer.body, issuer=issuer, allow_http=allow_http)


def check_answer(answer: Answer) -> None:
    """Refuse all answers but 200. No redirect is followed: whoever could send one could send us anywhere.

    Raises:
        UnexpectedAnswerError: If it is another.
    """
    if answer.status != 200:
        raise UnexpectedAnswerError(
            f"The server answered {answer.status}.",
            answer=answer.status,
            retry_after=retry_after(answer),
        )
    if answer.headers.get("content-encoding", "identity") not in {"identity", ""}:
        raise UnexpectedAnswerError(
            "The answer is compressed, which was not asked for.", answer=answer.status
        )


def retry_after(answer: Answer) -> float | None:
    """Return after how many seconds to ask again, if it says so in seconds and it is not too long."""
    stated = answer.headers.get("retry-after", "")
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 6):
        return None
    return float(min(int(stated), _LONGEST_PAUSE))


def _endpoint(members: dict[str, Any], name: str, *, allow_http: bool) -> str | None:
    url = members.get(name)
    if url is None:
        return None
    parts = _split(url) if isinstance(url, str) and _CLEAN.fullmatch(url) else None
    if parts is None or parts.fragment or not _is_safe(parts, allow_http=allow_http):
        raise DiscoveryError(f"The metadata names no https URL as {name!r}.", detail=ascii(url)[:200])
    return str(url)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises if it is no number
    except ValueError:
        return None
    return parts if parts.hostname and "@" not in parts.netloc and "\\" not in url else None


def _is_safe(parts: SplitResult, *, allow_http: bool) -> bool:
    return parts.scheme == "https" or (
        parts.scheme == "http" and (allow_http or _is_this_machine(parts.hostname or ""))
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}[parts.scheme]
