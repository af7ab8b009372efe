"""What keys and verifiers weigh: the objects Python counts, and what the process really grows by.

OpenSSL allocates behind Python's back, so tracemalloc sees only part of a key; the growth of the process over
thousands of them shows the rest. Each subject is weighed in a process of its own, which is
``python -m bench.memory MODULE SUBJECT COUNT``.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.bare import primitives
from bench.material import Material, claims_ring, material, protected_header
from bench.peers import load_peer
from bench.signatures import make_token

SUBJECTS = ("HS256 secret", "RS256 public", "ES256 public", "ES256 private", "ES256 verifier")
_TRACED = 500
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Weight:
    """Bytes per object; ``resident`` is None where the system does not tell."""

    traced: float
    resident: float | None


Weights = dict[tuple[str, str], Weight | str]
"""By library and subject; text says why there is none."""


def weigh_all(modules: Sequence[str], *, count: int) -> Weights:
    """Weigh ``count`` of every subject of every library, each in a process of its own."""
    pairs = [(module, subject) for module in modules for subject in SUBJECTS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda pair: _weigh_elsewhere(pair[0], pair[1], count), pairs)
        return dict(zip(pairs, found, strict=True))


def _weigh_elsewhere(module: str, subject: str, count: int) -> Weight | str:
    command = [sys.executable, "-W", "ignore", "-m", "bench.memory", module, subject, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- this very module
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    return Weight(**json.loads(done.stdout))


def _weigh(build: Callable[[], object], count: int) -> Weight:
    warm = [build() for _ in range(20)]  # what exists once, such as caches, is not what is weighed
    gc.collect()
    before = _resident()
    kept = [build() for _ in range(count)]
    gc.collect()
    after = _resident()
    resident = None if before is None or after is None else (after - before) / len(kept)
    del kept
    gc.collect()
    tracemalloc.start()
    traced = [build() for _ in range(_TRACED)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del warm
    return Weight(size / len(traced), resident)


def _resident() -> int | None:
    """Bytes of this process in memory."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _builder(module: str, subject: str) -> Callable[[], object]:
    peer = load_peer(module)
    alg, kind = subject.split()
    key = material(alg)
    if kind != "verifier":
        return lambda: peer.load_key(alg, _own_copy(key), private=kind == "private")
    token = make_token(primitives(alg)[0], alg, protected_header(alg), claims_ring()[0])

    def build() -> object:
        verify = peer.verifier(alg, key)
        verify(token)  # some state comes to be only when it is first used
        return verify

    return build


def _own_copy(key: Material) -> Material:
    """The same key with its secret, if it has one, in memory of its own."""
    return replace(key, secret=bytes(bytearray(key.secret)))


if __name__ == "__main__":
    print(json.dumps(asdict(_weigh(_builder(sys.argv[1], sys.argv[2]), int(sys.argv[3])))))
