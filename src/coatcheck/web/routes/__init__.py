"""The routes, one file for each thing that people do. Each has ``routes(site)``, and the site is the sum of them."""

from __future__ import annotations

from starlette.routing import Route

from ..site import Site
from . import (
    account,
    admin_revocations,
    admin_services,
    development_advice,
    development_inspector,
    development_mail,
    devices,
    introspection,
    keys,
    ledger,
    re_authentication,
    recovery,
    session,
    sign_in,
    sign_out,
    sign_up,
    signals,
    static,
    status_lists,
    tokens,
)
from .provider import (
    admin_apis,
    admin_clients,
    admin_permissions,
    admin_roles,
    applications,
    authorize,
    continue_,
    end_session,
    par,
    registration,
    revocation,
    userinfo,
)

__all__ = ["all_routes"]

_PARTS = (
    sign_in,
    sign_up,
    recovery,
    sign_out,
    re_authentication,
    account,
    devices,
    admin_revocations,
    admin_services,
    admin_clients,
    admin_apis,
    admin_roles,
    admin_permissions,
    authorize,
    continue_,
    end_session,
    applications,
    par,
    tokens,
    revocation,
    userinfo,
    introspection,
    ledger,
    signals,
    status_lists,
    session,
    keys,
    static,
    development_mail,
    development_inspector,
    development_advice,
    registration,
)


def all_routes(site: Site) -> list[Route]:
    """Return all routes, with paths below the prefix."""
    return [each for part in _PARTS for each in part.routes(site)]
