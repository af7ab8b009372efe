"""The answers that are known to be right, each for a case as somebody would tell it."""

from typing import Any, NamedTuple

import pytest

from coatcheck.advice.deciding import advise
from coatcheck.advice.errors import CaseError
from coatcheck.advice.model import Advice, Case

COOKIE, APP, GATEWAY = "session-cookie", "app-session", "gateway-session"
PAGE_TOKENS, NATIVE, CLI = "browser-tokens", "native-tokens", "cli-tokens"
MACHINE, AGENT = "machine-key", "agent-tokens"
FRAMEWORK, PROVIDER, PROXY = "framework-session", "provider-tokens", "proxy-session"


class Known(NamedTuple):
    """A case, and what must come of it."""

    told: str
    case: dict[str, Any]
    credentials: list[str]
    says: set[str] = set()  # noqa: RUF012 - never changed
    says_not: set[str] = set()  # noqa: RUF012 - likewise
    gives: list[str] = []  # noqa: RUF012 - likewise


KNOWN = [
    Known(
        "a classic web app on one host",
        {"clients": ("browser",)},
        [COOKIE],
        {"no-jwt", "app-checks-by-itself", "forged-requests"},
        {"services-follow-the-ledger", "stolen-refresh-token"},
    ),
    Known("a single-page app with its API on the same host", {"clients": ("spa",)}, [COOKIE], {"no-jwt"}),
    Known(
        "both, which is still one host",
        {"clients": ("browser", "spa"), "sign_out": "an-hour"},
        [COOKIE, COOKIE],
        {"no-jwt"},
    ),
    Known(
        "the same with services behind one proxy on that host",
        {"clients": ("browser",), "verifiers": ("services",)},
        [COOKIE],
        {"no-jwt-for-services-on-the-host", "services-take-the-cookie", "services-follow-the-ledger"},
        {"no-jwt"},
    ),
    Known(
        "a mobile app beside the pages needs tokens, the pages do not",
        {"clients": ("browser", "mobile")},
        [COOKIE, NATIVE],
        {"another-app-poses-as-it"},
        {"no-jwt"},
    ),
    Known(
        "a single-page app whose API is on a sibling host",
        {"clients": ("spa",), "hosts": "subdomains"},
        [GATEWAY],
        {"no-token-in-the-browser", "gateway-leads-elsewhere"},
        {"tokens-taken-by-script", "no-jwt"},
    ),
    Known("the same on another domain", {"clients": ("spa",), "hosts": "domains"}, [GATEWAY]),
    Known(
        "the same from static hosting",
        {"clients": ("spa",), "hosts": "domains", "backend": False},
        [PAGE_TOKENS],
        {"tokens-taken-by-script", "stolen-refresh-token"},
        {"no-token-in-the-browser"},
    ),
    Known(
        "the same from static hosting, where an auditor looks",
        {"clients": ("spa",), "hosts": "domains", "backend": False, "assurance": "aal2"},
        [GATEWAY],
        {"second-factor-elsewhere"},
        {"tokens-taken-by-script"},
        ["no-static-hosting-at-high-assurance"],
    ),
    Known(
        "several sites that share one sign-in",
        {"clients": ("browser",), "hosts": "domains"},
        [APP],
        {"apps-are-told-of-sign-out", "cookie-session-ends-late"},
    ),
    Known(
        "subdomains do not share a cookie either",
        {"clients": ("browser",), "hosts": "subdomains"},
        [APP],
        {"apps-are-told-of-sign-out"},
    ),
    Known("a mobile app alone", {"clients": ("mobile",)}, [NATIVE], {"stolen-refresh-token"}, {"no-jwt"}),
    Known("a command line", {"clients": ("cli",)}, [CLI], {"another-program-poses-as-it"}),
    Known(
        "a nightly job",
        {"clients": ("machine",)},
        [MACHINE],
        {"no-refresh-token-for-machines", "leaked-machine-key"},
        {"stolen-refresh-token", "forged-requests"},
    ),
    Known(
        "an agent that speaks MCP",
        {"clients": ("agent",)},
        [AGENT],
        {"agent-is-talked-into-it", "strangers-register"},
    ),
    Known(
        "services of one's own, and sign-out at once",
        {"clients": ("mobile",), "verifiers": ("services",)},
        [NATIVE],
        {"services-follow-the-ledger", "services-refuse-when-cut-off"},
    ),
    Known(
        "services of one's own, and minutes will do",
        {"clients": ("mobile",), "verifiers": ("services",), "sign_out": "minutes"},
        [NATIVE],
        {"services-follow-the-ledger"},
        {"services-refuse-when-cut-off"},
    ),
    Known(
        "services that call services for the user",
        {"clients": ("mobile",), "verifiers": ("downstream",)},
        [NATIVE],
        {"services-behind-services"},
    ),
    Known(
        "partners who must know at once",
        {"clients": ("mobile",), "verifiers": ("third-parties",)},
        [NATIVE],
        {"third-parties-ask"},
        {"third-parties-read-a-list", "third-parties-wait-for-expiry"},
    ),
    Known(
        "partners who may know a minute later",
        {"clients": ("mobile",), "verifiers": ("third-parties",), "sign_out": "a-minute"},
        [NATIVE],
        {"third-parties-read-a-list"},
        {"third-parties-ask"},
    ),
    Known(
        "partners who verify by themselves",
        {"clients": ("mobile",), "verifiers": ("third-parties",), "sign_out": "minutes"},
        [NATIVE],
        {"third-parties-wait-for-expiry", "stale-permissions"},
    ),
    Known(
        "sign-out at once, and a gate that checks tickets without a connection",
        {"clients": ("mobile",), "verifiers": ("services",), "offline": "verifiers"},
        [NATIVE],
        {"offline-verifiers-take-the-keys-along"},
        {"services-follow-the-ledger"},
        ["sign-out-reaches-nobody-offline"],
    ),
    Known(
        "the same where an auditor looks: there the gate must be connected",
        {
            "clients": ("mobile",),
            "verifiers": ("services",),
            "offline": "verifiers",
            "assurance": "aal2",
            "sign_out": "an-hour",
        },
        [NATIVE],
        {"services-follow-the-ledger", "services-refuse-when-cut-off"},
        {"offline-verifiers-take-the-keys-along"},
        ["no-offline-verifier-at-high-assurance", "sign-out-at-once-at-high-assurance"],
    ),
    Known(
        "offline verification by nobody",
        {"clients": ("browser",), "offline": "verifiers"},
        [COOKIE],
        {"no-jwt"},
        gives=["nobody-to-verify-offline"],
    ),
    Known(
        "a mobile app for the mountains",
        {"clients": ("mobile",), "offline": "clients"},
        [NATIVE],
        {"offline-clients-refresh-when-they-are-back"},
    ),
    Known(
        "a mobile app for the mountains, at the highest level",
        {"clients": ("mobile",), "offline": "clients", "assurance": "aal3"},
        [NATIVE],
        {"second-factor-elsewhere"},
        {"offline-clients-refresh-when-they-are-back"},
        ["no-offline-client-at-high-assurance"],
    ),
    Known(
        "pages that can be read offline",
        {"clients": ("spa",), "offline": "clients"},
        [COOKIE],
        {"offline-pages-keep-no-token", "no-jwt"},
    ),
    Known(
        "medical data that the app must not show its carrier",
        {"clients": ("mobile",), "verifiers": ("services",), "hidden": True},
        [NATIVE],
        {"data-stays-on-the-server"},
        {"hidden-data-that-must-travel"},
    ),
    Known(
        "the same for a gate without a connection",
        {
            "clients": ("mobile",),
            "verifiers": ("services",),
            "hidden": True,
            "offline": "verifiers",
            "sign_out": "an-hour",
        },
        [NATIVE],
        {"hidden-data-that-must-travel"},
    ),
    Known(
        "a static site for a few friends",
        {"clients": ("browser",), "sign_in": "proxy"},
        [PROXY],
        {"proxy-instead", "files-around-the-proxy"},
        {"no-jwt"},
    ),
    Known(
        "the same, and then there is an app",
        {"clients": ("browser", "mobile"), "sign_in": "proxy"},
        [COOKIE, NATIVE],
        says_not={"proxy-instead"},
        gives=["proxy-only-for-browsers"],
    ),
    Known(
        "the same, and a service that wants to know who it is",
        {"clients": ("browser",), "sign_in": "proxy", "verifiers": ("services",)},
        [COOKIE],
        gives=["proxy-known-to-nobody-else"],
    ),
    Known(
        "a static site with secrets of state",
        {"clients": ("browser",), "sign_in": "proxy", "assurance": "aal3"},
        [FRAMEWORK],
        {"provider-instead"},
        gives=["proxy-is-one-factor"],
    ),
    Known(
        "the company's provider is the only way in",
        {"clients": ("browser", "spa"), "sign_in": "provider"},
        [FRAMEWORK, FRAMEWORK],
        {"provider-instead", "forged-requests-elsewhere"},
        {"no-jwt", "forged-requests", "second-factor-elsewhere"},
    ),
    Known(
        "a mobile app with the company's provider",
        {"clients": ("mobile",), "sign_in": "provider"},
        [PROVIDER],
        {"provider-tokens-live-until-they-expire"},
        {"stolen-refresh-token"},
    ),
    Known(
        "a page app from static hosting with the company's provider",
        {"clients": ("spa",), "sign_in": "provider", "hosts": "domains", "backend": False},
        [PROVIDER],
        {"provider-instead"},
    ),
    Known(
        "machines beside people of the company's provider",
        {"clients": ("browser", "machine"), "sign_in": "provider", "verifiers": ("services",)},
        [FRAMEWORK, MACHINE],
        {"provider-instead", "machine-tokens-follow-the-ledger"},
    ),
    Known(
        "a bank",
        {"clients": ("browser",), "assurance": "aal2", "sign_out": "minutes"},
        [COOKIE],
        {"second-factor-elsewhere", "no-jwt"},
        gives=["sign-out-at-once-at-high-assurance"],
    ),
]


def everything_said(advice: Advice) -> set[str]:
    parts = (advice.instead, advice.clients, advice.checks, advice.threats, advice.unneeded)
    return {each.rule for part in parts for each in part}


@pytest.mark.parametrize("known", KNOWN, ids=[known.told for known in KNOWN])
def test_the_answer_is_the_one_that_is_known_to_be_right(known: Known) -> None:
    advice = advise(Case(**known.case))
    said = everything_said(advice)
    assert [each.credential.id for each in advice.clients] == known.credentials
    assert known.says <= said
    assert not known.says_not & said
    assert [conflict.rule for conflict in advice.conflicts] == known.gives


def test_at_least_twenty_five_answers_are_known() -> None:
    assert len(KNOWN) >= 25


def test_a_case_without_clients_is_none() -> None:
    with pytest.raises(CaseError, match="name at least one"):
        advise(Case(clients=()))


def test_what_gives_is_told_with_what_was_asked_and_what_the_advice_goes_by() -> None:
    advice = advise(
        Case(clients=("spa",), hosts="domains", backend=False, assurance="aal2", sign_out="an-hour")
    )
    told = [(conflict.answer, conflict.given, conflict.taken) for conflict in advice.conflicts]
    assert told == [("sign_out", "an-hour", "at-once"), ("backend", "false", "true")]
    assert advice.asked.sign_out == "an-hour"
    assert advice.case.sign_out == "at-once"


def test_a_threat_names_those_whom_it_concerns_and_no_others() -> None:
    advice = advise(Case(clients=("browser", "mobile", "machine")))
    concerned = {threat.rule: threat.clients for threat in advice.threats}
    assert concerned["forged-requests"] == ("browser",)
    assert concerned["stolen-refresh-token"] == ("mobile",)
    assert concerned["stolen-access-token"] == ("mobile", "machine")
