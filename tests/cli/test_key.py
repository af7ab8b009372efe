"""``coatcheck key``: make, show, convert and thumbprint, and never show a private part that nobody asked for."""

import json
import os
import shlex
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from typer.testing import Result

from coatcheck.cli.key_report import Origin, describe
from coatcheck.inspection import read_key_text
from coatcheck.jose import Key, jwe, jws

Run = Callable[..., Result]
NOW = 1_800_000_000
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k", "priv")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coatcheck.cli.sinks.is_terminal", lambda: True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# generate


@pytest.mark.parametrize(
    "arguments, kty",
    [
        (("ES256",), "EC"),
        (("Ed25519", "--kid", "mine"), "OKP"),
        (("HS512",), "oct"),
        (("PS256", "--bits", "2048"), "RSA"),
        (("ECDH-ES", "--crv", "X448"), "OKP"),
        (("ML-DSA-44",), "AKP"),
        (("A256GCM",), "oct"),
    ],
)
def test_a_key_of_any_kind_is_made(run: Run, arguments: tuple[str, ...], kty: str) -> None:
    made = run("key", "generate", *arguments)
    assert made.exit_code == 0
    assert made.stderr == ""
    key = Key.from_jwk(made.stdout)
    assert (key.kty, key.alg, key.is_private) == (kty, arguments[0], True)
    assert "--kid" not in arguments or key.kid == "mine"


def test_files_are_private_and_are_not_overwritten(run: Run, tmp_path: Path) -> None:
    options = ("--out", "k", "--public-out", "k.pub")
    assert run("key", "generate", "ES256", *options).output == ""
    private, public = tmp_path / "k", tmp_path / "k.pub"
    assert (mode(private), mode(public)) == (0o600, 0o644)
    before = private.read_text()
    assert Key.from_jwk(before).public().to_jwk() == json.loads(public.read_text())
    again = run("key", "generate", "ES256", *options)
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    assert private.read_text() == before
    private.chmod(0o644)
    assert run("key", "generate", "ES256", *options, "--force").exit_code == 0
    assert private.read_text() != before
    assert mode(private) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k", "k.pub"]


def test_nothing_is_left_behind_when_a_file_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    for target in ("nowhere/k", "directory"):
        shown = run("key", "generate", "ES256", "--out", target, "--force")
        assert (shown.exit_code, "[unwritable_output]" in shown.stderr) == (2, True)
    assert run("key", "generate", "ES256", "--out", "k", "--public-out", "k").exit_code == 2
    assert run("key", "generate", "HS256", "--out", "k", "--public-out", "k.pub").exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


def test_a_file_that_comes_to_be_meanwhile_is_not_overwritten(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.lexists", lambda _: False)
    (tmp_path / "k").write_text("precious")
    assert run("key", "generate", "ES256", "--out", "k").exit_code == 2
    assert (tmp_path / "k").read_text() == "precious"


@pytest.mark.parametrize("form", ["pem", "der"])
def test_pem_and_der_can_be_encrypted(run: Run, tmp_path: Path, form: str) -> None:
    options = ("--format", form, "--out", "k", "--password-env", "P")
    assert run("key", "generate", "ES256", *options, env={"P": "open sesame"}).exit_code == 0
    octets = (tmp_path / "k").read_bytes()
    read = Key.from_pem if form == "pem" else Key.from_der
    assert read(octets, "ES256", password=b"open sesame").is_private
    wrong = run("key", "show", "k", "--password-env", "P", env={"P": "guess"})
    assert (wrong.exit_code, "password is wrong" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("none",), "no unsigned tokens"),
        (("RS9",), "not supported"),
        (("ES256", "--bits", "2048"), "bits"),
        (("ES256", "--crv", "P-521"), "no curve"),
        (("HS256", "--format", "pem"), "no other form"),
        (("ES256", "--password-env", "P"), "PEM or DER"),
        (("ES256", "--password-env", "MISSING", "--format", "pem"), "not set"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], words: str) -> None:
    shown = run("key", "generate", *arguments, env={"P": "open sesame"})
    assert shown.exit_code == 2
    assert words in shown.stderr
    assert shown.stderr.count("\n") == 1
    assert shown.stdout == ""


@pytest.mark.usefixtures("terminal")
def test_a_person_who_sees_a_private_key_is_told_so(run: Run) -> None:
    assert "This is a private key" in run("key", "generate", "ES256").stderr
    binary = run("key", "generate", "ES256", "--format", "der")
    assert (binary.exit_code, "--out" in binary.stderr, binary.stdout) == (2, True, "")


# show


def test_facts_are_shown_and_private_parts_are_not(run: Run, key: Key, key_file: str) -> None:
    for options in ((), ("--json",)):
        shown = run("key", "show", key_file, *options)
        assert shown.exit_code == 0
        assert key.thumbprint() in shown.stdout
        assert key.to_private_jwk()["d"] not in shown.output
    text = run("key", "show", key_file).stdout
    assert "Private key, JWK" in text
    assert "EC, P-256, 256 bits" in text
    assert "!" not in text
    assert json.loads(run("key", "show", key_file, "--json").stdout)["public"] == key.to_jwk()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_private_parts_are_shown_on_demand(
    run: Run, key: Key, key_file: str, options: tuple[str, ...]
) -> None:
    shown = run("key", "show", key_file, "--private", *options)
    assert key.to_private_jwk()["d"] in shown.stdout
    public = run("key", "show", "-", "--private", *options, given=json.dumps(key.to_jwk()))
    assert (public.exit_code, public.stdout) == (2, "")


def test_a_secret_shows_neither_itself_nor_its_thumbprint(run: Run) -> None:
    secret = Key.generate("HS256")
    jwk = json.dumps(secret.to_private_jwk())
    for options in ((), ("--json",)):
        shown = run("key", "show", "-", *options, given=jwk)
        assert secret.thumbprint() not in shown.stdout
        assert secret.to_private_jwk()["k"] not in shown.stdout
        assert "shared_secret" in shown.stdout or "can sign with it too" in shown.stdout


def test_the_values_that_carry_secrets_do_not_show_them(key: Key) -> None:
    octets = json.dumps(key.to_private_jwk()).encode()
    text = read_key_text(octets)
    assert key.to_private_jwk()["d"] not in repr(text)
    assert key.to_private_jwk()["d"] not in repr(describe(text, alg=None, origin=Origin(), now=NOW))


@pytest.mark.parametrize(
    "alg, options, words",
    [
        ("ES256", (), "Nothing says which algorithm"),
        ("ES256", (), "It is not encrypted"),
        ("Ed25519", ("--alg", "EdDSA"), "EdDSA is deprecated"),
        ("RSA-OAEP", ("--alg", "RSA1_5"), "RSA1_5 is deprecated"),
        ("RS256", ("--alg", "RS256"), "ASVS 5.0"),
        ("RS256", (), "worth about 112 bits"),
    ],
)
def test_what_is_to_be_known_about_a_key_is_said(
    run: Run, alg: str, options: tuple[str, ...], words: str
) -> None:
    size = 2048 if alg.startswith("RS") else None
    pem = Key.generate(alg, bits=size).to_private_pem()
    shown = run("key", "show", "-", *options, given=pem)
    assert words in " ".join(shown.stdout.split())


def test_a_key_file_that_others_may_read_is_pointed_out(run: Run, key_file: str) -> None:
    Path(key_file).chmod(0o640)
    assert "chmod 600" in run("key", "show", key_file).stdout
    Path(key_file).chmod(0o600)
    assert "chmod 600" not in run("key", "show", key_file).stdout


def test_each_key_of_a_set_is_shown(run: Run, key: Key) -> None:
    other = Key.generate("Ed25519").to_jwk()
    del other["alg"]
    jwks = {"keys": [key.to_private_jwk(), other, {"kty": "new\x1b[0m", "alg": "\x1b[2J"}, {"kty": "new"}]}
    shown = run("key", "show", "-", given=json.dumps(jwks))
    assert shown.exit_code == 0, shown.output
    assert "Private key, JWK" in shown.stdout
    assert shown.stdout.count("Left out. ") == 2
    assert "fits" in shown.stdout
    assert "\x1b" not in shown.output
    assert len(json.loads(run("key", "show", "-", "--json", given=json.dumps(jwks)).stdout)) == 4
    assert run("key", "show", "-", "--private", given=json.dumps(jwks)).stdout.count('"d"') == 1
    for odd in ("[]", "5"):
        assert "Empty set" in run("key", "show", "-", given=f'{{"keys": {odd}}}').stdout
    assert run("key", "show", "-", given='{"keys": [5]}').exit_code == 0
    twice = run("key", "show", "-", given=json.dumps({"keys": [key.to_jwk()] * 2}))
    assert (twice.exit_code, "same 'kid'" in twice.stderr) == (2, True)


def test_a_weak_key_is_refused_with_the_remedy(run: Run) -> None:
    weak = {"kty": "RSA", "n": "_" * 170 + "8", "e": "AQAB"}
    shown = run("key", "show", "-", given=json.dumps(weak))
    assert shown.exit_code == 2
    assert "[weak_key]" in shown.stderr


@pytest.mark.parametrize(
    "given, options, words",
    [
        ("rubbish", (), "This is no JWK"),
        ("rubbish", ("--alg", "ES256"), "This is no JWK"),
        (b"\x30\x00\xff", (), "invalid_key"),
        ("{", (), "invalid_key"),
        ('{"kty":"EC","alg":5}', (), "'alg'"),
        ('{"kty":"EC","alg":"ES256"}', (), "invalid_key"),
        ('{"kty":"x"}', (), "No algorithm takes this key"),
        ("-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----", (), "invalid_key"),
        ("-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----", (), "invalid_key"),
        ("", (), "is empty"),
        ("  \n", (), "is empty"),
        (b"x" * 1_048_577, (), "larger than 1 MiB"),
    ],
)
def test_what_is_no_key_is_refused_in_one_line(
    run: Run, given: str | bytes, options: tuple[str, ...], words: str
) -> None:
    shown = run("key", "show", "-", *options, given=given)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert words in shown.stderr
    assert shown.stderr.count("\n") == 1


# convert and thumbprint


def test_a_key_goes_through_every_form_and_stays_the_same(
    run: Run, key: Key, key_file: str, tmp_path: Path
) -> None:
    env = {"P": "open sesame"}
    protect, unlock = ("--new-password-env", "P"), ("--password-env", "P")
    assert run("key", "convert", key_file, "--to", "pem", "--out", "a.pem", *protect, env=env).exit_code == 0
    assert b"ENCRYPTED" in (tmp_path / "a.pem").read_bytes()
    assert mode(tmp_path / "a.pem") == 0o600
    assert run("key", "convert", "a.pem", "--to", "der", "--out", "a.der", *unlock, env=env).exit_code == 0
    back = run("key", "convert", "a.der", "--to", "jwk", "--kid", "k1")
    assert Key.from_jwk(back.stdout).to_private_jwk() == key.to_private_jwk()
    public = run("key", "convert", "a.der", "--to", "der", "--public")
    assert public.stdout_bytes == key.to_der()
    assert run("key", "convert", key_file, "--to", "pem", "--public").stdout.encode() == key.to_pem()
    assert run("key", "convert", "-", "--to", "jwk", given=key.to_pem()).stdout.count('"d"') == 0
    prints = {run("key", "thumbprint", name).stdout for name in (key_file, "a.der")}
    assert prints == {f"{key.thumbprint()}\n"}


def test_a_jwk_needs_to_know_its_algorithm(run: Run) -> None:
    pem = Key.generate("PS256", bits=2048).to_pem()
    unclear = run("key", "convert", "-", "--to", "jwk", given=pem)
    assert (unclear.exit_code, "--alg" in unclear.stderr) == (2, True)
    named = run("key", "convert", "-", "--to", "jwk", "--alg", "PS256", given=pem)
    assert json.loads(named.stdout)["alg"] == "PS256"
    agreement = Key.generate("ECDH-ES", crv="X25519").to_pem()
    assert "ECDH-ES+A256KW" in run("key", "convert", "-", "--to", "jwk", given=agreement).stderr


def test_what_cannot_be_converted_is_refused(run: Run, key: Key, key_file: str) -> None:
    secret = json.dumps(Key.generate("HS256").to_private_jwk())
    assert "no other form" in run("key", "convert", "-", "--to", "pem", given=secret).stderr
    assert "no public half" in run("key", "convert", "-", "--to", "jwk", "--public", given=secret).stderr
    options = ("--to", "pem", "--public", "--new-password-env", "P")
    assert "Only a private key" in run("key", "convert", key_file, *options, env={"P": "open sesame"}).stderr
    assert run("key", "convert", key_file).exit_code == 2
    assert run("key", "convert", key_file, "--to", "pem", "--out", key_file).exit_code == 2
    edwards = Key.generate("Ed25519").to_private_jwk() | {"alg": "X"}
    assert (
        "[unsupported_algorithm]"
        in run("key", "convert", "-", "--to", "pem", given=json.dumps(edwards)).stderr
    )
    both = json.dumps({"keys": [key.to_jwk()]})
    assert "one key is needed" in run("key", "convert", "-", "--to", "pem", given=both).stderr


def test_a_thumbprint_can_be_a_uri_of_another_hash(run: Run, key: Key, key_file: str) -> None:
    assert run("key", "thumbprint", key_file, "--uri").stdout == f"{key.thumbprint_uri()}\n"
    assert run("key", "thumbprint", key_file, "--hash", "sha512").stdout == f"{key.thumbprint('sha512')}\n"
    env = {"K": json.dumps(key.to_jwk())}
    assert run("key", "thumbprint", "--key-env", "K", env=env).stdout == f"{key.thumbprint()}\n"


def test_the_thumbprint_of_a_secret_comes_with_a_warning(run: Run) -> None:
    secret = Key.generate("HS256")
    shown = run("key", "thumbprint", "-", given=json.dumps(secret.to_private_jwk()))
    assert shown.stdout == f"{secret.thumbprint()}\n"
    assert "keep it as secret" in shown.stderr


def test_a_key_that_fits_no_algorithm_is_refused(run: Run) -> None:
    short = {"kty": "oct", "k": "AAAA"}
    shown = run("key", "show", "-", given=json.dumps(short))
    assert (shown.exit_code, shown.stdout) == (2, "")


def test_a_file_that_may_not_be_read_is_named(
    run: Run, key_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    # As the system answers everybody but root, who may read everything and runs these tests in places.
    monkeypatch.setattr("builtins.open", denied)
    assert "you may not read it" in run("key", "show", key_file).stderr


# Advice


def advised(run: Run, *arguments: str, **more: Any) -> list[str]:
    """Return the command that turns a key into a JWK, as a shell would split it."""
    shown = run("key", "show", *arguments, **more).stdout
    (line,) = [line for line in shown.splitlines() if "key convert" in line and "--to jwk" in line]
    return shlex.split(line.partition("coatcheck ")[2])


@pytest.mark.parametrize(
    "alg, name, expected",
    [
        ("ES256", "ec.pem", "ES256"),
        ("ES384", "my key.pem", "ES384"),
        ("PS512", "-x.pem", "PS256"),
        ("Ed25519", "it's.pem", "Ed25519"),
        ("ECDH-ES", "x.pem", "ES256"),
    ],
)
def test_the_command_advised_can_be_run(
    run: Run, tmp_path: Path, alg: str, *, name: str, expected: str
) -> None:
    (tmp_path / name).write_bytes(Key.generate(alg).to_private_pem())
    command = advised(run, name if name[0] != "-" else f"./{name}")
    assert Key.from_jwk(run(*command).stdout).alg == expected


def test_the_command_advised_fits_where_the_key_is(run: Run, key: Key, tmp_path: Path) -> None:
    pem = key.to_pem().decode()
    assert advised(run, "-", given=pem)[2] == "-"
    assert advised(run, "--key-env", "K", env={"K": pem})[2:4] == ["--key-env", "K"]
    (tmp_path / "k").write_bytes(key.to_private_pem(password=b"open sesame"))
    locked = advised(run, "k", "--password-env", "P", env={"P": "open sesame"})
    assert locked[-1] == "--password-prompt"
    assert Origin("-k").argument == "./-k"
    encryption = {name: value for name, value in key.to_jwk().items() if name != "alg"} | {"use": "enc"}
    assert "ECDH" in advised(run, "-", given=json.dumps(encryption))[-1]
    in_set = run("key", "show", "-", given=json.dumps({"keys": [encryption]})).stdout
    assert 'Add "alg": "ECDH-ES' in in_set


@pytest.mark.parametrize("command", [("show",), ("thumbprint",), ("convert", "--to", "jwk")])
def test_a_key_that_is_missing_is_asked_for_by_its_name(run: Run, command: tuple[str, ...]) -> None:
    shown = run("key", *command)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "coatcheck: Give exactly one of: FILE, --key-env. [wrong_usage]\n"


# What people give in place of a key


def test_a_token_in_place_of_a_key_is_noticed(run: Run, token: str, key: Key) -> None:
    letter = jwe.encrypt(b"x", Key.generate("ECDH-ES"))
    for given in (token, letter, json.dumps(jws.sign_json(b"{}", key))):
        shown = run("key", "show", "-", given=given)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert "This is a token, not a key: coatcheck token inspect" in shown.stderr


def test_a_jwk_behind_a_byte_order_mark_is_read(run: Run, key: Key) -> None:
    shown = run("key", "show", "-", given=b"\xef\xbb\xbf" + json.dumps(key.to_jwk()).encode())
    assert "Public key, JWK" in shown.stdout


def certificate(days: int, name: str) -> x509.Certificate:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    start = datetime.fromtimestamp(NOW, UTC) - timedelta(days=10)
    builder = x509.CertificateBuilder(
        subject, subject, private.public_key(), 1, start, start + timedelta(days=days)
    )
    return builder.sign(private, hashes.SHA256())


@pytest.mark.parametrize("form, encoding", [("PEM", Encoding.PEM), ("DER", Encoding.DER)])
def test_a_certificate_is_shown_as_one(run: Run, form: str, encoding: Encoding) -> None:
    shown = run("key", "show", "-", given=certificate(30, "id.example\x1b[2J").public_bytes(encoding)).stdout
    assert f"Certificate, {form}" in shown
    assert "CN=id.example" in shown
    assert "\x1b" not in shown
    assert "2027-02-04 08:00:00 UTC" in shown
    assert "It expired" not in shown
    ended = run("key", "show", "-", "--json", given=certificate(5, "").public_bytes(encoding))
    report = json.loads(ended.stdout)
    assert (report["kind"], report["subject"]) == ("certificate", "nobody")
    assert "expired_certificate" in {finding["code"] for finding in report["findings"]}


# Files and names


def test_a_directory_in_place_of_a_file_is_called_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for force in ((), ("--force",)):
        shown = run("key", "generate", "ES256", "--out", "d", *force)
        assert (shown.exit_code, "'d' is a directory" in shown.stderr) == (2, True)
    os.mkfifo(tmp_path / "pipe")
    assert "no ordinary file" in run("key", "generate", "ES256", "--out", "pipe", "--force").stderr


def test_a_deprecated_algorithm_comes_with_a_note(run: Run) -> None:
    shown = run("key", "generate", "EdDSA")
    assert Key.from_jwk(shown.stdout, alg="EdDSA").is_private
    assert shown.stderr.startswith("EdDSA is deprecated: ")
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [("generate", "ES256"), ("convert", "-", "--to", "jwk")])
def test_an_empty_name_is_refused(run: Run, key: Key, command: tuple[str, ...]) -> None:
    shown = run("key", *command, "--kid", "", given=json.dumps(key.to_jwk()))
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "--kid is empty" in shown.stderr


def test_a_password_for_what_is_not_encrypted_is_named(run: Run, key: Key) -> None:
    shown = run(
        "key", "show", "-", "--password-env", "P", given=key.to_private_pem(), env={"P": "open sesame"}
    )
    assert (shown.exit_code, "[key_password]" in shown.stderr) == (2, True)
    without = run("key", "show", "-", given=key.to_private_pem(password=b"open sesame"))
    assert "needs its password. Give it with --password-env" in without.stderr
    assert "[key_password]" in without.stderr
