"""What ending all sessions costs in SQLite, told by what it touches rather than by a stopwatch."""

import asyncio
from contextlib import closing
from pathlib import Path

from coatcheck.storage.conformance.samples import NOW, a_session, a_user, digest_of
from coatcheck.storage.sql import sessions
from coatcheck.storage.sqlite import SQLiteStorage
from coatcheck.storage.sqlite.opening import open_connections


def test_all_sessions_end_by_the_change_of_one_row_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "coatcheck.db"

    async def fill_and_end() -> int:
        storage = SQLiteStorage(path)
        async with storage.transaction() as records:
            await records.add_user(a_user())
            for number in range(300):
                await records.add_session(a_session(f"{number}"))
        before = storage._writer.connection._raw.total_changes
        async with storage.transaction() as records:
            assert await records.delete_all_sessions(NOW + 3) == 300
        changed = storage._writer.connection._raw.total_changes - before
        await storage.close()
        return changed

    assert asyncio.run(fill_and_end()) == 1


def test_a_session_is_never_searched_for_among_all_of_its_generation(tmp_path: Path) -> None:
    """Its index would be taken for a good one, since it knows nothing of how many there are."""
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    parameters = {"user_id": "u", "id": "i", "digest": digest_of("d")}
    with closing(reader), closing(writer):
        for statement in (sessions._LIST, sessions._FIND, sessions._FIND_BY_DIGEST):
            steps = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in steps if "sessions_by_end" in step], steps
