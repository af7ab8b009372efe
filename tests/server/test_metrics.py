"""The figures: what is counted, who may read it, and that no stranger's text gets into it."""

import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as read_text

from coatcheck._core.exposition import Family, Sample, number, write
from coatcheck.flows.counts import OTHER, OUTCOMES, Counts
from coatcheck.server.errors import SettingsError
from coatcheck.server.metrics import process
from coatcheck.server.metrics.catalogue import BUCKETS, CATALOGUE, describe
from coatcheck.server.metrics.requests import RequestCounts, Templates
from coatcheck.server.operations import shows_metrics
from coatcheck.server.settings import Settings, load_settings
from tests.server.operated import DEVELOPMENT, TOKEN, Operated, operating
from tests.web.sites import EMAIL, PASSWORD

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
SECRET = "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def read_openmetrics(text: str) -> Iterator[Metric]:
    families: Iterator[Metric] = openmetrics_parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return families


@pytest.fixture
async def operated() -> AsyncIterator[Operated]:
    async with operating() as operated:
        yield operated


# --- who may read ------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": f"Bearer {TOKEN.lower()}"},
        {"cookie": f"token={TOKEN}"},
    ],
    ids=["none", "empty", "other", "shorter", "longer", "basic", "bare", "lower", "cookie"],
)
@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1"])
async def test_without_the_token_nobody_reads_any_figure(
    operated: Operated, headers: dict[str, str], peer: str
) -> None:
    async with operated.client(peer=peer) as client:
        response = await client.get("/metrics", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
    assert "coatcheck_" not in response.text
    assert TOKEN not in response.text


@pytest.mark.anyio
async def test_two_credentials_are_none(operated: Operated) -> None:
    async with operated.client() as client:
        both = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")]
        assert (await client.get("/metrics", headers=both)).status_code == 401


@pytest.mark.anyio
async def test_with_the_token_they_are_read_from_anywhere_and_kept_nowhere(operated: Operated) -> None:
    async with operated.client() as client:
        response = await client.get("/metrics", headers=BEARER)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert "set-cookie" not in response.headers
        head = await client.head("/metrics", headers=BEARER)
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.post("/metrics", headers=BEARER)).status_code == 405


@pytest.mark.anyio
@pytest.mark.parametrize("metrics", ["off", None])
async def test_in_production_they_are_not_there_unless_they_are_asked_for(metrics: str | None) -> None:
    async with operating(metrics=metrics) as operated, operated.client() as client:
        assert (await client.get("/metrics", headers=BEARER)).status_code == 404
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    "peer, headers, status",
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.168.1.7", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 403),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, 403),
        ("127.0.0.1", {"via": "1.1 proxy"}, 403),
        ("127.0.0.1", {"host": "evil.example"}, 403),
    ],
    ids=["here", "here by 6", "elsewhere", "xff", "forwarded", "real ip", "via", "rebound"],
)
async def test_development_shows_them_to_this_machine_only(
    peer: str, headers: dict[str, str], status: int
) -> None:
    async with (
        operating(**DEVELOPMENT, metrics=None, metrics_token=None, database=":memory:") as operated,
        operated.client(peer=peer) as client,
    ):
        assert (await client.get("/metrics", headers=headers)).status_code == status


@pytest.mark.anyio
async def test_both_formats_are_what_their_readers_expect(operated: Operated) -> None:
    await operated.scrape()
    families = {each.name: each for each in read_text(await operated.scrape())}
    assert families["coatcheck_http_requests"].type == "counter"
    assert families["coatcheck_http_request_duration_seconds"].type == "histogram"
    async with operated.client() as client:
        response = await client.get("/metrics", headers={**BEARER, "accept": OPENMETRICS})
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {each.name for each in read_openmetrics(response.text)}
    known = {each.name for each in CATALOGUE}
    assert names <= known
    assert known - names == {each for each in known if each.startswith("coatcheck_storage_")} | (
        known & {"coatcheck_revocations", "coatcheck_refusals"}
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    "accept, openmetrics",
    [
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=much", False),
        ("application/openmetrics-text;version=1.0.0;q=1", True),
        ("," * 5000, False),
    ],
    ids=["any", "text", "open", "text rather", "not", "nonsense", "version", "commas"],
)
async def test_the_format_is_the_one_that_is_preferred(
    operated: Operated, accept: str, *, openmetrics: bool
) -> None:
    assert (await operated.scrape(accept=accept)).endswith("# EOF\n") is openmetrics


# --- what is counted ---------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_sign_ins_checks_tokens_refusals_and_revocations_are_counted(operated: Operated) -> None:
    await operated.site.add_user()
    async with operated.client(headers={"accept": "*/*"}) as client:
        wrong = {"email": EMAIL, "password": "not this one"}
        assert (await client.post("/auth/sign-in", json=wrong)).status_code == 401
        tokens = (await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})).json()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        for _ in range(3):
            assert (await client.get("/auth/session", headers=bearer)).status_code == 200
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await client.post("/auth/token", data=refresh)).status_code == 200
        assert (await client.post("/auth/sign-out", headers=bearer)).status_code == 204
        assert (await client.get("/auth/session", headers=bearer)).status_code == 401
    expected = {
        'coatcheck_sign_ins_total{outcome="success"}': 1,
        'coatcheck_sign_ins_total{outcome="invalid_credentials"}': 1,
        'coatcheck_tokens_issued_total{grant="sign_in"}': 1,
        'coatcheck_tokens_issued_total{grant="refresh_token"}': 1,
        'coatcheck_credentials_checked_total{credential="bearer",answered="storage"}': 2,
        'coatcheck_credentials_checked_total{credential="bearer",answered="memory"}': 3,
        'coatcheck_refusals_total{code="invalid_credentials"}': 1,
        'coatcheck_refusals_total{code="invalid_token"}': 1,
        'coatcheck_revocations_total{kind="session"}': 1,
        'coatcheck_http_requests_total{route="/auth/session",method="GET",status="2xx"}': 3,
        'coatcheck_http_requests_total{route="/auth/session",method="GET",status="4xx"}': 1,
        'coatcheck_http_request_duration_seconds_count{route="/auth/session"}': 4,
        'coatcheck_http_request_duration_seconds_bucket{route="/auth/session",le="+Inf"}': 4,
        "coatcheck_ledger_position": 1,
        "coatcheck_ledger_entries": 1,
        "coatcheck_http_requests_in_progress": 1,  # the one that asks
        "coatcheck_hashing_load": 0,
        "coatcheck_workers": 1,
        "coatcheck_ready": 1,
    }
    assert {line: await operated.figure(line) for line in expected} == expected
    async with operated.site.signed_in_browser():  # by a cookie: no token is issued
        assert await operated.figure('coatcheck_sign_ins_total{outcome="success"}') == 2
        assert await operated.figure('coatcheck_tokens_issued_total{grant="sign_in"}') == 1


@pytest.mark.anyio
async def test_mails_are_counted(operated: Operated) -> None:
    await operated.site.add_user()
    async with operated.client(headers={"accept": "*/*"}) as client:
        await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
    await operated.site.letters()
    assert await operated.figure('coatcheck_mails_total{outcome="delivered"}') == 1


@pytest.mark.anyio
async def test_a_storage_may_tell_of_itself(operated: Operated) -> None:
    def facts() -> Mapping[str, float]:
        further = {f"fact{number:03}": 1.0 for number in range(500)}
        return {"pool_in_use": 3, "round_trips": 17, "lag": 0.25, 'a"b\n': 1, **further}

    vars(operated.server.flows.context.storage)["facts"] = facts
    text = await operated.scrape()
    assert "coatcheck_storage_fact" in text
    assert text.count("coatcheck_storage_fact{") <= 64
    assert 'a"b' not in text
    del vars(operated.server.flows.context.storage)["facts"]
    vars(operated.server.flows.context.storage)["facts"] = lambda: {
        "pool_in_use": 3,
        "round_trips": 17,
        "lag": 0.25,
    }
    assert await operated.figure("coatcheck_storage_pool_in_use") == 3
    assert await operated.figure("coatcheck_storage_round_trips_total") == 17
    assert await operated.figure('coatcheck_storage_fact{fact="lag"}') == 0.25


# --- attacks -----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_strangers_cannot_make_labels(operated: Operated) -> None:
    def count(text: str) -> int:
        return sum(not line.startswith("#") for line in text.splitlines())

    mark = "Zq7marker"

    async def attack(number: int) -> None:
        async with operated.client() as client:
            name = f"{mark}{number}"
            await client.get(f"/{name}")
            await client.get(f"/auth/{name}")
            await client.get(f"/auth/static/{name}")
            await client.get(f"/auth/session?{name}={name}", headers={"authorization": f"Bearer {name}"})
            await client.request(name.upper(), "/auth/session")
            await client.post(
                "/auth/token", data={"grant_type": name, "client_id": name, "client_secret": name}
            )
            await client.post("/auth/sign-in", json={"email": f"{name}@example.com", "password": name})
            await client.get(
                "/auth/authorize", params={"client_id": name, "response_type": name, "scope": name}
            )

    await attack(0)
    before = await operated.scrape()
    for number_ in range(1, 25):
        await attack(number_)
    after = await operated.scrape()
    assert mark.lower() not in after.lower()
    assert count(after) - count(before) <= len(BUCKETS) + 4  # the route of the metrics themselves
    assert f'route="{OTHER}"' in after
    assert f'method="{OTHER}"' in after


def test_a_refusal_is_counted_by_its_kind_whatever_one_of_them_says_of_itself() -> None:
    from coatcheck.accounts.errors import InvalidLinkError

    counts = Counts()
    error = InvalidLinkError()
    vars(error)["code"] = "anything"
    counts.refused(error)
    counts.refused(ValueError("secret"))
    counts.issued("urn:whatever")
    counts.signed_in("whatever")
    assert counts.refusals == {"invalid_link": 1, "server_error": 1}
    assert counts.tokens[OTHER] == 1
    assert counts.sign_ins[OTHER] == 1


# --- parts -------------------------------------------------------------------------------------------------


def test_a_histogram_has_each_request_in_its_bin() -> None:
    counts = RequestCounts()
    for seconds in (0.0, BUCKETS[0], BUCKETS[0] * 1.01, 99.0):
        counts.answered("/", "GET", status=200, seconds=seconds)
    (bins,) = counts.bins()
    assert bins.counts == (2, 1, *(0,) * (len(BUCKETS) - 2), 1)
    assert bins.total == pytest.approx(99.0 + BUCKETS[0] * 2.01)


def test_paths_have_the_template_that_they_belong_to() -> None:
    templates = Templates(["/a", "/a/{b}", "/a/{b}/c"])
    paths = ["/a", "/a/1", "/a/1/c", "/a/1/d", "/b", "/a/", "//a"]
    assert [templates.of(path) for path in paths] == ["/a", "/a/{b}", "/a/{b}/c", *(OTHER,) * 4]


@pytest.mark.parametrize(
    "value, written",
    [(1.0, "1"), (0.25, "0.25"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"), (float("nan"), "NaN")],
    ids=["whole", "fraction", "infinite", "minus infinite", "none"],
)
def test_figures_are_written_as_both_formats_have_them(value: float, written: str) -> None:
    assert number(value) == written


def test_no_label_breaks_out_of_its_line() -> None:
    nasty = 'a"} 1\nfake_metric 2\n\\'
    family = Family(
        name="it", kind="gauge", meaning="One\nsentence.", samples=[Sample(1, (("label", nasty),))]
    )
    for openmetrics, read in ((False, read_text), (True, read_openmetrics)):
        (found,) = list(read(write([family], openmetrics=openmetrics)))
        (sample,) = found.samples
        assert sample.labels == {"label": nasty}


def test_metrics_are_on_in_development_only_unless_told() -> None:
    table: list[tuple[Any, Any, bool]] = [
        ("development", None, True),
        ("development", "off", False),
        ("production", None, False),
        ("production", "on", True),
    ]
    assert [shows_metrics(Settings(mode=mode, metrics=metrics)) for mode, metrics, _ in table] == [
        shown for _, _, shown in table
    ]


def test_a_system_that_does_not_tell_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert "process_open_fds" in dict(process.process_facts()) or sys.platform != "linux"
    monkeypatch.setattr(process, "_SELF", tmp_path)
    assert set(dict(process.process_facts())) == {
        "process_cpu_seconds",
        "process_max_fds",
        "process_start_time_seconds",
    }


# --- what operators are told -------------------------------------------------------------------------------


def test_the_documentation_has_exactly_these_metrics() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert describe() in page
    named = set(re.findall(r"\b(?:coatcheck|process)_[a-z_]+", page)) - {"process_"}
    shown = {each.name + ("_total" if each.kind == "counter" else "") for each in CATALOGUE}
    assert named - {"coatcheck_http_request_duration_seconds_bucket"} == shown


def test_every_code_that_alarms_are_about_is_one_that_there_is() -> None:
    assert {"invalid_credentials", "overloaded"} <= OUTCOMES


@pytest.mark.parametrize(
    "token, secret, problem",
    [
        (None, SECRET, "production needs it where metrics is on"),
        ("tiny-7", SECRET, "too short, or not random"),
        ("a" * 64, SECRET, "too short, or not random"),
        (SECRET, SECRET, "it is the secret"),
        ("with a space, and long enough for it", SECRET, "letters, digits"),
    ],
    ids=["none", "short", "repeated", "secret", "form"],
)
def test_production_refuses_a_token_that_is_none(token: str | None, secret: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            environment={},
            directory="/nowhere",
            mode="production",
            base_url="https://id.example.com",
            secret=secret,
            mail="off",
            sign_up="closed",
            metrics="on",
            metrics_token=token,
        )
    assert [each.key for each in caught.value.problems] == ["metrics_token"]
    assert problem in str(caught.value)
    assert token is None or token not in str(caught.value)


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    settings = load_settings(environment={}, directory=tmp_path, metrics_token_file="token")
    assert settings.metrics_token is not None
    assert settings.metrics_token.reveal() == TOKEN
    assert TOKEN not in repr(settings)
