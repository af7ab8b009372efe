"""``coatcheck token verify``: every check by its name, and for the one that failed what would pass."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from coatcheck.jose import Key, KeySet, jwe, jws, jwt
from coatcheck.jose.hazmat import NO_EXPIRY

NOW = 1_800_000_000
ORDER = [
    "form",
    "header",
    "type",
    "key",
    "algorithm",
    "signature",
    "claims",
    "required",
    "expiry",
    "not before",
]
ORDER += ["issued at", "issuer", "audience"]
FITTING = ("--issuer", "https://id.example", "--audience", "https://api.example", "--typ", "at+jwt")

Run = Callable[..., Result]
Make = Callable[..., str]


def outcome(run: Run, token: str, *options: str) -> Any:
    shown = run("token", "verify", "-", "--json", *options, given=token)
    judged = json.loads(shown.stdout)
    assert shown.exit_code == (0 if judged["valid"] else 1)
    return judged


def failure(run: Run, token: str, *options: str) -> tuple[str, str, str]:
    """The check that failed, what was said about it, and the code; those before passed, those after did not run."""
    judged = outcome(run, token, *options)
    assert [step["check"] for step in judged["steps"]] == ORDER
    statuses = [step["status"] for step in judged["steps"]]
    position = statuses.index("failed")
    later = set(statuses[position + 1 :])
    assert statuses[:position] == ["ok"] * position
    assert later <= {"not reached"} or (later == {"ok"} and ORDER[position] == "required")
    assert judged["claims"] is None
    return ORDER[position], judged["steps"][position]["message"], judged["code"]


def test_a_valid_token_ends_with_status_0_and_shows_its_claims(run: Run, token: str, key_file: str) -> None:
    shown = run("token", "verify", token, "--key", key_file, *FITTING)
    assert shown.exit_code == 0
    assert shown.stdout.count("✓") == len(ORDER)
    assert "\nValid\n" in shown.stdout
    assert '"u1"' in shown.stdout
    judged = outcome(run, token, "--key", key_file, *FITTING)
    assert judged["claims"]["sub"] == "u1"
    assert {step["status"] for step in judged["steps"]} == {"ok"}


def test_a_refused_token_ends_with_status_1_and_says_what_would_pass(
    run: Run, token: str, key_file: str
) -> None:
    shown = run("token", "verify", token, "--key", key_file, *FITTING, "--audience", "x", "--typ", "JWT")
    assert shown.exit_code == 1
    assert "✗  type" in shown.stdout
    assert "  ·  10 more checks not reached\n" in shown.stdout
    assert "signature" not in shown.stdout
    assert "Refused: unexpected_type" in shown.stdout
    assert "Valid" not in shown.stdout


@pytest.mark.parametrize(
    "options, check, message",
    [
        (
            ("--audience", "https://b"),
            "audience",
            (
                'the token is for "https://api.example", expected "https://b"; '
                "pass --audience https://api.example if that is right"
            ),
        ),
        (
            (),
            "audience",
            (
                'the token is for "https://api.example", and none was expected; '
                "pass --audience https://api.example if that is right"
            ),
        ),
        (
            ("--audience", "https://api.example", "--issuer", "https://x"),
            "issuer",
            (
                'the token is from "https://id.example", expected "https://x"; '
                "pass --issuer https://id.example if that is right"
            ),
        ),
        (
            ("--typ", "JWT"),
            "type",
            'the token is of type "at+jwt", expected "JWT"; pass --typ at+jwt if that is what you want',
        ),
        (("--require", "jti"), "required", 'the claim "jti" is missing; it takes a token that has it'),
        (
            ("--audience", "https://api.example", "--require", "scope"),
            "required",
            'the claim "scope" is missing; it takes a token that has it',
        ),
        (
            ("--at", str(NOW + 490)),
            "expiry",
            (
                "expired 3 minutes ago (2027-01-15 08:05:00 UTC); "
                "get a new token, or pass --at with an earlier time to look back"
            ),
        ),
        (
            ("--at", str(NOW - 180)),
            "issued at",
            (
                "issued 3 minutes from now (2027-01-15 08:00:00 UTC); "
                "check your clock and the issuer's, or raise --leeway"
            ),
        ),
    ],
)
def test_the_advice_fits_the_failure(
    run: Run, token: str, key_file: str, options: tuple[str, ...], *, check: str, message: str
) -> None:
    base = ("--key", key_file, "--issuer", "https://id.example", "--typ", "at+jwt")
    assert failure(run, token, *base, *options)[:2] == (check, message)


def test_the_leeway_widens_what_passes(run: Run, token: str, key_file: str) -> None:
    options = ("--key", key_file, *FITTING, "--at", str(NOW + 320))
    assert failure(run, token, *options)[0] == "expiry"
    assert outcome(run, token, *options, "--leeway", "1m")["valid"]


def test_a_token_that_states_nothing_passes_where_nothing_is_expected(
    run: Run, key: Key, key_file: str
) -> None:
    token = jwt.Signer(key, issuer=None).sign({"nbf": NOW}, now=NOW)
    judged = outcome(run, token, "--key", key_file)
    told = {step["check"]: step["message"] for step in judged["steps"]}
    assert told["issuer"] == told["audience"] == "none stated, none expected"
    assert told["not before"] == "2027-01-15 08:00:00 UTC"
    assert failure(run, token, "--key", key_file, "--issuer", "x")[:2] == (
        "issuer",
        'the claim "iss" is missing, expected "x"; it takes a token that has it',
    )
    assert failure(run, token, "--key", key_file, "--audience", "x", "--audience", "y")[0] == "audience"


def test_an_empty_audience_is_nobody(run: Run, key: Key, key_file: str) -> None:
    token = jwt.Signer(key, issuer=None).sign({"aud": []}, now=NOW)
    message = 'the token is for nobody, expected "x"'
    assert failure(run, token, "--key", key_file, "--audience", "x")[1] == message


def test_the_other_checks_fail_under_their_names(run: Run, key: Key, key_file: str, forge: Make) -> None:
    signer = jwt.Signer(key, issuer=None)
    options = ("--key", key_file)
    assert failure(run, signer.sign({"nbf": NOW + 60}, now=NOW), *options)[0] == "not before"
    endless = jwt.Signer(key, issuer=None, lifetime=NO_EXPIRY).sign({}, now=NOW)
    assert failure(run, endless, *options)[0] == "required"
    good = signer.sign({}, now=NOW)
    tampered = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    assert failure(run, tampered, *options)[::2] == ("signature", "invalid_signature")
    header = {"alg": "ES256", "kid": "k1"}
    assert failure(run, forge({**header, "kid": "k2"}), *options)[:2] == (
        "key",
        'no key has the identifier "k2"; give the issuer\'s current keys',
    )
    assert failure(run, forge({**header, "alg": "none"}), *options)[::2] == (
        "algorithm",
        "algorithm_not_allowed",
    )
    assert failure(run, forge({**header, "crit": ["x"], "x": 1}), *options)[0] == "header"
    assert failure(run, forge({"kid": "k1"}), *options)[0] == "header"
    assert failure(run, jws.sign(b"no claims", key), *options)[::2] == ("claims", "malformed_token")
    assert failure(run, jws.sign(b'{"exp":"soon"}', key), *options)[::2] == ("claims", "invalid_claim")
    assert failure(run, signer.sign({}, now=NOW), *options, "--typ", "at+jwt")[0] == "type"
    assert "states no type" in failure(run, forge(header), *options, "--typ", "at+jwt")[1]


def test_what_is_no_signed_token_fails_by_its_form(run: Run, key: Key, key_file: str) -> None:
    options = ("--key", key_file)
    assert failure(run, "a.b", *options)[::2] == ("form", "malformed_token")
    assert failure(run, "a" * 70_000, *options)[::2] == ("form", "token_too_large")
    encrypted = jwe.encrypt(b"x", Key.generate("ECDH-ES"))
    assert "coatcheck token decrypt" in failure(run, encrypted, *options)[1]
    assert "JSON serialisation" in failure(run, json.dumps(jws.sign_json(b"{}", key)), *options)[1]


def test_keys_may_be_a_set_a_pem_or_a_variable(run: Run, key: Key, token: str, tmp_path: Path) -> None:
    encryption, unclear = Key.generate("ECDH-ES"), Key.generate("PS256")
    both = KeySet([key.public(), encryption.public()]).to_jwks()
    (tmp_path / "a.jwks").write_text(json.dumps(both))
    assert outcome(run, token, "--jwks", "a.jwks", *FITTING)["valid"]
    for entry in both["keys"]:
        del entry["alg"]
    (tmp_path / "b.jwks").write_text(json.dumps({"keys": [*both["keys"], {"kty": "new"}]}))
    assert outcome(run, token, "--key", "b.jwks", *FITTING)["valid"]
    assert outcome(run, token, "--key", "b.jwks", "--alg", "ES256", *FITTING)["valid"]
    (tmp_path / "key.pem").write_bytes(key.public().to_pem())
    assert outcome(run, token, "--key", "key.pem", *FITTING)["valid"]
    (tmp_path / "key.der").write_bytes(key.public().to_der())
    assert outcome(run, token, "--key", "key.der", *FITTING)["valid"]
    shown = run("token", "verify", token, "--key-env", "K", *FITTING, env={"K": json.dumps(key.to_jwk())})
    assert shown.exit_code == 0
    members = unclear.to_jwk()
    del members["alg"]
    (tmp_path / "c.jwks").write_text(json.dumps({"keys": [members]}))
    assert "--alg" in run("token", "verify", token, "--jwks", "c.jwks").stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--jwks", "e.jwks"), "empty"),
        (("--jwks", "odd.jwks"), "keys"),
        (("--jwks", "mixed.jwks"), "objects"),
        (("--key", "e.jwks", "--jwks", "e.jwks"), "exactly one"),
        ((), "exactly one"),
        (("--key", "nothing"), "no such file"),
        (("--key", "-"), "standard input"),
        (("--key", "key.jwk", "--leeway", "soon"), "span"),
        (("--key", "key.jwk", "--leeway", "9h"), "ten minutes"),
        (("--key", "key.jwk", "--issuer", ""), "issuer"),
        (("--key", "key.jwk", "--alg", "PS256"), "ES256"),
        (("--key", "enc.jwk"), "may verify"),
    ],
)
def test_what_cannot_be_found_out_ends_with_status_2(
    run: Run, token: str, tmp_path: Path, *, key_file: str, arguments: tuple[str, ...], words: str
) -> None:
    assert Path(key_file).exists()
    (tmp_path / "e.jwks").write_text('{"keys": []}')
    (tmp_path / "odd.jwks").write_text('{"keys": 5}')
    (tmp_path / "mixed.jwks").write_text('{"keys": [5]}')
    (tmp_path / "enc.jwk").write_text(json.dumps(Key.generate("ECDH-ES").to_jwk()))
    shown = run("token", "verify", "-", *arguments, given=token)
    assert shown.exit_code == 2, shown.output
    assert words in shown.stderr
    assert shown.stderr.startswith("coatcheck: ")
    assert shown.stderr.count("\n") == 1


def test_advice_can_be_pasted_into_a_shell(run: Run, key: Key, key_file: str) -> None:
    token = jwt.Signer(key, issuer="x; reboot", typ="$(reboot)").sign({}, now=NOW)
    assert "pass --typ '$(reboot)' if" in failure(run, token, "--key", key_file)[1]
    assert "pass --issuer 'x; reboot' if" in failure(run, token, "--key", key_file, "--typ", "$(reboot)")[1]


def test_hostile_values_in_advice_cannot_steer_the_terminal(run: Run, key: Key, key_file: str) -> None:
    hostile = "\x1b[2J\u202e\r\n[red]"
    token = jwt.Signer(key, issuer=hostile, typ="x\x1b[0m").sign({"aud": [hostile], hostile: 1}, now=NOW)
    for options in ((), ("--typ", "x\x1b[0m"), ("--typ", "x\x1b[0m", "--issuer", hostile)):
        for shown in (
            run("token", "verify", token, "--key", key_file, *options),
            run("token", "verify", token, "--key", key_file, *options, "--json"),
        ):
            assert shown.exit_code == 1
            assert not {"\x1b", "\u202e", "\r"} & set(shown.output)


def test_the_key_is_told_by_its_name_or_by_its_being_alone(run: Run, key: Key, tmp_path: Path) -> None:
    nameless = key.with_kid(None)
    other = Key.generate("ES256", kid="k2")
    (tmp_path / "named").write_text(json.dumps(key.to_jwk()))
    (tmp_path / "nameless").write_text(json.dumps(nameless.to_jwk()))
    (tmp_path / "set").write_text(json.dumps(KeySet([nameless.public(), other.public()]).to_jwks()))
    named_token = jwt.Signer(key, issuer=None).sign({}, now=NOW)
    nameless_token = jwt.Signer(nameless, issuer=None).sign({}, now=NOW)
    cases = [
        ("named", named_token, '"k1"'),
        ("named", nameless_token, "the only one given (the token names none)"),
        ("nameless", named_token, 'the only one given (it has no name; the token says "k1")'),
        ("nameless", nameless_token, "the only one given (the token names none)"),
        ("set", named_token, 'one of those given (which has no name; the token says "k1")'),
        ("set", nameless_token, "one of those given (the token names none)"),
    ]
    for keys, token, words in cases:
        steps = {step["check"]: step["message"] for step in outcome(run, token, "--key", keys)["steps"]}
        assert steps["key"] == words


def test_what_failed_carries_both_values(run: Run, key: Key, key_file: str, token: str, forge: Make) -> None:
    def values(text: str, *options: str) -> tuple[Any, Any]:
        steps = outcome(run, text, "--key", key_file, *options)["steps"]
        assert not [step for step in steps if "actual" in step and step["status"] != "failed"]
        failed = next(step for step in steps if step["status"] == "failed")
        return failed.get("actual", "unknown"), failed.get("expected", "unknown")

    assert values(token, "--typ", "x") == ("at+jwt", "x")
    assert values(token, *FITTING, "--issuer", "x") == ("https://id.example", "x")
    assert values(token, *FITTING[:2], *FITTING[4:], "--audience", "x") == ("https://api.example", ["x"])
    assert values(token, *FITTING, "--at", str(NOW + 900))[0] == NOW + 300
    assert values(token, *FITTING, "--require", "scope") == (None, "unknown")
    assert values(forge({"alg": "ES256", "kid": "k2"})) == ("k2", ["k1"])
    assert values(forge({"alg": "PS256", "kid": "k1"})) == ("PS256", ["ES256"])
    assert values(jws.sign(b'{"exp":"soon"}', key)) == ("soon", "unknown")
    assert values("a.b") == ("unknown", "unknown")


def test_times_are_shown_as_dates_and_the_meanings_are_told_to_programs(
    run: Run, token: str, key_file: str
) -> None:
    shown = run("token", "verify", token, "--key", key_file, *FITTING)
    assert f"exp  {NOW + 300}" in shown.stdout
    assert "expires in 5 minutes, 2027-01-15 08:05:00 UTC" in shown.stdout
    assert "who issued it" not in shown.stdout
    judged = outcome(run, token, "--key", key_file, *FITTING)
    inspected = json.loads(run("token", "inspect", token, "--json").stdout)
    assert judged["claims"] == inspected["claims"]
    assert judged["meanings"] == inspected["meanings"]
    assert judged["meanings"]["iss"] == "who issued it"


def test_the_last_check_left_is_counted_as_one(run: Run, token: str, key_file: str) -> None:
    shown = run("token", "verify", token, "--key", key_file, *FITTING, "--issuer", "x")
    assert "  ·  1 more check not reached\n" in shown.stdout


def test_a_token_without_an_end_is_accepted_on_demand(run: Run, key: Key, key_file: str) -> None:
    endless = jwt.Signer(key, issuer=None, lifetime=NO_EXPIRY).sign({}, now=NOW)
    assert outcome(run, endless, "--key", key_file, "--allow-no-expiry")["valid"]
    assert failure(run, endless, "--key", key_file, "--allow-no-expiry", "--require", "exp")[0] == "required"


@pytest.mark.parametrize("option", ["--issuer", "--audience"])
def test_an_empty_name_is_refused(run: Run, token: str, key_file: str, option: str) -> None:
    shown = run("token", "verify", token, "--key", key_file, option, "")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"{option} is empty" in shown.stderr


@pytest.mark.parametrize(
    "option, content",
    [
        ("--key", '{"kty":"oct","k":"TOPSECRET"}'),
        ("--key", "-----BEGIN PRIVATE KEY-----TOPSECRET"),
        ("--key", "TOPSECRET" * 30),
        ("--key-env", "TOPSECRET=="),
        ("--key-env", "TOPSECRET" * 30),
    ],
)
def test_a_secret_given_where_a_name_belongs_is_not_repeated(
    run: Run, token: str, option: str, content: str
) -> None:
    shown = run("token", "verify", "-", option, content, given=token)
    assert shown.exit_code == 2
    assert "TOPSECRET" not in shown.output + shown.stderr
