"""``coatcheck token encrypt`` and ``decrypt``: to a key, a secret or a password, and back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from coatcheck.jose import Key, jwe

Run = Callable[..., Result]
PASSWORD = "correct horse"


@pytest.fixture
def box(tmp_path: Path) -> Key:
    key = Key.generate("ECDH-ES+A256KW", crv="X25519")
    (tmp_path / "box.jwk").write_text(json.dumps(key.to_private_jwk()))
    (tmp_path / "box.pub").write_text(json.dumps(key.to_jwk()))
    return key


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize("content", [b"", b"text", b"\x00\xff\x1b[2J", b"x" * 10_000])
def test_what_was_encrypted_comes_back_octet_for_octet(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "content").write_bytes(content)
    token = run("token", "encrypt", "content", "--key", "box.pub", "--cty", "x").stdout.strip()
    assert token.count(".") == 4
    opened = run("token", "decrypt", "-", "--key", "box.jwk", given=token)
    assert opened.exit_code == 0
    assert opened.stdout_bytes == content
    assert (
        run(
            "token", "decrypt", token, "--key-env", "K", env={"K": (tmp_path / "box.jwk").read_text()}
        ).exit_code
        == 0
    )


@pytest.mark.parametrize("alg", [(), ("--alg", "PBES2-HS256+A128KW")])
def test_a_password_encrypts_and_decrypts(run: Run, alg: tuple[str, ...]) -> None:
    env = {"P": PASSWORD}
    token = run("token", "encrypt", "--password-env", "P", *alg, given=b"hidden", env=env).stdout.strip()
    for options in ((), alg):
        opened = run("token", "decrypt", token, "--password-env", "P", *options, env=env)
        assert opened.stdout == "hidden"
    wrong = run("token", "decrypt", token, "--password-env", "P", env={"P": "wrong horse"})
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "coatcheck: The token cannot be decrypted. [decryption_failed]\n",
    )


def test_a_new_password_is_asked_for_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PASSWORD, PASSWORD, PASSWORD, "another", ""])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    assert run("token", "encrypt", "--password-prompt", given=b"x").exit_code == 0
    assert "differ" in run("token", "encrypt", "--password-prompt", given=b"x").stderr
    assert "empty" in run("token", "decrypt", "a.b.c.d.e", "--password-prompt").stderr

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert "no terminal" in run("token", "decrypt", "a.b.c.d.e", "--password-prompt").stderr


def test_the_content_encryption_can_be_chosen_and_demanded(run: Run, box: Key) -> None:
    token = run("token", "encrypt", "--key", "box.pub", "--enc", "A128GCM", given=b"x").stdout.strip()
    assert jwe.decrypt(token, box).header.enc == "A128GCM"
    assert run("token", "decrypt", token, "--key", "box.jwk", "--enc", "A128GCM").exit_code == 0
    assert run("token", "decrypt", token, "--key", "box.jwk", "--enc", "A256GCM").exit_code == 1


def test_compressed_content_takes_a_limit(run: Run, box: Key) -> None:
    token = jwe.encrypt(b"x" * 100, box, compress=True)
    refused = run("token", "decrypt", token, "--key", "box.jwk")
    assert (refused.exit_code, "--max-decompressed" in refused.stderr) == (1, True)
    assert run("token", "decrypt", token, "--key", "box.jwk", "--max-decompressed", "100").stdout == "x" * 100
    assert run("token", "decrypt", token, "--key", "box.jwk", "--max-decompressed", "0").exit_code == 2


def test_the_json_serialisation_is_decrypted_too(run: Run, box: Key) -> None:
    token = json.dumps(jwe.encrypt_json(b"x", [box]))
    assert run("token", "decrypt", "-", "--key", "box.jwk", given=token).stdout == "x"


@pytest.mark.parametrize("command", [("encrypt",), ("decrypt", "a.b.c.d.e")])
def test_a_key_or_a_password_is_needed(run: Run, command: tuple[str, ...]) -> None:
    shown = run("token", *command, given=b"x")
    assert shown.exit_code == 2
    assert "--password-env" in shown.stderr
    both = run("token", *command, "--password-env", "P", "--password-prompt", env={"P": PASSWORD})
    assert "exactly one" in both.stderr


@pytest.mark.usefixtures("box")
def test_a_jwk_takes_no_password(run: Run) -> None:
    shown = run(
        "token", "encrypt", "--key", "box.pub", "--password-env", "P", given=b"x", env={"P": PASSWORD}
    )
    assert (shown.exit_code, "leave the password out" in shown.stderr) == (2, True)


def test_only_one_thing_comes_from_standard_input(run: Run) -> None:
    assert "Only one thing" in run("token", "encrypt", "-", "--key", "-", given=b"x").stderr
    assert "Only one thing" in run("token", "decrypt", "-", "--key", "-", given=b"x").stderr


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    "content, status, shown",
    [(b"a\x1b[2Jb\nc", 0, "a\\x1b[2Jb\nc\n"), (b"\xff\xfe", 2, "")],
)
def test_a_person_sees_only_harmless_text(
    run: Run, monkeypatch: pytest.MonkeyPatch, content: bytes, status: int, shown: str
) -> None:
    token = run("token", "encrypt", "--key", "box.pub", given=content).stdout.strip()
    monkeypatch.setattr("coatcheck.cli.sinks.is_terminal", lambda: True)
    opened = run("token", "decrypt", token, "--key", "box.jwk")
    assert (opened.exit_code, opened.stdout) == (status, shown)
