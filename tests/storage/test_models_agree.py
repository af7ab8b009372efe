"""Whatever is done to them, the storage in memory and the one in SQLite answer alike."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coatcheck.accounts.model import LinkPurpose
from coatcheck.flows.ports import Records, Storage
from coatcheck.oauth.model import HolderKind, Permission
from coatcheck.revocation.model import KINDS, START, Draft, Entry, Position
from coatcheck.storage.conformance.samples import (
    NOW,
    a_client,
    a_draft,
    a_key,
    a_link,
    a_mail,
    a_role,
    a_service,
    a_session,
    a_token,
    a_user,
    an_api,
    an_initial_access_token,
    digest_of,
)
from coatcheck.storage.errors import RecordConflictError
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.sqlite import SQLiteStorage

Operation = Callable[[Records], Awaitable[Any]]

# Few names, so that operations meet: the same user, the same session, the same address.
NAMES = ("a", "b", "c")
HOLDERS: tuple[HolderKind, ...] = ("user", "role", "client")
names = st.sampled_from(NAMES)
times = st.integers(0, 40).map(lambda number: NOW + number / 4)
limits = st.integers(0, 3)
purposes = st.sampled_from(LinkPurpose)
digests = st.none() | names.map(lambda name: digest_of(f"session {name}"))
users = st.builds(
    lambda name, email, at: a_user(name, email_key=f"{email}@example.com", password_changed_at=at),
    *(names, names, times),
)
sessions = st.builds(
    lambda name, user, digest, seen, idle: a_session(
        name,
        user_id=f"user-{user}",
        digest=digest,
        last_seen_at=seen,
        idle_timeout=idle / 4,
        expires_at=NOW + 8,
    ),
    *(names, names, digests, times, st.integers(0, 40)),
)

drafts = st.builds(
    lambda name, kind, cutoff, until: a_draft(name, kind=kind, cutoff=cutoff, until=until),
    *(names, st.sampled_from(KINDS), st.none() | times, times),
)
services = st.builds(
    lambda name, digest, called: a_service(name, digest=digest_of(digest), name=called),
    *(names, names, names),
)

permissions = st.builds(
    lambda kind, holder, api, scopes: Permission(
        kind=kind, holder=f"{kind}-{holder}", audience=f"https://{api}.example", scopes=scopes
    ),
    *(st.sampled_from(HOLDERS), names, names, st.frozensets(names)),
)

operations: st.SearchStrategy[Operation] = st.one_of(
    users.map(lambda user: lambda records: records.add_user(user)),
    st.tuples(users, users).map(lambda two: lambda records: records.replace_user(two[0], expected=two[1])),
    names.map(lambda name: lambda records: records.delete_user(f"user-{name}")),
    sessions.map(lambda session: lambda records: records.add_session(session)),
    st.tuples(names, digests, digests, sessions).map(
        lambda four: (
            lambda records: records.renew_session(
                f"session-{four[0]}", old_digest=four[1], new_digest=four[2], session=four[3]
            )
        )
    ),
    st.tuples(names, times).map(
        lambda two: lambda records: records.touch_session(f"session-{two[0]}", two[1])
    ),
    st.tuples(names, st.integers(0, 3)).map(
        lambda two: (
            lambda records: records.write_session_data(f"session-{two[0]}", b"[%d]" % two[1], revision=two[1])
        )
    ),
    st.lists(names).map(
        lambda several: lambda records: records.delete_sessions([f"session-{name}" for name in several])
    ),
    st.tuples(names, names).map(
        lambda two: lambda records: records.add_refresh_token(a_token(two[0], session_id=f"session-{two[1]}"))
    ),
    st.tuples(names, times).map(
        lambda two: (
            lambda records: records.rotate_refresh_token(
                digest_of(f"token {two[0]}"), at=two[1], sealed_successor=b"next"
            )
        )
    ),
    st.tuples(names, purposes, st.none() | names, names, times).map(
        lambda five: (
            lambda records: records.add_link(
                a_link(
                    five[0],
                    purpose=five[1],
                    user_id=five[2] and f"user-{five[2]}",
                    email_key=five[3],
                    expires_at=five[4],
                )
            )
        )
    ),
    st.tuples(names, purposes).map(
        lambda two: lambda records: records.consume_link(digest_of(f"link {two[0]}"), two[1])
    ),
    st.tuples(st.none() | names, st.none() | names).map(
        lambda two: (
            lambda records: records.delete_links(user_id=two[0] and f"user-{two[0]}", email_key=two[1])
        )
    ),
    st.dictionaries(names, times).map(lambda each: lambda records: records.write_throttles(each)),
    st.lists(names).map(lambda several: lambda records: records.delete_throttles(several)),
    st.tuples(names, times).map(lambda two: lambda records: records.add_mail(a_mail(two[0], due_at=two[1]))),
    st.tuples(times, times).map(lambda two: lambda records: records.claim_mail(two[0], until=two[1])),
    names.map(lambda name: lambda records: records.delete_mail(f"mail-{name}")),
    st.tuples(names, times).map(
        lambda two: lambda records: records.add_key(a_key(two[0], created_at=two[1]))
    ),
    st.tuples(names, times).map(
        lambda two: lambda records: records.retire_key(f"key-{two[0]}", verifies_until=two[1])
    ),
    times.map(lambda now: lambda records: records.delete_retired_keys(now)),
    # Behind what was rolled back, one may go on counting where the other does not: only the order is promised.
    st.lists(drafts, max_size=4).map(
        lambda several: lambda records: _without_numbers(records.append_entries(several))
    ),
    st.tuples(times, limits).map(
        lambda two: lambda records: records.delete_expired_entries(two[0], limit=two[1])
    ),
    names.map(lambda name: lambda records: records.add_client(a_client(name))),
    names.map(lambda name: lambda records: records.replace_client(a_client(name, name="Changed"))),
    names.map(lambda name: lambda records: records.delete_client(f"client-{name}")),
    names.map(lambda name: lambda records: records.add_api(an_api(name))),
    names.map(lambda name: lambda records: records.delete_api(f"https://{name}.example")),
    names.map(lambda name: lambda records: records.add_role(a_role(name))),
    names.map(lambda name: lambda records: records.delete_role(f"role-{name}")),
    st.tuples(names, names).map(
        lambda two: lambda records: records.add_member(f"role-{two[0]}", f"user-{two[1]}")
    ),
    st.tuples(names, names).map(
        lambda two: lambda records: records.remove_member(f"role-{two[0]}", f"user-{two[1]}")
    ),
    permissions.map(lambda permission: lambda records: records.put_permission(permission)),
    st.tuples(names, st.none() | times, st.none() | limits).map(
        lambda three: (
            lambda records: records.add_initial_access_token(
                an_initial_access_token(three[0], expires_at=three[1], uses_left=three[2])
            )
        )
    ),
    st.tuples(names, times).map(
        lambda two: (
            lambda records: records.use_initial_access_token(
                digest_of(f"initial access token {two[0]}"), at=two[1]
            )
        )
    ),
    names.map(lambda name: lambda records: records.delete_initial_access_token(f"initial-{name}")),
    services.map(lambda service: lambda records: records.add_service(service)),
    names.map(lambda name: lambda records: records.delete_service(name)),
    st.tuples(st.lists(names), times, times).map(
        lambda three: (
            lambda records: records.shorten_sessions(
                [f"session-{name}" for name in three[0]],
                lifetime=three[1] - NOW,
                idle_timeout=three[2] - NOW,
            )
        )
    ),
    # Whatever ends at the same time may be deleted in any order, so all of it is.
    times.map(lambda now: lambda records: records.delete_expired_sessions(now, limit=99)),
    times.map(lambda now: lambda records: records.delete_expired_links(now, limit=99)),
    times.map(lambda now: lambda records: records.delete_expired_throttles(now, limit=99)),
    limits.map(lambda limit: lambda records: records.delete_expired_sessions(NOW - 1, limit=limit)),
)


async def _without_numbers(appending: Awaitable[list[Entry]]) -> list[Draft]:
    return [msgspec.convert(entry, Draft, from_attributes=True) for entry in await appending]


async def ledger(records: Records) -> list[object]:
    """The ledger and all that can be asked of it, without the numbers."""
    entries = await records.list_entries(after=0, limit=999)
    numbers = [entry.seq for entry in entries]
    assert numbers == sorted(set(numbers))
    head = await records.ledger_head()
    assert head == (Position(entries[-1].seq, entries[-1].mark) if entries else START)
    assert [await records.find_mark(seq) for seq in numbers] == [entry.mark for entry in entries]
    half = numbers[len(numbers) // 2] if numbers else 0
    behind = await records.list_entries(after=half, limit=2)
    assert behind == [entry for entry in entries if entry.seq > half][:2]
    return [msgspec.convert(entry, Draft, from_attributes=True) for entry in entries]


async def outcome(operation: Operation, records: Records) -> object:
    try:
        return await operation(records)
    except RecordConflictError:
        return RecordConflictError


async def everything(records: Records) -> bytes:
    """All that can be read, as one text."""
    found: list[object] = [
        await records.list_users(),
        await records.list_users(after="a@example.com", limit=1),
        await records.list_keys(),
        sorted((await records.read_throttles(NAMES)).items()),
        await ledger(records),
        await records.list_services(),
        await records.list_clients(after="client-a", limit=1),
        await records.list_apis(),
        await records.list_roles(),
        await records.list_permissions(),
        await records.list_initial_access_tokens(),
        await records.list_longer_sessions(lifetime=5.0, idle_timeout=4.0, after="session-a", limit=1),
    ]
    for name in NAMES:
        found += [
            await records.find_user(f"user-{name}"),
            await records.find_user_by_email(f"{name}@example.com"),
            await records.list_sessions(f"user-{name}"),
            await records.find_session(f"session-{name}"),
            await records.find_session_by_digest(digest_of(f"session {name}")),
            await records.find_refresh_token(digest_of(f"token {name}")),
            await records.find_service_by_digest(digest_of(name)),
            await records.find_client(f"client-{name}"),
            await records.list_members(f"role-{name}"),
            await records.list_roles_of(f"user-{name}"),
            await records.list_permissions(audience=f"https://{name}.example"),
            *[await records.list_permissions(kind=kind, holder=f"{kind}-{name}") for kind in HOLDERS],
            *[sorted(await records.user_scopes(f"user-{name}", f"https://{api}.example")) for api in NAMES],
            *[await records.find_link(digest_of(f"link {name}"), purpose) for purpose in LinkPurpose],
        ]
    return msgspec.json.encode(found, order="deterministic")


async def transact(storage: Storage, steps: list[Operation], *, keep: bool) -> list[object]:
    """Run operations in one transaction and return what they and all reads answer in it."""
    answers: list[object] = []
    with contextlib.suppress(InterruptedError):
        async with storage.transaction() as records:
            for step in steps:
                answers += [await outcome(step, records), await everything(records)]
            if not keep:
                raise InterruptedError
    return answers


class Agreement(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.memory = MemoryStorage()
        self.sqlite = SQLiteStorage(Path(self.directory.name) / "coatcheck.db")

    def both(self, what: Callable[[Storage], Awaitable[object]]) -> tuple[object, object]:
        async def ask() -> tuple[object, object]:
            return await what(self.memory), await what(self.sqlite)

        return self.runner.run(ask())

    @rule(operation=operations)
    def operate(self, operation: Operation) -> None:
        before = self.everything(), self.versions()
        ours, theirs = self.both(lambda storage: outcome(operation, storage.records))
        assert ours == theirs
        for old, new in zip(before[1], self.versions(), strict=True):
            assert new != old or self.everything() == before[0]

    @rule(steps=st.lists(operations, max_size=5), keep=st.booleans())
    def operate_in_a_transaction(self, steps: list[Operation], *, keep: bool) -> None:
        before = self.everything()
        ours, theirs = self.both(lambda storage: transact(storage, steps, keep=keep))
        assert ours == theirs
        assert keep or self.everything() == before

    def versions(self) -> tuple[int, int]:
        return self.memory.version(), self.sqlite.version()

    def everything(self) -> object:
        return self.both(lambda storage: everything(storage.records))[1]

    @invariant()
    def they_answer_alike(self) -> None:
        ours, theirs = self.both(lambda storage: everything(storage.records))
        assert ours == theirs

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.directory.cleanup()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=30, stateful_step_count=30)
