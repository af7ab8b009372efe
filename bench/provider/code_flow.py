"""The whole way of an app in a browser to its tokens: sign-in, consent, code, tokens, userinfo."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.provider.browser import Browser, Form, Page
from bench.provider.machine import CALLBACK
from bench.web.client import UnexpectedAnswerError

_MOST_PAGES = 4


@dataclass(frozen=True)
class Flow:
    """Where one server has what, and who signs in there."""

    origin: str
    """Where browsers believe it to be."""
    authorization: str
    token: str
    userinfo: str
    client: str
    """The app."""
    headers: Mapping[str, str]
    """By which the app authenticates itself."""
    people: Sequence[Mapping[str, str]]
    """What is filled in, by the fields' names: each time by somebody who has not consented yet."""


@dataclass
class Ways:
    """What it took, each time: a stranger's first way, and the next one in the same browser."""

    requests: dict[str, int] = field(default_factory=dict)
    octets: dict[str, int] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)


FIRST = "signing in and consenting"
AGAIN = "signed in already"


def measure(port: int, flow: Flow, *, times: int) -> Ways:
    """Go both ways so many times, with a new browser each time."""
    ways = Ways()
    for person in flow.people[:times]:
        browser = Browser(port, flow.origin)
        try:
            for name in (FIRST, AGAIN):
                before = (browser.count.requests, browser.count.octets)
                began = time.perf_counter()
                _go(browser, flow, person)
                ways.milliseconds.setdefault(name, []).append((time.perf_counter() - began) * 1e3)
                ways.requests[name] = browser.count.requests - before[0]
                ways.octets[name] = browser.count.octets - before[1]
        finally:
            browser.close()
    return ways


def _go(browser: Browser, flow: Flow, person: Mapping[str, str]) -> None:
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": flow.client,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "state": state,
        "nonce": secrets.token_urlsafe(16),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = browser.open(f"{flow.origin}{flow.authorization}?{urlencode(asked)}")
    for _ in range(_MOST_PAGES):
        if page.url.startswith(CALLBACK):
            break
        page = browser.submit(page, _form_of(page, person), person)
    answer = parse_qs(urlsplit(page.url).query)
    if answer.get("state") != [state] or "code" not in answer:
        raise UnexpectedAnswerError(f"the way led to {page.url}")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"][0],
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    headers = {**flow.headers, "Content-Type": "application/x-www-form-urlencoded"}
    tokens = json.loads(browser.exchange("POST", flow.token, urlencode(form), headers))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    if "sub" not in json.loads(browser.exchange("GET", flow.userinfo, None, bearer)):
        raise UnexpectedAnswerError("userinfo names nobody")


def _form_of(page: Page, person: Mapping[str, str]) -> Form:
    """The form to fill in, or else to agree to."""
    posted = [form for form in page.forms if form.method == "post"]
    if not posted:
        raise UnexpectedAnswerError(f"{page.url} has no form: {page.body[:300]!r}")
    asked = [form for form in posted if person.keys() <= form.fields.keys()]
    return (asked or posted)[-1]  # before it there may be one to sign out
