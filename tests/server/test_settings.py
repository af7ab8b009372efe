import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import Secret, Settings, check_settings, describe, load_settings

ROOT = Path(__file__).parent.parent.parent
RANDOM = base64.b64encode(bytes(range(100, 132))).decode()
SAFE: dict[str, Any] = {
    "mode": "production",
    "base_url": "https://app.example.com",
    "secret": RANDOM,
    "smtp_url": "smtp://u:hunter2@mail.example.com",
    "mail_from": "no-reply@example.com",
}

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_directory(environment: dict[str, str] | None = None, **arguments: Any) -> Settings:
        return load_settings(environment=environment or {}, directory=tmp_path, **arguments)

    return from_directory


@pytest.fixture
def problems(load: Load) -> Problems:
    def refused(environment: dict[str, str] | None = None, **arguments: Any) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(environment, **arguments)
        assert caught.value.message == " ".join(map(str, caught.value.problems))
        assert caught.value.code == "wrong_settings"
        return list(map(str, caught.value.problems))

    return refused


def test_nothing_needs_to_be_set(load: Load) -> None:
    settings = load()
    assert settings == Settings()
    assert (settings.mode, settings.base_url, settings.prefix) == (
        "development",
        "http://localhost:8000",
        "/auth",
    )


def test_the_environment_of_the_process_is_read_where_no_other_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COATCHECK_NAME", "From the process")
    assert load_settings().name == "From the process"


def test_arguments_come_before_the_environment_and_that_before_the_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text('name = "file"\nprefix = "/file"\naccent = "#111111"\n')
    settings = load({"COATCHECK_NAME": "environment", "COATCHECK_PREFIX": "/environment"}, name="argument")
    assert (settings.name, settings.prefix, settings.accent) == ("argument", "/environment", "#111111")


def test_the_file_may_be_named(load: Load, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text('name = "not this"\n')
    (tmp_path / "one.toml").write_text('name = "one"\n')
    (tmp_path / "two.toml").write_text('name = "two"\n')
    assert load({"COATCHECK_CONFIG": "one.toml"}).name == "one"
    assert load({"COATCHECK_CONFIG": "one.toml"}, config="two.toml").name == "two"
    assert load({"COATCHECK_CONFIG": ""}).name == "not this"


def test_values_are_typed_in_every_source(load: Load, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text(
        'max_sessions = 3\nnotify_new_device = false\ncors_origins = ["https://a.example", "https://b.example"]\n'
        'recent_sign_in = "1 h 30 min"\n'
    )
    from_file = load()
    from_environment = load(
        {
            "COATCHECK_MAX_SESSIONS": "3",
            "COATCHECK_NOTIFY_NEW_DEVICE": "no",
            "COATCHECK_CORS_ORIGINS": " https://a.example ,https://b.example, ",
            "COATCHECK_RECENT_SIGN_IN": "90min",
        }
    )
    from_arguments = load(
        max_sessions=3,
        notify_new_device=False,
        cors_origins=("https://a.example", "https://b.example"),
        recent_sign_in=timedelta(minutes=90),
    )
    assert from_file == from_environment == from_arguments
    assert from_file.recent_sign_in == timedelta(hours=1.5)
    assert from_file.cors_origins == ("https://a.example", "https://b.example")


def test_a_number_that_may_be_missing_can_be_taken_back(load: Load, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text("max_sessions = 3\n")
    assert load({"COATCHECK_MAX_SESSIONS": "none"}).max_sessions is None
    assert load(max_sessions=None).max_sessions is None


def test_an_empty_variable_is_not_set(load: Load) -> None:
    assert load({"COATCHECK_SECRET": "", "COATCHECK_MAX_SESSIONS": ""}) == Settings()


def test_a_path_may_be_a_path(load: Load) -> None:
    assert load(database=Path("data") / "site.db").database == "data/site.db"


@pytest.mark.parametrize(
    "environment, arguments, expected",
    [
        (
            {"COATCHECK_BASEURL": "x"},
            {},
            "baseurl (the environment variable COATCHECK_BASEURL): there is no such setting. Did you mean 'base_url'?",
        ),
        ({}, {"xyzzy": 1}, "xyzzy (an argument): there is no such setting."),
    ],
)
def test_unknown_names_are_refused(
    environment: dict[str, str], arguments: dict[str, Any], expected: str, problems: Problems
) -> None:
    assert problems(environment, **arguments) == [expected]


def test_unknown_names_in_the_file_are_refused(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text("[server]\nname = 1\n")
    assert problems() == ["server (the file coatcheck.toml): there is no such setting."]


def test_what_a_container_platform_puts_into_the_environment_is_passed_over(load: Load) -> None:
    platform = {
        "COATCHECK_PORT": "tcp://10.0.0.1:8000",
        "COATCHECK_PORT_8000_TCP_ADDR": "10.0.0.1",
        "COATCHECK_SERVICE_HOST": "10.0.0.1",
        "COATCHECK_SERVICE_PORT_HTTP": "8000",
        "COATCHECKED": "yes",
    }
    assert load(platform) == Settings()


def test_the_key_of_a_service_in_the_same_shell_is_passed_over(load: Load) -> None:
    assert load({"COATCHECK_VERIFIER_KEY": "ccs_key"}) == Settings()


def test_everything_wrong_is_told_at_once(problems: Problems) -> None:
    told = problems({"COATCHECK_MODE": "prod"}, prefix="auth", argon2_time_cost=0)
    assert [line.partition(" ")[0] for line in told] == ["mode", "prefix", "argon2_time_cost"]
    assert told[0] == (
        "mode (the environment variable COATCHECK_MODE): "
        'it must be "development" or "production". Did you mean \'production\'?'
    )


@pytest.mark.parametrize(
    "content, words",
    [
        (b"name = ", "it is no TOML: "),
        (b"\xff", "it is not UTF-8."),
        (b"#" * 1_048_577, "it has more than 1048576 octets."),
    ],
)
def test_a_file_that_cannot_be_read_says_so(
    content: bytes, words: str, problems: Problems, tmp_path: Path
) -> None:
    (tmp_path / "coatcheck.toml").write_bytes(content)
    assert problems()[0].startswith(f"config (the file coatcheck.toml): {words}")


def test_a_named_file_must_be_there(problems: Problems) -> None:
    assert problems({"COATCHECK_CONFIG": "no.toml"}) == [
        "config (the file no.toml): it cannot be read: No such file or directory."
    ]


def test_a_secret_may_stand_in_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{RANDOM}\n")
    (tmp_path / "mail").write_text("smtp://u:p@mail.example.com\r\n")
    settings = load(
        {"COATCHECK_SECRET_FILE": "key"}, smtp_url_file=tmp_path / "mail", mail_from="a@example.com"
    )
    assert settings.secret == Secret(RANDOM)
    assert settings.smtp_url == Secret("smtp://u:p@mail.example.com")


def test_a_secret_nearer_by_comes_before_a_file_further_away(load: Load, tmp_path: Path) -> None:
    (tmp_path / "coatcheck.toml").write_text('secret_file = "key"\n')
    (tmp_path / "key").write_text("x" * 40)
    assert load({"COATCHECK_SECRET": RANDOM}).secret == Secret(RANDOM)
    assert load(secret_file=None).secret == Secret("x" * 40)


@pytest.mark.parametrize(
    "content, words",
    [(b"", "the file is empty."), (b"\n", "the file is empty."), (b"\xff" * 40, "the file is not text.")],
)
def test_a_secret_file_must_hold_text(content: bytes, words: str, problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    assert problems(secret_file="key") == [f"secret_file (an argument): {words}"]


def test_a_secret_file_must_be_there_and_be_the_only_one(problems: Problems) -> None:
    assert "the file cannot be read: No such file" in problems(secret_file="nowhere")[0]
    assert "choose one of the two" in problems(secret_file="key", secret="x" * 40)[0]
    assert "the path of a file" in problems(secret_file=7)[0]


def test_no_error_shows_a_secret(problems: Problems) -> None:
    told = problems(
        {"COATCHECK_SMTP_URL": "http://u:hunter2@host", "COATCHECK_SECRET": "hunter2\n"},
    )
    assert len(told) == 2
    assert "hunter2" not in "".join(told)
    assert "hunter2" not in "".join(problems(secret="hunter2"))


@pytest.mark.parametrize(
    "key, value",
    [
        *(("mode", value) for value in ("", 1, None, "Production")),
        *(
            ("base_url", value)
            for value in ("localhost", "ftp://a", "http://a/b", "http://u@a", "http://a?b")
        ),
        *(
            ("base_url", value)
            for value in ("http://", "http://a:99999", "http://a b", "http://ä.example", "//a")
        ),
        *(
            ("prefix", value)
            for value in ("", "/", "auth", "/auth/", "//auth", "/a/../b", "/a b", "/a?b", "/ä", 5)
        ),
        *(("database", value) for value in ("", "a/", "a\0b", 5)),
        *(("name", value) for value in ("", " ", "x" * 81, "a\nb", b"x")),
        *(
            ("logo", value)
            for value in ("logo.svg", "//evil.example/x.svg", "https://evil.example/x.svg", '/"x')
        ),
        *(("accent", value) for value in ("red", "#abc", "#12345g", "#1234567", "url(x)")),
        *(("max_sessions", value) for value in (0, 1001, -1, "many", 1.5, True)),
        *(("notify_new_device", value) for value in ("maybe", 1, None)),
        *(
            ("recent_sign_in", value)
            for value in ("5", 300, "5 minutes", "-5 min", "", "1 d 1", "30 s", "2 d")
        ),
        *(("recent_sign_in", value) for value in (timedelta(0), timedelta(days=2), None)),
        *(("access_token_lifetime", value) for value in ("1 s", "2 h", "999999999 w")),
        *(("cors_origins", value) for value in (["https://a/b"], "null", "a.example", [5], 5, {"a": 1})),
        *(("trusted_origins", value) for value in (["*"], "https://*.example.com")),
        *(("trusted_proxies", value) for value in ("10.0.0.1/8", "proxy", "10.0.0.0/33")),
        *(("csrf_exempt", value) for value in ("hook", "/a?b", "/a b")),
        *(("development_hosts", value) for value in ("a b", "http://a", "a:80")),
        *(("password_minimum", value) for value in (7, 65)),
        *(("argon2_memory_kib", value) for value in (1, 10_000_000)),
        *(("mail_from", value) for value in ("x", "a@example.com\nBcc: b@example.com", "a@b@c")),
        *(("secret", value) for value in ("short", 5, b"x" * 40, "a\0" * 40, "x" * 5000)),
        ("hashing_workers", 0),
    ],
)
def test_impossible_values_are_refused(key: str, value: Any, problems: Problems) -> None:
    (problem,) = problems(**{key: value})
    assert problem.startswith(f"{key} (an argument): ")


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("base_url", "http://LOCALHOST:80/", "http://localhost"),
        ("base_url", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("base_url", "http://[::1]:9000", "http://[::1]:9000"),
        ("base_url", "http://app.localhost", "http://app.localhost"),
        ("cors_origins", "https://a.example:443", ("https://a.example",)),
        ("trusted_proxies", "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1/128")),
        ("trusted_proxies", "*", ("*",)),
        ("accent", "#ABCDEF", "#abcdef"),
        ("logo", "/static/logo.svg", "/static/logo.svg"),
        ("context_words", {"b", "a"}, ("a", "b")),
        ("csrf_exempt", "/hooks/stripe", ("/hooks/stripe",)),
        ("development_hosts", ["Web", "10.0.0.1"], ("web", "10.0.0.1")),
        ("name", " My site ", "My site"),
        ("recent_sign_in", "1h30m", timedelta(minutes=90)),
    ],
)
def test_values_have_one_canonical_form(key: str, value: Any, expected: Any, load: Load) -> None:
    assert getattr(load(**{key: value}), key) == expected


def test_a_safe_production_is_accepted(load: Load) -> None:
    assert load(**SAFE).mode == "production"


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("secret", None, "production needs it"),
        ("secret", "x" * 31, "at least 32 octets"),
        ("secret", "development-" + RANDOM, "made for development"),
        ("secret", "a" * 64, "not random"),
        ("secret", "k7Gm2xQv" * 8, "not random"),
        ("secret", "please-change-me-" + RANDOM, "not random"),
        ("base_url", "http://app.example.com", "needs https"),
        ("base_url", "https://localhost", "names this machine"),
        ("base_url", "https://127.0.0.1", "names this machine"),
        ("base_url", "https://0.0.0.0", "names this machine"),
        ("base_url", "https://[::ffff:127.0.0.1]", "names this machine"),
        ("database", ":memory:", "forgotten"),
        ("trusted_proxies", "*", "trusts everybody"),
        ("trusted_proxies", "0.0.0.0/0", "trusts everybody"),
        ("trusted_proxies", "::/0", "trusts everybody"),
        ("trusted_proxies", ("0.0.0.0/1", "128.0.0.0/1"), "trusts everybody"),
        ("cors_origins", "*", "any site"),
        ("cors_origins", "http://a.example", "is not https"),
        ("trusted_origins", "http://a.example", "is not https"),
        ("development_hosts", "web", "development only"),
        ("smtp_url", None, "needs a mail server"),
        ("mail_from", None, "smtp_url needs it"),
        ("mail", "off", "people who sign up are sent a link"),
        ("argon2_memory_kib", 19_455, "at least 19456"),
        ("argon2_time_cost", 1, "at least 47104"),
    ],
)
def test_production_refuses(key: str, value: Any, words: str, problems: Problems) -> None:
    (problem,) = problems(**{**SAFE, key: value})
    assert problem.startswith((f"{key} (an argument): ", "argon2_memory_kib (not set): "))
    assert words in problem
    assert RANDOM not in problem


def test_production_without_anything_says_all_that_is_missing(problems: Problems) -> None:
    told = problems({"COATCHECK_MODE": "production"})
    assert [line.partition(" ")[0] for line in told] == [
        "secret",
        "base_url",
        "base_url",
        "smtp_url",
        "mail_from",
    ]


def test_a_closed_site_needs_no_mail(load: Load) -> None:
    without = {key: value for key, value in SAFE.items() if key not in {"smtp_url", "mail_from"}}
    assert load(**without, mail="off", sign_up="closed").smtp_url is None


@pytest.mark.parametrize(
    "passes, memory", [(1, 47_104), (2, 19_456), (3, 12_288), (4, 9_216), (5, 7_168), (9, 7_168)]
)
def test_owasps_floor_is_enough_for_hashing(passes: int, memory: int, load: Load) -> None:
    settings = load(**SAFE, argon2_time_cost=passes, argon2_memory_kib=memory)
    assert settings.argon2_memory_kib == memory


@pytest.mark.parametrize(
    "arguments, key",
    [
        ({"base_url": "https://app.example.com"}, "base_url"),
        ({"base_url": "http://192.168.0.10:8000"}, "base_url"),
        ({"base_url": "http://localhost.evil.example"}, "base_url"),
        ({"cors_origins": "*"}, "cors_origins"),
        ({"refresh_token_idle": "31 d"}, "refresh_token_idle"),
        ({"access_token_lifetime": "30 min", "refresh_token_idle": "20 min"}, "access_token_lifetime"),
    ],
)
def test_development_refuses(arguments: dict[str, Any], key: str, problems: Problems) -> None:
    (problem,) = problems(**arguments)
    assert problem.startswith(f"{key} (an argument): ")


def test_settings_made_directly_can_be_checked() -> None:
    check_settings(Settings())
    with pytest.raises(SettingsError, match=r"base_url \(not set\)"):
        check_settings(Settings(mode="production"))


def test_every_default_passes_its_own_check(load: Load) -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert load(**defaults) == Settings()


def test_no_repr_shows_a_secret(load: Load) -> None:
    settings = load(**SAFE)
    assert "hunter2" not in repr(settings)
    assert RANDOM not in repr(settings)


def test_the_documentation_has_the_table_of_all_settings() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert describe() in page
    assert all(f"| `{field.name}` |" in describe() for field in msgspec.structs.fields(Settings))
    assert all(line.count(" | ") == 3 for line in describe().splitlines()[2:])
