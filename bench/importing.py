"""What it costs to import each library, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from bench.harness import Row, Timing
from bench.peers.base import Peer

PRIMITIVES = "cryptography and its primitives"
_STATEMENTS = {
    "cryptography": "import cryptography",
    # What any library of this kind needs of it.
    PRIMITIVES: (
        "import cryptography.exceptions\n"
        "from cryptography.hazmat.primitives import constant_time, hashes, hmac, keywrap, padding\n"
        "from cryptography.hazmat.primitives import serialization\n"
        "from cryptography.hazmat.primitives.asymmetric import ec, ed25519, ed448, rsa, utils, x25519, x448\n"
        "from cryptography.hazmat.primitives.asymmetric import padding as asymmetric_padding\n"
        "from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes\n"
        "from cryptography.hazmat.primitives.kdf import concatkdf, pbkdf2\n"
    ),
}
_PROGRAM = """\
from time import perf_counter
start = perf_counter()
{statement}
print(perf_counter() - start)
"""


def time_imports(peers: Sequence[Peer], runs: int) -> Row:
    """Import everything ``runs`` times in turn, A B C A B C, each time in a new process.

    Only the statement is timed, not the start of the interpreter. Bytecode is cached beforehand.
    """
    statements = _STATEMENTS | {peer.name: peer.import_statement for peer in peers}
    failures: dict[str, str] = {}
    for name, statement in list(statements.items()):
        try:
            _import_once(statement)
        except subprocess.CalledProcessError as error:
            failures[name] = error.stderr.strip().rpartition("\n")[2]
            del statements[name]
    rounds = [[_import_once(statement) for statement in statements.values()] for _ in range(runs)]
    timings = tuple(
        Timing(name, samples) for name, samples in zip(statements, zip(*rounds, strict=True), strict=True)
    )
    return Row("import", timings, failures)


def _import_once(statement: str) -> float:
    """Microseconds for one import in a new interpreter."""
    program = _PROGRAM.format(statement=statement)
    done = subprocess.run(  # noqa: S603 -- runs this interpreter on the program above
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout) * 1e6
