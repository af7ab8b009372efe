"""``python -m bench.scale.cheap …`` is ``coatcheck …`` in which production may hash as cheaply as nobody should.

With argon2id as it has to be, nothing else of a sign-in could be seen. Imported, it does the same for this process; so
do the workers, which import what they were started by.
"""

from __future__ import annotations

from collections.abc import Mapping

from coatcheck.cli import main
from coatcheck.server import setting_rules

CHEAP: Mapping[str, str] = {
    "COATCHECK_ARGON2_TIME_COST": "1",
    "COATCHECK_ARGON2_MEMORY_KIB": "64",
    "COATCHECK_ARGON2_PARALLELISM": "1",
}

vars(setting_rules)["_ARGON2_FLOOR"] = dict.fromkeys(range(1, 6), 64)

if __name__ == "__main__":
    main()
