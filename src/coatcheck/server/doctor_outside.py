"""What the answers of a running deployment say about it: decisions on values."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from .doctor_model import Answer, Facts, Finding
from .doctor_requests import FOREIGN_HOST, FOREIGN_ORIGIN

__all__ = ["findings_outside"]

_SKEW_NOTED, _SKEW_FAULT = 5.0, 60.0
_HSTS_LEAST = 31_536_000  # a year, ASVS 5.0 section 3.4.1
_OK, _UNAUTHORIZED = 200, 401
_REDIRECTS = {301, 302, 307, 308}


def findings_outside(facts: Facts) -> Iterator[Finding]:
    """Yield what the answers show."""
    page, keys = facts.answers.get("page"), facts.answers.get("keys")
    if page is None or keys is None:
        return
    if page.error is not None:
        yield _unreachable(page)
        return
    yield from _status(page)
    yield from _clock(page)
    yield from _caching(page)
    yield from _transport(page)
    yield from _cookies(page)
    yield from _key_set(keys)
    yield from _forged(facts.answers["forged"])
    yield from _cors(facts.answers["origin"])
    if "plain" in facts.answers:
        yield from _plain(facts.answers["plain"], https=page.url)


def _unreachable(page: Answer) -> Finding:
    return Finding(
        level="fault",
        code="unreachable",
        title=f"{page.url} does not answer",
        explanation=f"Asked from here: {page.error}. Nothing else could be looked at from outside.",
        fix="Check that the server runs, the name leads to it, and the certificate is for that name and complete.",
    )


def _status(page: Answer) -> Iterator[Finding]:
    if page.status != _OK:
        yield Finding(
            level="fault",
            code="no_pages",
            title=f"{page.url} answers {page.status}",
            explanation="The sign-in page should be there, with status 200.",
            fix="Check that prefix is the same as where the proxy leads, and that the proxy leaves the path as it is.",
        )


def _clock(page: Answer) -> Iterator[Finding]:
    try:
        skew = parsedate_to_datetime(page.first("date")).timestamp() - page.at
    except ValueError:
        return
    if abs(skew) > _SKEW_NOTED:
        yield Finding(
            level="fault" if abs(skew) > _SKEW_FAULT else "warning",
            code="clock_skew",
            title=f"The server's clock and this one are {abs(skew):.0f} seconds apart",
            explanation="Tokens would seem expired, or not yet valid, to others; one-use links end at the wrong time.",
            fix="Let both machines take their time from NTP.",
        )


def _caching(page: Answer) -> Iterator[Finding]:
    if page.status == _OK and "no-store" not in ", ".join(page.all("cache-control")).lower():
        yield Finding(
            level="fault",
            code="stored_pages",
            title="Something on the way takes no-store from the pages",
            explanation="A cache could give one person's page, with its tokens, to another.",
            fix="Let the proxy or CDN pass Cache-Control on as it is, and cache nothing below the prefix but /static/.",
        )


def _transport(page: Answer) -> Iterator[Finding]:
    if not page.url.startswith("https:"):
        return
    values = page.first("strict-transport-security").lower().replace(" ", "").split(";")
    ages = [value.removeprefix("max-age=").strip('"') for value in values if value.startswith("max-age=")]
    if not ages or not ages[0].isdecimal() or int(ages[0]) < _HSTS_LEAST:
        yield Finding(
            level="fault",
            code="no_hsts",
            title="Browsers are not told to use https only",
            explanation="Strict-Transport-Security is missing or shorter than a year: visits can be intercepted.",
            fix="Set base_url to the https address, and let the proxy pass the header on.",
        )


def _cookies(page: Answer) -> Iterator[Finding]:
    for cookie in page.all("set-cookie"):
        name = cookie.partition("=")[0].strip()
        attributes = {part.strip().lower().partition("=")[0] for part in cookie.split(";")[1:]}
        paths = [part.strip().lower() for part in cookie.split(";")[1:]]
        if name.startswith("__Host-") and ("secure" not in attributes or "domain" in attributes):
            missing = "Secure is gone" if "secure" not in attributes else "Domain was added"
        elif name.startswith("__Host-") and "path=/" not in paths:
            missing = "its Path was changed"
        elif name.startswith("__Host-") and "samesite" not in attributes:
            missing = "SameSite is gone"
        else:
            continue
        yield Finding(
            level="fault",
            code="changed_cookie",
            title=f"The cookie {name[:60]} was changed on the way: {missing}",
            explanation="Browsers drop a __Host- cookie that is not Secure, has a Domain or another Path than /.",
            fix="Take out whatever rewrites cookies in the proxy (proxy_cookie_path, ProxyPassReverseCookieDomain …).",
        )


def _key_set(keys: Answer) -> Iterator[Finding]:
    try:
        entries = msgspec.json.decode(keys.body)["keys"] if keys.status == _OK else []
        public = [entry for entry in entries if entry["kid"] and "d" not in entry]
    except (msgspec.DecodeError, KeyError, TypeError):
        public = []
    if not public:
        yield Finding(
            level="fault",
            code="no_key_set",
            title=f"{keys.url} is no key set",
            explanation="Those who verify access tokens by themselves find no key there.",
            fix="Check that the proxy leads this path to the server, and changes nothing of the answer.",
        )


def _forged(forged: Answer) -> Iterator[Finding]:
    shown = [value for name, value in forged.headers if name in {"location", "set-cookie", "link"}]
    if FOREIGN_HOST.encode() in forged.body or any(FOREIGN_HOST in value for value in shown):
        yield Finding(
            level="fault",
            code="forged_host",
            title="A forged X-Forwarded-Host or Forwarded header gets into the answer",
            explanation="Links could lead people elsewhere. Coatcheck makes links of base_url only: something before "
            "it does this.",
            fix="Let the proxy delete Forwarded, X-Forwarded-Host and X-Original-Host, and set its own.",
        )
    elif forged.status in _REDIRECTS:
        yield Finding(
            level="warning",
            code="forged_scheme",
            title="A forged X-Forwarded-Proto changes the answer",
            explanation="The proxy believes what a client says about its connection, and redirects.",
            fix="Let the proxy overwrite X-Forwarded-Proto with what it knows itself.",
        )


def _cors(answer: Answer) -> Iterator[Finding]:
    allowed = answer.first("access-control-allow-origin")
    credentials = answer.first("access-control-allow-credentials").lower() == "true"
    if allowed == FOREIGN_ORIGIN or (allowed == "*" and credentials):
        yield Finding(
            level="fault",
            code="open_cors",
            title="Any site may read answers",
            explanation=f"A request from {FOREIGN_ORIGIN} was allowed; Coatcheck allows listed origins only.",
            fix="Take the CORS headers out of the proxy, and list the origins in cors_origins.",
        )


def _plain(plain: Answer, *, https: str) -> Iterator[Finding]:
    if plain.error is not None:
        return  # nobody listens at port 80: as good as a redirect, for browsers that know HSTS
    target = urlsplit(plain.first("location"))
    redirects = plain.status in _REDIRECTS and target.scheme == "https"
    if not redirects or target.hostname != urlsplit(https).hostname:
        yield Finding(
            level="fault" if plain.status in {_OK, _UNAUTHORIZED} else "warning",
            code="plain_http",
            title=f"{plain.url} answers {plain.status} and does not lead to https",
            explanation="Who types the address without https is served in the clear, or not at all.",
            fix="Let the proxy answer port 80 with a permanent redirect (308) to the https address.",
        )
