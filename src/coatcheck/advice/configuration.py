"""From advice to practice: the settings, commands and lines of code that Coatcheck takes as they are."""

from __future__ import annotations

from collections.abc import Iterator

from . import credentials as carry
from .code_lines import code_lines
from .model import Case, ClientAdvice, Command, Configuration, Setting
from .planning import Plan, plan_for

__all__ = ["configure"]

_LIMITS = {"aal2": "2.2.3", "aal3": "2.3.3"}


def configure(case: Case, clients: tuple[ClientAdvice, ...]) -> Configuration:
    """Return how the advice is put into practice.

    Args:
        case: The case, with nothing in it that cannot be had.
        clients: The credential for each of its clients.
    """
    plan = plan_for(case, clients)
    return Configuration(
        settings=tuple(_settings(plan)) if plan.is_ours else (),
        commands=tuple(_commands(plan)) if plan.is_ours else (),
        code=tuple(code_lines(plan)),
    )


def _settings(plan: Plan) -> Iterator[Setting]:
    yield Setting(name="mode", value='"production"')
    yield Setting(
        name="base_url", value=f'"{plan.at.server}"', why="Where people sign in: the issuer of all tokens."
    )
    yield Setting(name="secret_file", value='"coatcheck.secret"')
    yield Setting(
        name="trusted_proxies", value='["127.0.0.1"]', why="The proxy before it, which speaks https."
    )
    if plan.has_people:
        host = plan.at.app.partition("://")[2].partition(":")[0]
        yield Setting(
            name="smtp_url_file", value='"smtp.url"', why="The file holds smtp://user:password@host:587"
        )
        yield Setting(name="mail_from", value=f'"no-reply@{host}"')
        yield from _for_people(plan)
    else:
        yield Setting(name="sign_up", value='"closed"', why="There are machines here, and no people.")
        yield Setting(name="mail", value='"off"')
    if "third-parties" in plan.case.verifiers and plan.case.sign_out == "a-minute" and plan.has_api:
        yield Setting(
            name="status_lists", value='"on"', why="Third parties see a revocation within a minute."
        )


def _for_people(plan: Plan) -> Iterator[Setting]:
    case, held = plan.case, plan.held
    if plan.has_own_api or plan.puts_token_beside_cookie:
        yield Setting(name="audience", value=f'"{plan.at.api}"', why="What the tokens are for.")
        if case.offline == "verifiers":
            why = "For verifiers without a connection: how long a lost token works there."
            yield Setting(name="access_token_lifetime", value='"1 h"', why=why)
    if plan.puts_token_beside_cookie:
        yield Setting(
            name="token_cookie", value='"access-token"', why="For verifiers on this host that do not ask."
        )
    if case.assurance in _LIMITS:
        why = f"NIST SP 800-63B-4 section {_LIMITS[case.assurance]}: limits of sessions."
        yield Setting(name="session_profile", value=f'"nist-{case.assurance}"', why=why)
        why = "NIST SP 800-63B-4 section 5.1: a token in every form, and as X-CSRF-Token from scripts."
        yield Setting(name="csrf", value='"token"', why=why)
        yield Setting(name="pkce", value='"all"')
    if case.offline == "clients" and held & {carry.NATIVE_TOKENS, carry.CLI_TOKENS}:
        yield Setting(
            name="refresh_token_idle", value='"30 d"', why="Who comes back within a month is let in."
        )
    if carry.AGENT_TOKENS in held:
        yield Setting(name="registration", value='"open"', why="Agents register themselves.")


def _commands(plan: Plan) -> Iterator[Command]:
    yield Command(
        line="(umask 077; openssl rand -base64 32 > coatcheck.secret)",
        why="The master key: keep it out of the repository.",
    )
    if plan.has_api and not (plan.has_own_api or plan.puts_token_beside_cookie):
        life = " --token-life 1h" if plan.case.offline == "verifiers" else ""
        yield Command(
            line=f'coatcheck api add {plan.at.api} --scope "api:read=Read your data" --everybody api:read{life}',
            why="The API that tokens are for. Its scopes are what clients ask for.",
        )
    yield from _clients(plan)
    yield from _verifiers(plan)


def _clients(plan: Plan) -> Iterator[Command]:
    held, at = plan.held, plan.at
    if carry.APP_SESSION in held or (carry.GATEWAY_SESSION in held and not plan.embedded):
        key = " --key --out web-app.jwk" if plan.case.assurance in _LIMITS else ""
        yield Command(
            line=f'coatcheck client add "Web app" --first-party{key} --redirect-uri {at.app}/callback'
            f" --post-logout-uri {at.app}/ --backchannel-logout-uri {at.app}/signed-out",
            why="Each app, or its backend: its OpenID Connect library takes the lines that this prints.",
        )
    if carry.BROWSER_TOKENS in held:
        yield Command(
            line=f'coatcheck client add "Browser app" --spa --first-party --redirect-uri {at.app}/callback'
            f" --post-logout-uri {at.app}/ --api {at.api}",
            why="The single-page app: a public client, whose codes PKCE protects.",
        )
    if carry.NATIVE_TOKENS in held:
        yield Command(
            line=f'coatcheck client add "Mobile app" --native --first-party --redirect-uri {at.app}/app/callback'
            f" --api {at.api}",
            why="The mobile app: an https address that the app claims, so that no other app gets the answer.",
        )
    if carry.CLI_TOKENS in held:
        yield Command(
            line='coatcheck client add "Command line" --native --redirect-uri http://127.0.0.1/callback'
            f" --api {at.api}",
            why="The program on people's computers: any free port will do.",
        )
    if carry.MACHINE_KEY in held:
        # The scopes of the server's own API are set for each user, not offered to clients.
        scope = "" if plan.has_own_api or plan.puts_token_beside_cookie else " --scope api:read"
        yield Command(
            line=f'coatcheck client add "Nightly job" --machine --key --out nightly-job.jwk --api {at.api}{scope}',
            why="One for each machine. Its private key is in the file.",
        )


def _verifiers(plan: Plan) -> Iterator[Command]:
    if plan.has_verifier:
        # Who takes cookies must be told of them too, which are for no single API.
        audience = "" if plan.takes_cookies else f" --audience {plan.at.api}"
        yield Command(
            line=f"coatcheck service add orders{audience}",
            why="One for each program with a Verifier: its COATCHECK_VERIFIER_KEY, by which it follows the ledger.",
        )
    if "third-parties" in plan.case.verifiers and plan.case.sign_out == "at-once" and plan.has_people:
        yield Command(
            line=f"coatcheck service add partner --audience {plan.at.api}",
            why="One for each partner: the key by which they may ask.",
        )
