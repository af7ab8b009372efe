"""Visits of a real browser: to a shop with every mistake that shows, and to Coatcheck, which has none."""

import gzip
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from coatcheck.audit.auditing import audit
from coatcheck.audit.model import Options, Report
from coatcheck.audit.rules.table import BY_ID
from coatcheck.audit.sarif import as_sarif
from tests.audit.bad_shop import bad_shop, record_visit
from tests.browser.conftest import free_port, started
from tests.browser.test_the_main_job import is_in, press, sign_in, sign_up
from tests.chromium import launched

# What does not show on this machine alone, or in this visit; tests/audit/test_rules.py has them.
ELSEWHERE = {
    *("cookie-same-name", "cors-any-origin-with-credentials", "csrf-accepted", "headers-too-large"),
    *("no-hsts", "plain-http", "short-hsts"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def bad(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("bad") / "shop.har"
    with bad_shop() as url:
        record_visit(browser, url, file)
    return file.read_bytes()


@pytest.fixture(scope="module")
def clean(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("clean")
    file = directory / "site.har"
    with started(directory, free_port()) as url:
        context = browser.new_context(base_url=url, record_har_path=file, record_har_content="embed")
        page = context.new_page()
        page.set_default_timeout(10_000)
        sign_up(page, "ann@example.com")
        assert is_in(page)
        page.goto("/auth/sign-out")  # which only asks
        for again in (True, False):
            page.goto("/auth/devices")
            press(page, "Sign out")
            assert not is_in(page)
            if again:
                sign_in(page, "ann@example.com")
                assert is_in(page)
        context.close()
    return file.read_bytes()


def test_every_mistake_of_the_shop_is_found(bad: bytes) -> None:
    report = audit(bad)
    assert {finding.rule for finding in report.findings} == BY_ID.keys() - ELSEWHERE
    assert "chromium" in report.creator


def test_a_site_of_coatcheck_has_nothing_above_information(clean: bytes) -> None:
    report = audit(clean)
    assert report.exchanges > 20
    assert report.session_cookies == ("__Host-coatcheck",)
    assert {finding.severity for finding in report.findings} <= {"info"}
    assert not [note for note in report.notes if "sign-out" in note]


def test_the_same_visit_is_told_the_same_packed_and_unpacked(bad: bytes) -> None:
    assert audit(gzip.compress(bad)) == audit(bad)


def outputs(report: Report) -> Iterator[str]:
    yield json.dumps(msgspec.to_builtins(report))
    yield json.dumps(as_sarif(report, file="shop.har", version="0"))
    yield str(report)


def test_no_secret_of_the_shop_is_in_any_output(bad: bytes) -> None:
    text = bad.decode()
    assert len(set(re.findall(r"CANARY-\d", text))) == 4
    jwts = set(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]*", text))
    assert jwts
    pieces = {piece for jwt in jwts for piece in jwt.split(".") if len(piece) > 8}
    for output in outputs(audit(bad)):
        assert "CANARY" not in output
        assert not [piece for piece in pieces if piece in output or piece[:8] in output]
        assert "shop-secret" not in output


def sanitized(octets: bytes) -> bytes:
    """Take away what Chrome leaves out unless told otherwise."""
    log = json.loads(octets)
    hidden = {"cookie", "set-cookie", "authorization"}
    for entry in log["log"]["entries"]:
        for side in ("request", "response"):
            entry[side]["cookies"] = []
            entry[side]["headers"] = [
                each for each in entry[side]["headers"] if each["name"].lower() not in hidden
            ]
    return json.dumps(log).encode()


def test_a_sanitized_recording_says_so_and_blames_nobody_for_what_it_lacks(bad: bytes, clean: bytes) -> None:
    for octets in (bad, clean):
        report = audit(sanitized(octets))
        assert any("sanitized" in note for note in report.notes)
        rules = {finding.rule for finding in report.findings}
        assert not {
            rule for rule in rules if rule.startswith(("cookie-", "csrf-", "session-", "alive", "sign-out"))
        }
    assert not any("sanitized" in note for note in audit(bad).notes)
    assert not audit(sanitized(clean)).findings or {
        finding.severity for finding in audit(sanitized(clean)).findings
    } == {"info"}


@pytest.mark.parametrize("options", [["-si"], ["-sv"], ["-s", "-D", "-"]], ids=["i", "v", "D"])
def test_what_curl_saves_is_read(options: list[str]) -> None:
    with bad_shop() as url:
        command = ["curl", *options, "--data", "email=a&password=correct-horse-CANARY-1", f"{url}/login"]
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    report = audit(ran.stdout)
    rules = {finding.rule for finding in report.findings}
    assert {"token-in-script-cookie", "jwt-unsigned", "cookie-without-samesite"} <= rules
    assert report.kind == "headers"
    assert report.exchanges == 1
    assert bool(report.hosts) is ("-sv" in options)


def test_sign_out_and_session_cookie_can_be_named(bad: bytes) -> None:
    told = audit(bad, Options(sign_out="/bye", session_cookies=frozenset({"prefs"})))
    assert "prefs" in told.session_cookies
    assert not told.other_cookies
    wrong = audit(bad, Options(sign_out="/nowhere", session_cookies=frozenset({"nobody"})))
    assert [note for note in wrong.notes if "--sign-out" in note]
    assert [note for note in wrong.notes if "nobody" in note]


def variants(octets: bytes, names: dict[str, str]) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(octets)
    for each in itertools.chain.from_iterable(
        entry[side]["headers"] for entry in log["log"]["entries"] for side in ("request", "response")
    ):
        each["name"] = names.get(each["name"], each["name"])
    return log


def test_header_names_in_capitals_change_nothing(bad: bytes, tmp_path: Path) -> None:
    capitals = {"set-cookie": "Set-Cookie", "cookie": "COOKIE", "authorization": "Authorization"}
    written = json.dumps(variants(bad, capitals)).encode()
    assert audit(written).findings == audit(bad).findings
