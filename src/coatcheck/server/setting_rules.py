"""What settings must be together, and what each mode refuses: decisions on values, without looking anywhere."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network

from .secret import DEVELOPMENT_PREFIX
from .setting_forms import EVERYWHERE, host_of, is_https, is_loopback, is_unspecified
from .settings_model import Settings

__all__ = ["broken_rules"]

_LEAST_SECRET_OCTETS = 32
_SHORTEST_PREFIX = 8  # of a network of proxies; 10.0.0.0/8 is the largest that is somebody's own
_LEAST_SECRET_BITS = 96
_PLACEHOLDER = re.compile(r"change.?me|password|secret|example|insecure|default|your[-_ ]", re.IGNORECASE)
_MAKE_ONE = "Make one with: openssl rand -base64 32"
# OWASP Password Storage Cheat Sheet: the least memory (KiB) for each number of passes.
_ARGON2_FLOOR = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}

Broken = Iterator[tuple[str, str]]


def broken_rules(settings: Settings) -> Broken:
    """Yield the key and the reason for each rule that the settings break."""
    yield from _in_any_mode(settings)
    if settings.mode == "production":
        yield from _secret(settings)
        yield from _address(settings)
        yield from _openness(settings)
        yield from _mail(settings)
        yield from _hashing(settings)
        yield from _metrics(settings)
    else:
        yield from _development(settings)


def _in_any_mode(settings: Settings) -> Broken:
    if settings.refresh_token_idle > settings.refresh_token_lifetime:
        yield "refresh_token_idle", "it must not be longer than refresh_token_lifetime."
    if settings.access_token_lifetime > settings.refresh_token_idle:
        yield "access_token_lifetime", "it must not be longer than refresh_token_idle."
    if settings.secret is not None and len(settings.secret.reveal().encode()) < _LEAST_SECRET_OCTETS:
        yield "secret", f"it must have at least {_LEAST_SECRET_OCTETS} octets. {_MAKE_ONE}"
    if settings.smtp_url is not None and settings.mail_from is None:
        yield "mail_from", "smtp_url needs it: name the address that mails come from."


def _secret(settings: Settings) -> Broken:
    if settings.secret is None:
        yield "secret", f"production needs it. {_MAKE_ONE} - and keep it out of the repository."
        return
    text = settings.secret.reveal()
    if text.startswith(DEVELOPMENT_PREFIX):
        yield "secret", f"it was made for development. {_MAKE_ONE}"
    elif len(text.encode()) >= _LEAST_SECRET_OCTETS and _is_guessable(text):
        yield "secret", f"it is not random. {_MAKE_ONE}"


def _is_guessable(text: str) -> bool:
    return _entropy(text) < _LEAST_SECRET_BITS or _repeats(text) or _PLACEHOLDER.search(text) is not None


def _entropy(text: str) -> float:
    """Return an upper bound for what a guesser who knows the letters has to find out, in bits."""
    return -sum(count * math.log2(count / len(text)) for count in Counter(text).values())


def _repeats(text: str) -> bool:
    return text in (text + text)[1:-1]


def _address(settings: Settings) -> Broken:
    if not is_https(settings.base_url):
        yield "base_url", "production needs https: cookies and passwords travel in the clear otherwise."
    if is_loopback(host_of(settings.base_url)) or is_unspecified(host_of(settings.base_url)):
        yield "base_url", "it names this machine; production needs the address that browsers use."
    if settings.database == ":memory:":
        yield "database", "everything would be forgotten at the next start. Name a file."


def _is_too_wide(network: str) -> bool:
    return network == EVERYWHERE or ip_network(network).prefixlen < _SHORTEST_PREFIX


def _openness(settings: Settings) -> Broken:
    if any(map(_is_too_wide, settings.trusted_proxies)):
        yield (
            "trusted_proxies",
            "it trusts everybody: any client could pretend any address. Name the proxies' own.",
        )
    if EVERYWHERE in settings.cors_origins:
        yield "cors_origins", "any site could read the answers to its visitors. Name the origins."
    for key in ("cors_origins", "trusted_origins"):
        for origin in getattr(settings, key):
            if origin.startswith("http:"):
                yield key, f"{origin} is not https: whoever is on the way could act in its name."
    if settings.development_hosts:
        yield "development_hosts", "they are for development only: leave it out."


def _mail(settings: Settings) -> Broken:
    if settings.mail == "off":
        if settings.sign_up == "open":
            yield "mail", "people who sign up are sent a link. Set sign_up to closed, or mail to on."
        return
    if settings.smtp_url is None:
        yield (
            "smtp_url",
            "production needs a mail server, or passwords could not be reset (or mail off and sign_up closed).",
        )
    if settings.mail_from is None and settings.smtp_url is None:
        yield "mail_from", "production needs the address that mails come from."


def _hashing(settings: Settings) -> Broken:
    floor = _ARGON2_FLOOR[min(settings.argon2_time_cost, 5)]
    if settings.argon2_memory_kib < floor:
        yield (
            "argon2_memory_kib",
            f"with argon2_time_cost {settings.argon2_time_cost} it must be at least {floor} (OWASP's floor).",
        )


def _metrics(settings: Settings) -> Broken:
    token = None if settings.metrics_token is None else settings.metrics_token.reveal()
    if settings.metrics == "on" and token is None:
        yield (
            "metrics_token",
            f"production needs it where metrics is on: a proxy makes strangers look like this machine. {_MAKE_ONE}",
        )
    if token is not None and (len(token.encode()) < _LEAST_SECRET_OCTETS or _is_guessable(token)):
        yield "metrics_token", f"it is too short, or not random. {_MAKE_ONE}"
    if token is not None and settings.secret is not None and token == settings.secret.reveal():
        yield "metrics_token", f"it is the secret, which nobody else is to know. {_MAKE_ONE}"


def _development(settings: Settings) -> Broken:
    if not is_loopback(host_of(settings.base_url)):
        yield (
            "base_url",
            "development serves this machine only: use http://localhost:8000, or set mode to production.",
        )
    if EVERYWHERE in settings.cors_origins:
        yield "cors_origins", "any site could read the answers to its visitors. Name the origins."
