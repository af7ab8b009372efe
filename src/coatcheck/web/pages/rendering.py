"""From a view to a response."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import resources
from types import CodeType
from urllib.parse import urlencode

from jinja2 import BytecodeCache, DictLoader, Environment, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from ..._core.secrets import new_identifier
from ..._core.text import pieces
from ...advice.sources import cite, link
from ..headers import security_headers, static_headers
from . import advice_views, authorization_views, inspector_views, views
from .brand import Brand
from .forms import form_state
from .static_files import StaticFiles
from .user_agents import describe_user_agent
from .views import DevicesView, ProblemView, View
from .wording import describe_claims, describe_methods, describe_openid_scope, describe_wait, problem_words

__all__ = ["Pages"]

_TEMPLATES: dict[type[View], str] = {
    views.AccountView: "account.html",
    advice_views.AdviceView: "development_advice.html",
    views.ApplicationsView: "applications.html",
    views.CheckInboxView: "check_inbox.html",
    authorization_views.ConsentView: "consent.html",
    views.ConfirmEmailView: "confirm_email.html",
    views.ConfirmSignUpView: "confirm_sign_up.html",
    views.DemoHomeView: "demo_home.html",
    views.DemoProtectedView: "demo_protected.html",
    views.DevelopmentMailListView: "development_mail_list.html",
    views.DevelopmentMailView: "development_mail.html",
    views.DevicesView: "devices.html",
    views.EndSessionView: "end_session.html",
    views.ForgottenView: "forgotten.html",
    authorization_views.FormPostView: "form_post.html",
    inspector_views.InspectorView: "development_inspector.html",
    views.LiveView: "live.html",
    views.MailSentView: "mail_sent.html",
    views.NoticeView: "notice.html",
    views.ProblemView: "problem.html",
    views.ReAuthenticateView: "re_authenticate.html",
    views.ResetView: "reset.html",
    views.RevocationsView: "revocations.html",
    authorization_views.SelectAccountView: "select_account.html",
    views.SignInView: "sign_in.html",
    views.SignOutView: "sign_out.html",
    views.SignUpView: "sign_up.html",
    views.SignedOutOfView: "signed_out_of.html",
}


_MARKED = Markup('<mark title="A character that is not seen">{}</mark>')


class _Compiled(BytecodeCache):
    """What the templates compile to, kept by name and source: the sites of a process differ in what they fill in."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


class Pages:
    """All pages of one site, ready to be rendered. Everything is read and compiled when this is made.

    Args:
        brand: Name, logo and colours.
        prefix: Where the routes are mounted, for example ``/auth``; ``""`` for the root.
        secure: Whether the site is reached by https, so that HSTS may be sent.
        sign_up_open: Whether pages offer to sign up.
        password_minimum: How many characters a new password needs.
    """

    def __init__(
        self,
        brand: Brand,
        *,
        prefix: str,
        secure: bool,
        sign_up_open: bool = True,
        password_minimum: int = 8,
    ) -> None:
        self._secure = secure
        self._files = StaticFiles(brand, base=f"{prefix}/static")
        environment = _environment(prefix)
        environment.globals.update(
            brand=brand,
            static=self._files.path,
            sign_up_open=sign_up_open,
            password_minimum=password_minimum,
        )
        self._templates = {view: environment.get_template(name) for view, name in _TEMPLATES.items()}

    def render(self, view: View, *, status: int | None = None) -> HTMLResponse:
        """Return the page, with all its headers (``Cache-Control: no-store`` included).

        Args:
            view: What to show.
            status: The HTTP status; by default that of a :class:`~.views.ProblemView`, else 200.
        """
        nonce = new_identifier()
        if status is None:
            status = view.status if isinstance(view, ProblemView) else 200
        template = self._templates[type(view)]
        response = HTMLResponse(template.render(view=view, nonce=nonce), status_code=status)
        response.raw_headers += security_headers(
            nonce=nonce,
            https=self._secure,
            document=True,
            form_targets=view.form_targets,
            frame_sources=view.frame_sources,
        )
        if isinstance(view, ProblemView) and view.retry_after is not None:
            response.headers["retry-after"] = str(max(1, math.ceil(view.retry_after)))
        return response

    def static_url(self, name: str) -> str:
        """Return the path of a static file, ``coatcheck.css`` for example, with its hash in it.

        Raises:
            KeyError: If there is no such file.
        """
        return self._files.path(name)

    def static_file(self, hashed_name: str) -> tuple[bytes, str] | None:
        """Return content and media type of ``coatcheck.<hash>.css`` for example; ``None`` if there is no such."""
        return self._files.find(hashed_name)

    def static_response(self, hashed_name: str) -> Response | None:
        """Return the same as a response that browsers may keep for ever; ``None`` if there is no such file."""
        found = self._files.find(hashed_name)
        if found is None:
            return None
        body, media_type = found
        response = Response(body, media_type=media_type)
        response.raw_headers += static_headers(https=self._secure)
        return response


def _environment(prefix: str) -> Environment:
    folder = resources.files(__package__) / "templates"
    sources = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir() if item.is_file()}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    environment.globals.update(
        url=_address_maker(prefix),
        state=form_state,
        problem_words=problem_words,
        sorted_devices=_sorted_devices,
    )
    environment.filters.update(
        iso=_iso,
        shown=_shown,
        shown_lines=_shown_lines,
        cited=cite,
        source_link=link,
        moment=_moment,
        program=describe_user_agent,
        methods=describe_methods,
        openid_words=describe_openid_scope,
        claim_words=describe_claims,
        wait=describe_wait,
    )
    return environment


def _address_maker(prefix: str) -> Callable[..., str]:
    def url(path: str, query: Mapping[str, str] | None = None) -> str:
        given = {name: value for name, value in (query or {}).items() if value}
        return f"{prefix}{path}?{urlencode(given)}" if given else prefix + path

    return url


def _sorted_devices(view: DevicesView) -> list[views.DeviceRecord]:
    return sorted(view.devices, key=lambda device: (not device.is_current, -device.last_seen_at))


def _shown(text: str) -> Markup:
    """Return foreign text with what nobody would see, or what reorders the rest, as escapes that stand out."""
    return Markup("").join(
        _MARKED.format(piece) if hidden else escape(piece) for piece, hidden in pieces(text)
    )


def _shown_lines(text: str) -> Markup:
    return Markup("\n").join(map(_shown, text.split("\n")))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
