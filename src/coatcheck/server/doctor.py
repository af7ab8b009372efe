"""The doctor: what is wrong with a deployment, why it matters, and what to do.

``doctor_facts`` looks from inside and ``doctor_requests`` from outside; here it is decided what that means.
"""

from __future__ import annotations

from collections.abc import Iterator

from .doctor_facts import collect_facts
from .doctor_model import Answer, Facts, FileFacts, Finding, KeyFacts
from .doctor_outside import findings_outside
from .doctor_requests import ask_deployment
from .settings_model import Settings

__all__ = [
    "Answer",
    "Facts",
    "FileFacts",
    "Finding",
    "KeyFacts",
    "ask_deployment",
    "collect_facts",
    "diagnose",
]

_OLD_KEY = 2 * 365 * 86_400.0
_ORDER = {"fault": 0, "warning": 1, "note": 2}


def diagnose(facts: Facts, *, now: float) -> list[Finding]:
    """Return what is wrong, the worst first.

    Args:
        facts: What was looked at.
        now: The time, in seconds since 1970.
    """
    found = [
        *_settings(facts),
        *_files(facts),
        *_database(facts),
        *_keys(facts, now),
        *_redis(facts),
        *findings_outside(facts),
    ]
    return sorted(found, key=lambda finding: _ORDER[finding.level])


def _settings(facts: Facts) -> Iterator[Finding]:
    for problem in facts.problems:
        yield Finding(
            level="fault",
            code="wrong_setting",
            title=f"The setting {problem.key} cannot be used ({problem.source})",
            explanation=f"{problem.message[:1].upper()}{problem.message[1:]}",
            fix="Put it right there; docs/configuration lists all settings.",
        )
    if facts.settings is not None:
        yield from _origins(facts.settings)
        yield from _proxies(facts.settings)


def _origins(settings: Settings) -> Iterator[Finding]:
    for key in ("cors_origins", "trusted_origins"):
        if settings.base_url in getattr(settings, key):
            yield Finding(
                level="note",
                code="own_origin_listed",
                title=f"{key} lists the site itself",
                explanation="The site's own origin is always trusted and needs no CORS.",
                fix=f"Take {settings.base_url} out of {key}.",
            )


def _proxies(settings: Settings) -> Iterator[Finding]:
    if settings.mode == "production" and not settings.trusted_proxies:
        yield Finding(
            level="warning",
            code="no_trusted_proxy",
            title="No proxy is trusted",
            explanation="Production speaks https through a proxy. Without its address here, every client seems to come "
            "from the proxy: they share one limit on attempts, and the devices page shows one address for all.",
            fix="Name the proxy's address or network in trusted_proxies, for example 127.0.0.1.",
        )


def _files(facts: Facts) -> Iterator[Finding]:
    for file in facts.files:
        if file.mode & file.forbidden:
            yield Finding(
                level="fault",
                code="readable_file",
                title=f"Others on this machine can open {file.path} (mode {file.mode:03o})",
                explanation="It holds accounts, password hashes or a secret.",
                fix=f"chmod {file.mode & ~file.forbidden:03o} {file.path}",
            )


def _database(facts: Facts) -> Iterator[Finding]:
    if facts.database_problem is not None:
        yield Finding(
            level="fault",
            code="database",
            title="The database cannot be used",
            explanation=facts.database_problem,
            fix="Check the setting database, the file's owner, and that no newer version of Coatcheck wrote it.",
        )
    elif facts.settings is not None and facts.keys is None:
        yield Finding(
            level="note",
            code="no_database",
            title=f"There is no database {facts.settings.database} yet",
            explanation="It is made at the first start.",
            fix="Nothing, if the server has never run; otherwise check the setting database and the directory.",
        )


def _redis(facts: Facts) -> Iterator[Finding]:
    if facts.redis_is_away:
        yield Finding(
            level="warning",
            code="redis_away",
            title="Redis cannot be used",
            explanation="Limits on attempts are counted in the database meanwhile: nothing is refused for it.",
            fix="Check the setting redis, and that the server runs and takes what is written; the log says why not.",
        )


def _keys(facts: Facts, now: float) -> Iterator[Finding]:
    keys = facts.keys
    if keys is None:
        return
    if keys.problem is not None:
        yield Finding(
            level="fault",
            code="sealed_otherwise",
            title="The signing keys do not open with this secret",
            explanation=keys.problem,
            fix="Set the secret that was configured when the database was made. If it is lost, so are the keys.",
        )
    if keys.newest_at is None:
        yield Finding(
            level="note",
            code="no_keys",
            title="There is no signing key yet",
            explanation="It is made when the server starts.",
            fix="Nothing, if the server has never run with this database.",
        )
    elif keys.newest_at > now:
        yield Finding(
            level="fault",
            code="key_from_the_future",
            title="The signing key was made in the future",
            explanation="This machine's clock is behind, or was ahead when the key was made.",
            fix="Let the machine take its time from NTP.",
        )
    elif now - keys.newest_at > _OLD_KEY:
        yield Finding(
            level="note",
            code="old_key",
            title=f"The signing key is {(now - keys.newest_at) / 86_400:.0f} days old",
            explanation="NIST SP 800-57 part 1 section 5.3.6 suggests one to three years for a signature key.",
            fix="Plan its replacement.",
        )
