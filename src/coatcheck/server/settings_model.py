"""The settings as a value. Each has its line of documentation beside it, from which the table in the docs is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from ..revocation.policy import LONGEST_TOKEN
from ..storage.server_addresses import check_redis_url
from . import setting_forms as forms
from .secret import Secret
from .setting_values import About

__all__ = ["Settings"]

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be set. ``load_settings`` makes and checks one; made directly, it is not checked."""

    mode: Annotated[
        Literal["development", "production"],
        About(
            "`development` serves this machine only and needs nothing; `production` refuses what is not safe."
        ),
    ] = "development"
    base_url: Annotated[
        str,
        About(
            "Where browsers reach the site: scheme, host and port. Links in mails begin with it.",
            forms.origin,
        ),
    ] = "http://localhost:8000"
    prefix: Annotated[
        str, About("The path that the pages and endpoints stand below.", forms.pages_prefix)
    ] = "/auth"
    database: Annotated[
        str,
        About(
            "The SQLite file, which is made if it is not there, or `postgresql://user:password@host/name`.",
            forms.database,
        ),
    ] = "coatcheck.db"
    database_connections: Annotated[
        int,
        About(
            "How many connections to PostgreSQL each process may have, beside one that listens.",
            least=1,
            most=1000,
        ),
    ] = 10
    redis: Annotated[
        Secret | None,
        About(
            "Redis or Valkey, which takes work off the database: `redis://user:password@host:6379/0` or `rediss://…`.",
            check_redis_url,
        ),
    ] = None
    secret: Annotated[
        Secret | None,
        About(
            "The master key: a random text of 32 octets or more. Development makes one beside the database."
        ),
    ] = None

    name: Annotated[str, About("The name of the site, on the pages and in mails.", forms.brand_name)] = (
        "Coatcheck"
    )
    logo: Annotated[
        str | None, About("The path of a picture on this site, shown on the pages.", forms.logo_path)
    ] = None
    accent: Annotated[str, About("The colour of buttons and links.", forms.colour)] = "#2f5bd7"
    accent_dark: Annotated[str, About("The same on dark ground.", forms.colour)] = "#9db8ff"

    session_profile: Annotated[
        Literal["relaxed", "nist-aal2", "nist-aal3"],
        About("How long sessions last: 30 d and 14 d idle; 24 h and 1 h; 12 h and 15 min (NIST SP 800-63B)."),
    ] = "relaxed"
    max_sessions: Annotated[
        int | None, About("How many sessions a user may have at once; none for no limit.", least=1, most=1000)
    ] = 100
    at_session_limit: Annotated[
        Literal["end-oldest", "refuse"], About("What happens to a sign-in beyond that number.")
    ] = "end-oldest"
    session_binding: Annotated[
        Literal["off", "user-agent", "address"],
        About(
            "Tie a session to the browser's name or the network address; people who roam are signed out by the latter."
        ),
    ] = "off"
    same_site: Annotated[
        Literal["lax", "strict"],
        About("The cookies' SameSite; `strict` signs out whoever follows a link to the site."),
    ] = "lax"
    token_cookie: Annotated[
        Literal["off", "access-token", "id-token"], About("Also keep a token in an HttpOnly cookie.")
    ] = "off"  # noqa: S105 - a mode, no secret
    recent_sign_in: Annotated[
        timedelta,
        About("How long a sign-in counts as recent, for what asks for one.", least=_MINUTE, most=_DAY),
    ] = timedelta(minutes=5)

    audience: Annotated[str | None, About("The `aud` of access tokens; none for the base URL.")] = None
    access_token_lifetime: Annotated[
        timedelta, About("How long an access token is good for.", least=10 * _SECOND, most=LONGEST_TOKEN)
    ] = timedelta(minutes=5)
    key_rotation: Annotated[
        timedelta | None,
        About(
            "How long a key signs before another takes over; none until `coatcheck key rotate`.",
            least=_DAY,
            most=5 * 365 * _DAY,
        ),
    ] = timedelta(days=90)
    status_lists: Annotated[
        Literal["off", "on"],
        About(
            "Whether every access token has a place in a public list in which its revocation shows (Token Status List)."
        ),
    ] = "off"
    refresh_token_idle: Annotated[
        timedelta, About("How long a refresh token may stay unused.", least=_MINUTE, most=365 * _DAY)
    ] = timedelta(days=14)
    refresh_token_lifetime: Annotated[
        timedelta,
        About(
            "How long refreshing works in all; never longer than the session.", least=_MINUTE, most=365 * _DAY
        ),
    ] = timedelta(days=30)

    registration: Annotated[
        Literal["off", "token", "open"] | None,
        About(
            "Who may register OAuth clients over the web: nobody, who has an initial access token, or anybody; "
            "none for `open` in development and `off` in production."
        ),
    ] = None

    hybrid: Annotated[
        bool,
        About(
            "Whether OAuth clients may ask for an ID token through the browser: response types `code id_token` and "
            "`id_token`."
        ),
    ] = False
    pkce: Annotated[
        Literal["usual", "all"],
        About("Of whom PKCE is required: of all, or of all but confidential clients of OpenID Connect."),
    ] = "usual"
    assertion_audience: Annotated[
        Literal["issuer", "legacy"],
        About(
            "Whom assertions of OAuth clients are for: the issuer alone, or, for older clients, the token endpoint too."
        ),
    ] = "issuer"

    csrf: Annotated[
        Literal["fetch-metadata", "token"],
        About(
            "How forged requests are told apart: by the browser's headers, or by those and a token in every form."
        ),
    ] = "fetch-metadata"
    csrf_exempt: Annotated[
        tuple[str, ...], About("Paths of the application that need no such check.", forms.request_path)
    ] = ()
    trusted_origins: Annotated[
        tuple[str, ...], About("Further origins whose requests may carry the cookies.", forms.origin)
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...], About("Origins whose scripts may read answers (CORS).", forms.origin_or_any)
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        About("Addresses or networks of proxies whose `X-Forwarded-For` is believed.", forms.network),
    ] = ()
    development_hosts: Annotated[
        tuple[str, ...],
        About(
            "Further hosts that development answers to, besides `localhost`; production refuses any.",
            forms.host_name,
        ),
    ] = ()

    sign_up: Annotated[Literal["open", "closed"], About("Whether anybody may make an account.")] = "open"
    password_minimum: Annotated[
        int, About("The least number of characters of a new password.", least=8, most=64)
    ] = 8
    context_words: Annotated[
        tuple[str, ...], About("Words that are no password here, such as the product's name.")
    ] = ()
    argon2_time_cost: Annotated[int, About("Passes of argon2id over its memory.", least=1, most=20)] = 2
    argon2_memory_kib: Annotated[
        int, About("Its memory for one password, in KiB.", least=64, most=1_048_576)
    ] = 19_456
    argon2_parallelism: Annotated[int, About("Its lanes.", least=1, most=16)] = 1
    hashing_workers: Annotated[
        int | None,
        About(
            "How many passwords are hashed at once; none for one per core, four at most.", least=1, most=64
        ),
    ] = None
    hashing_queue: Annotated[
        int, About("How many more may wait, before the answer is 503.", least=1, most=10_000)
    ] = 64

    mail: Annotated[
        Literal["on", "off"],
        About("`off` is for a closed site whose users never ask for a link: none is sent."),
    ] = "on"
    smtp_url: Annotated[
        Secret | None,
        About(
            "The mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`.",
            forms.check_smtp_url,
        ),
    ] = None
    mail_from: Annotated[
        str | None, About("Whom mails come from: `Example <no-reply@example.com>`.", forms.mailbox)
    ] = None
    reset_link_lifetime: Annotated[
        timedelta, About("How long a link for a new password works.", least=_MINUTE, most=_DAY)
    ] = timedelta(minutes=10)
    sign_up_link_lifetime: Annotated[
        timedelta, About("How long the link that confirms a sign-up works.", least=_MINUTE, most=7 * _DAY)
    ] = timedelta(hours=24)
    email_link_lifetime: Annotated[
        timedelta, About("How long the link that confirms a new address works.", least=_MINUTE, most=_DAY)
    ] = timedelta(hours=1)
    notify_new_device: Annotated[
        bool, About("Whether a sign-in from a new device is mailed to the user.")
    ] = True

    log_format: Annotated[
        Literal["text", "json"],
        About("What `coatcheck serve` logs: lines for people, or one JSON object a line."),
    ] = "text"
    metrics: Annotated[
        Literal["off", "on"] | None,
        About(
            "Whether `/metrics` shows figures to Prometheus; none for `on` in development and `off` in production."
        ),
    ] = None
    metrics_token: Annotated[
        Secret | None,
        About(
            "What must be shown there as a bearer token. Production needs it; without it, this machine may read.",
            forms.check_bearer_token,
        ),
    ] = None
    tracing: Annotated[
        Literal["off", "on"],
        About("Whether requests make spans of OpenTelemetry; needs the extra `opentelemetry`."),
    ] = "off"
