"""``coatcheck token sign``: the claims named, by the key named, and nothing more."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from coatcheck.jose import Key, jwt
from coatcheck.jose.hazmat import read_unverified

NOW = 1_800_000_000
Run = Callable[..., Result]


def signed(run: Run, *options: str, **more: Any) -> Any:
    issuer = () if "--issuer" in options else ("--no-issuer",)
    shown = run("token", "sign", *options, *issuer, **more)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("\n") == 1
    return read_unverified(shown.stdout.strip())


def test_a_signed_token_verifies(run: Run, key: Key, key_file: str) -> None:
    shown = run("token", "sign", "--key", key_file, "--issuer", "i", "--audience", "a", "--subject", "s")
    verifier = jwt.Verifier(key.public(), issuer="i", audience="a")
    assert verifier.verify(shown.stdout.strip(), now=NOW).claims.sub == "s"


def test_claims_come_from_options_and_a_document(run: Run, key_file: str, tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text('{"roles": ["a"], "jti": "1"}')
    token = signed(
        run,
        *("--key", key_file, "--claims", "claims.json", "--audience", "a", "--audience", "b"),
        *("--lifetime", "1h30m", "--typ", "at+jwt", "--kid", "other", "--at", "2026-01-01T00:00:00+01:00"),
        *("--claim", "admin=true", "--claim", "n=5", "--claim", "text=a=b", "--claim", "odd=NaN"),
        *("--claim", 'object={"x": [1]}', "--claim", "empty="),
    )
    assert token.header == {"alg": "ES256", "kid": "other", "typ": "at+jwt"}
    issued = 1_767_222_000
    assert token.claims == {
        "aud": ["a", "b"],
        "iat": issued,
        "exp": issued + 5400,
        "roles": ["a"],
        "jti": "1",
        "admin": True,
        "n": 5,
        "text": "a=b",
        "odd": "NaN",
        "object": {"x": [1]},
        "empty": "",
    }


def test_key_and_claims_come_from_input_or_environment(run: Run, key: Key, key_file: str) -> None:
    jwk = json.dumps(key.to_private_jwk())
    assert signed(run, "--key", "-", given=jwk).claims == {"iat": NOW, "exp": NOW + 300}
    assert signed(run, "--key-env", "K", env={"K": jwk}).claims == {"iat": NOW, "exp": NOW + 300}
    assert signed(run, "--key", key_file, "--claims", "-", given='{"a":1}').claims["a"] == 1


def test_a_raw_secret_signs_if_its_algorithm_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\x30" + b"k" * 40 + b"\r\n")
    shown = run("token", "sign", "--key", "secret", "--alg", "HS256", "--no-issuer")
    verifier = jwt.Verifier(Key.from_secret(b"\x30" + b"k" * 40, "HS256"), issuer=None, audience=None)
    assert verifier.verify(shown.stdout.strip(), now=NOW).claims.exp == NOW + 300


@pytest.mark.parametrize("form", ["pem", "der"])
def test_an_encrypted_key_signs_with_its_password(
    run: Run, key: Key, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = key.to_private_pem if form == "pem" else key.to_private_der
    (tmp_path / "k").write_bytes(write(password=b"open sesame"))
    (tmp_path / "p").write_bytes(b"open sesame\n")
    assert signed(run, "--key", "k", "--password-env", "P", env={"P": "open sesame"})
    assert signed(run, "--key", "k", "--password-file", "p")
    assert signed(run, "--key", "k", "--password-file", "-", given="open sesame")
    monkeypatch.setattr("getpass.getpass", lambda _: "open sesame")
    assert signed(run, "--key", "k", "--password-prompt")
    without = run("token", "sign", "--key", "k")
    assert without.exit_code == 2
    assert "--password-env" in without.stderr
    monkeypatch.setattr("coatcheck.cli.key_text.is_terminal", lambda: True)
    assert signed(run, "--key", "k")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--claim", "x"), "NAME=VALUE"),
        (("--claim", "=x"), "NAME=VALUE"),
        (("--claim", "a=1", "--claim", "a=2"), "twice"),
        (("--claim", "sub=1", "--subject", "s"), "twice"),
        (("--claim", "aud=5"), "aud"),
        (("--claims", "-"), "empty"),
        (("--lifetime", "0s"), "second"),
        (("--lifetime", "999999999w"), "too long"),
        (("--lifetime", "1y"), "span"),
        (("--at", "99999999999"), ""),
        (("--typ", ""), "typ"),
        (("--alg", "ES384"), "ES256"),
    ],
)
def test_a_mistake_ends_with_status_2_and_one_line(
    run: Run, key_file: str, arguments: tuple[str, ...], words: str
) -> None:
    shown = run("token", "sign", "--key", key_file, "--no-issuer", *arguments)
    if words:
        assert shown.exit_code == 2
        assert words in shown.stderr
        assert shown.stderr.count("\n") == 1
        assert shown.stdout == ""


@pytest.mark.parametrize("document", ["[]", '{"a":1,"a":2}', "{", '{"a":' * 40 + "1" + "}" * 40])
def test_claims_that_are_no_object_are_refused(run: Run, key_file: str, document: str) -> None:
    shown = run("token", "sign", "--key", key_file, "--claims", "-", given=document)
    assert shown.exit_code == 2
    assert "The claims cannot be read" in shown.stderr


def test_a_key_for_encryption_cannot_sign(run: Run) -> None:
    pem = Key.generate("ECDH-ES", crv="X25519").to_private_pem()
    shown = run("token", "sign", "--key", "-", given=pem)
    assert (shown.exit_code, "No algorithm for signatures" in shown.stderr) == (2, True)


def test_a_public_key_or_a_set_cannot_sign(run: Run, key: Key) -> None:
    public = run("token", "sign", "--key", "-", "--no-issuer", given=json.dumps(key.to_jwk()))
    assert (public.exit_code, "[wrong_key_use]" in public.stderr) == (2, True)
    several = run(
        "token", "sign", "--key", "-", "--no-issuer", given=json.dumps({"keys": [key.to_private_jwk()]})
    )
    assert "one key is needed" in several.stderr


def test_a_token_without_an_issuer_takes_a_word(run: Run, key_file: str) -> None:
    missing = run("token", "sign", "--key", key_file)
    assert (missing.exit_code, "--no-issuer" in missing.stderr) == (2, True)
    both = run("token", "sign", "--key", key_file, "--issuer", "i", "--no-issuer")
    assert both.exit_code == 2
    stated = run("token", "sign", "--key", key_file, "--claim", "iss=i")
    assert read_unverified(stated.stdout.strip()).claims["iss"] == "i"


@pytest.mark.parametrize("option", ["--issuer", "--audience", "--kid"])
def test_an_empty_name_is_refused(run: Run, key_file: str, option: str) -> None:
    shown = run("token", "sign", "--key", key_file, option, "")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"{option} is empty" in shown.stderr


BINARY = bytes(range(128, 160)) + b"\x20\x0a"


@pytest.mark.parametrize(
    "content, encoding, secret",
    [
        (BINARY, (), BINARY),
        (b"{" + BINARY, (), b"{" + BINARY),
        (BINARY[:-1] + b"\r\n", (), BINARY[:-1] + b"\r\n"),
        (b"\n" + BINARY, ("--secret-encoding", "raw"), b"\n" + BINARY),
        (b" " + b"k" * 40 + b" \r\n", (), b"k" * 40),
        (b"\xef\xbb\xbf" + b"k" * 40 + b"\n", (), b"k" * 40),
        (b"\xff\xfe" + BINARY, (), b"\xff\xfe" + BINARY),
        (b"\xff\xfe" + b"\x01\x00\x02\x00" * 9, (), b"\xff\xfe" + b"\x01\x00\x02\x00" * 9),
        (b"\xff\xfe" + b"k" * 41, (), b"\xff\xfe" + b"k" * 41),
        (BINARY.hex().encode() + b"\n", ("--secret-encoding", "hex"), BINARY),
        (base64.b64encode(BINARY) + b"\n", ("--secret-encoding", "base64"), BINARY),
        (base64.urlsafe_b64encode(BINARY).rstrip(b"="), ("--secret-encoding", "base64url"), BINARY),
    ],
)
def test_a_secret_is_taken_octet_for_octet(
    run: Run, tmp_path: Path, content: bytes, encoding: tuple[str, ...], *, secret: bytes
) -> None:
    (tmp_path / "secret").write_bytes(content)
    options = ("--key", "secret", "--alg", "HS256", *encoding)
    token = run("token", "sign", *options, "--no-issuer").stdout.strip()
    verifier = jwt.Verifier(Key.from_secret(secret, "HS256"), issuer=None, audience=None)
    assert verifier.verify(token, now=NOW).key.is_symmetric
    assert run("token", "verify", token, *options).exit_code == 0
    assert run("token", "inspect", token, *options).exit_code == 0
    assert "Secret, raw octets" in run("key", "show", *options[1:]).stdout
    assert Key.from_jwk(run("key", "convert", *options[1:], "--to", "jwk").stdout).alg == "HS256"
    assert run("key", "thumbprint", *options[1:]).exit_code == 0


def test_every_secret_encrypts_and_decrypts(run: Run) -> None:
    options = ("--key-env", "S", "--alg", "A256GCM", "--secret-encoding", "hex")
    env = {"S": "0a" * 31 + "0b"}
    letter = run("token", "encrypt", *options, given="x", env=env).stdout
    assert run("token", "decrypt", *options, given=letter, env=env).stdout == "x"


@pytest.mark.parametrize(
    "content, options, words",
    [
        ("xyz", ("--alg", "HS256", "--secret-encoding", "hex"), "is not written in hex"),
        ("a+b/", ("--alg", "HS256", "--secret-encoding", "base64url"), "is not written in base64url"),
        ("ä", ("--alg", "HS256", "--secret-encoding", "base64"), "is not written in base64"),
        ("00", ("--secret-encoding", "hex"), "name its algorithm"),
        ("00", ("--alg", "ES256", "--secret-encoding", "hex"), "name its algorithm"),
    ],
)
def test_a_secret_that_is_not_as_it_was_said_to_be_is_refused(
    run: Run, content: str, options: tuple[str, ...], words: str
) -> None:
    shown = run("key", "show", "-", *options, given=content)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert words in shown.stderr


def test_a_secret_in_a_jwk_is_read_as_one_although_its_algorithm_is_named(run: Run) -> None:
    secret = Key.generate("HS256")
    shown = run(
        *("token", "sign", "--key", "-", "--alg", "HS256", "--no-issuer"),
        given=json.dumps(secret.to_private_jwk()),
    )
    verifier = jwt.Verifier(secret, issuer=None, audience=None)
    assert verifier.verify(shown.stdout.strip(), now=NOW).key.alg == "HS256"
