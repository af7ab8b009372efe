"""The documents that the rules rest on, and the sections that they quote, each with its title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from .model import Source

__all__ = ["DOCUMENTS", "Document", "cite", "cite_briefly", "link"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A specification or a checklist.

    Attributes:
        title: What it is called.
        url: Where it is.
        sections: The sections that are quoted, with their titles.
        anchor: What goes between the address and the number of a section; ``""`` if there is no such address.
    """

    title: str
    url: str
    sections: Mapping[str, str]
    anchor: str = ""


def _rfc(number: int, title: str, sections: Mapping[str, str]) -> Document:
    return Document(
        title=title,
        url=f"https://www.rfc-editor.org/rfc/rfc{number}.html",
        anchor="#section-",
        sections=sections,
    )


DOCUMENTS: Mapping[str, Document] = {
    "RFC 6749": _rfc(
        6749,
        "The OAuth 2.0 Authorization Framework",
        {"4.4": "Client Credentials Grant", "4.4.3": "Access Token Response"},
    ),
    "RFC 7519": _rfc(
        7519,
        "JSON Web Token (JWT)",
        {"11.2": "Signing and Encryption Order", "12": "Privacy Considerations"},
    ),
    "RFC 7523": _rfc(
        7523,
        "JWT Profile for OAuth 2.0 Client Authentication and Authorization Grants",
        {"2.2": "Using JWTs for Client Authentication"},
    ),
    "RFC 7662": _rfc(7662, "OAuth 2.0 Token Introspection", {"4": "Security Considerations"}),
    "RFC 8252": _rfc(
        8252,
        "OAuth 2.0 for Native Apps",
        {
            "6": "Initiating the Authorization Request from a Native App",
            "7.2": 'Claimed "https" Scheme URI Redirection',
            "7.3": "Loopback Interface Redirection",
            "8.6": "Client Impersonation",
            "8.12": "Embedded User-Agents",
        },
    ),
    "RFC 8628": _rfc(8628, "OAuth 2.0 Device Authorization Grant", {"1": "Introduction"}),
    "RFC 8693": _rfc(
        8693,
        "OAuth 2.0 Token Exchange",
        {"1.1": "Delegation vs. Impersonation Semantics", "4.1": '"act" (Actor) Claim'},
    ),
    "RFC 8725": _rfc(
        8725,
        "JSON Web Token Best Current Practices",
        {
            "3.8": "Validate Issuer and Subject",
            "3.9": "Use and Validate Audience",
            "3.11": "Use Explicit Typing",
        },
    ),
    "RFC 9068": _rfc(
        9068,
        "JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens",
        {"4": "Validating JWT Access Tokens", "6": "Privacy Considerations"},
    ),
    "RFC 9449": _rfc(
        9449,
        "OAuth 2.0 Demonstrating Proof of Possession (DPoP)",
        {"1": "Introduction", "11.4": "Untrusted Code in the Client Context"},
    ),
    "RFC 9700": _rfc(
        9700,
        "Best Current Practice for OAuth 2.0 Security",
        {
            "2.1.1": "Authorization Code Grant",
            "2.2.1": "Access Tokens",
            "2.2.2": "Refresh Tokens",
            "2.3": "Access Token Privilege Restriction",
            "2.4": "Resource Owner Password Credentials Grant",
            "2.5": "Client Authentication",
            "4.10.1": "Sender-Constrained Access Tokens",
            "4.14.2": "Recommendations",
        },
    ),
    "RFC 10017": _rfc(
        10017,
        "OAuth 2.0 for Browser-Based Applications",
        {
            "5.1.2": "Persistent Token Theft",
            "5.1.3": "Acquisition and Extraction of New Tokens",
            "5.1.4": "Proxying Requests via the User's Browser",
            "5.2.3": "Client Hijacking",
            "6.1": "Backend for Frontend (BFF)",
            "6.1.3.2": "Cookie Security",
            "6.1.3.3": "Cross-Site Request Forgery Protections",
            "6.1.3.6": "Proxy Restrictions",
            "6.1.4": "Threat Analysis",
            "6.3": "Browser-Based OAuth 2.0 Client",
            "6.3.2.3": "Refresh Tokens",
            "6.3.4": "Threat Analysis",
            "7.1": "Single-Domain Browser-Based Applications (Not Using OAuth)",
            "8.4": "In-Memory Token Storage",
            "8.5": "Persistent Token Storage",
        },
    ),
    "OpenID Connect Core 1.0": Document(
        title="OpenID Connect Core 1.0",
        url="https://openid.net/specs/openid-connect-core-1_0.html",
        sections={"3.1": "Authentication using the Authorization Code Flow"},
    ),
    "OpenID Connect Back-Channel Logout 1.0": Document(
        title="OpenID Connect Back-Channel Logout 1.0",
        url="https://openid.net/specs/openid-connect-backchannel-1_0.html",
        sections={"2.5": "Back-Channel Logout Request"},
    ),
    "Token Status List, draft 21": Document(
        title="Token Status List (TSL)",
        url="https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list-21",
        anchor="#section-",
        sections={"13.7": "Status List Update Interval and Caching"},
    ),
    "MCP 2026-07-28": Document(
        title="Model Context Protocol, Authorization",
        url="https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization",
        sections={
            "Token Audience Binding and Validation": "",
            "Access Token Privilege Restriction": "",
            "Client ID Metadata Document Security": "",
        },
    ),
    "NIST SP 800-63B-4": Document(
        title="Digital Identity Guidelines: Authentication and Authenticator Management",
        url="https://pages.nist.gov/800-63-4/sp800-63b.html",
        sections={
            "2.2.1": "AAL2, permitted authenticator types",
            "2.2.3": "AAL2, reauthentication",
            "2.3.3": "AAL3, reauthentication",
            "5.1": "Session bindings",
            "5.1.1": "Browser cookies",
            "5.1.2": "Access tokens",
            "5.2": "Reauthentication",
        },
    ),
    "ASVS 5.0": Document(
        title="OWASP Application Security Verification Standard",
        url="https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en",
        sections={
            "3.3.4": "Session cookies are HttpOnly",
            "3.5.1": "Requests prove that they come from the site",
            "3.5.3": "Only unsafe methods change anything",
            "7.4.1": "After a sign-out the session is unusable",
            "7.5.2": "Users can end their sessions",
            "7.5.3": "Step-up before what is highly sensitive",
            "8.3.2": "Changed permissions apply at once",
            "8.3.3": "Decisions use the originating subject",
            "9.2.3": "The audience is checked",
            "10.1.1": "Tokens go only where they are needed",
            "10.3.5": "Sender-constrained access tokens",
            "10.4.5": "Refresh tokens of public clients rotate",
            "10.4.7": "Clients that register themselves",
            "10.4.11": "Clients have only the scopes that they need",
            "10.4.16": "Clients authenticate by keys",
            "10.5.5": "Back-channel logout",
            "10.7.1": "Consent",
        },
    ),
}


def cite(source: Source) -> str:
    """Return a source in a line: ``RFC 10017 section 6.1, Backend for Frontend (BFF)``."""
    title = DOCUMENTS[source.document].sections[source.section]
    return cite_briefly([source]) + (f", {title}" if title else "")


def cite_briefly(sources: Iterable[Source]) -> str:
    """Return sources in a line without titles: ``RFC 10017 sections 6.1, 7.1; ASVS 5.0 7.4.1``."""
    places: dict[str, list[str]] = {}
    for source in sources:
        places.setdefault(source.document, []).append(source.section)
    return "; ".join(
        f"{document} {_word(document, found)}{', '.join(found)}" for document, found in places.items()
    )


def _word(document: str, sections: list[str]) -> str:
    if document == "ASVS 5.0" or not sections[0][0].isdigit():
        return ""
    return "section " if len(sections) == 1 else "sections "


def link(source: Source) -> str:
    """Return the address of a source, of its section where there is such an address."""
    document = DOCUMENTS[source.document]
    return f"{document.url}{document.anchor}{source.section}" if document.anchor else document.url
