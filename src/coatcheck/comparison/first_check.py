"""The first check of a token in a new process: ``python -m coatcheck.comparison.first_check``.

Its input is JSON: the keys, what is demanded and a token. Its output is how long it took, in seconds: to load the
modules, and then from the key's text to the verified token.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter_ns

__all__ = ["main"]


def main() -> None:
    """Check one token, and say how long it took."""
    told = json.load(sys.stdin)
    began = perf_counter_ns()
    from ..jose import Key, Limits, jwt  # noqa: PLC0415 - this is timed

    loaded = perf_counter_ns()
    secret = told["decrypt"]
    verifier = jwt.Verifier(
        Key.from_jwk(told["key"]),
        issuer=told["issuer"],
        audience=told["audience"],
        claims=dict,
        typ=told["typ"],
        decrypt_with=None if secret is None else Key.from_jwk(secret),
        limits=Limits(token=told["longest"]),
    )
    verifier.verify(told["token"])
    done = perf_counter_ns()
    json.dump({"import": (loaded - began) / 1e9, "check": (done - loaded) / 1e9}, sys.stdout)


if __name__ == "__main__":
    main()
