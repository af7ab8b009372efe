"""django-oauth-toolkit on Django and SQLite, with its usual tokens: random ones, kept in the database.

The client's secret is kept as it is. With Django's usual hash, made for passwords, each check of it would take longer
than all else together by far.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.urls import include, path

from bench.provider.machine import MACHINE, SCOPE, SECRET

_DATABASE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "django.db",
    "CONN_MAX_AGE": None,
    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
}


def application() -> WSGIHandler:
    """Make the server, its tables and the one client."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": _DATABASE},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
        MIDDLEWARE=[],
        OAUTH2_PROVIDER={"SCOPES": {SCOPE: "Read"}},
        ROOT_URLCONF=__name__,
        SECRET_KEY="a secret of the benchmark, 32 characters",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import Application  # noqa: PLC0415 - only once Django is set up

    Application.objects.create(
        client_id=MACHINE,
        client_secret=SECRET,
        hash_client_secret=False,
        client_type="confidential",
        authorization_grant_type="client-credentials",
        name=MACHINE,
    )
    sys.modules[__name__].urlpatterns = [path("", include("oauth2_provider.urls"))]  # type: ignore[attr-defined]
    return WSGIHandler()
