"""Status lists (draft-ietf-oauth-status-list-21): a public list in which a bit tells whether a token was revoked.

Every token gets a place in the list of its day. The lists are the ledger in another form: whatever it says of tokens
that are alive is in their bits. Memory holds the bits and nothing else; which places an entry of the ledger concerns is
looked up in the storage. After a restart the bits come about in the same way, from the entries that are kept, because
an entry is kept for as long as any token that it concerns is alive.

A token may be added to the storage just after the ledger has voided it. Whoever adds it sees that, for transactions of
one user are serial, and notes it with the token.
"""

from __future__ import annotations

import asyncio
import gzip
import math
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import blake2b
from typing import Final

import msgspec

from .._core import base64url
from .._core.secrets import Sealer, digest, new_identifier
from ..revocation.model import Entry, Facts
from ..revocation.registry import Registry
from ..revocation.status_list import StatusArray, StatusClaim, StatusReference, scatter
from .context import Context
from .model import Status, StatusList
from .ports import Records

__all__ = ["StatusListPolicy", "StatusListToken", "StatusLists"]

_TYPE: Final = "statuslist+jwt"
_CONTEXT = "status-place"
_NEXT_LIST: Final = "the next status list"  # whose transactions are those that may make one
_MOST_PENDING = 10_000
_BATCH = 5_000


class StatusListPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The tunables of the status lists.

    Attributes:
        uri: Where the lists are listed; each is below.
        size: How many places a list has, a multiple of 8. Half of them are never given: it tells nobody how many tokens
            there are, and keeps small sites from lists in which every token can be told from every other.
        period: For how long one list takes tokens.
        ttl: For how long a copy may be used before it is fetched again.
        lifetime: For how long a copy is good at all.
        pause: How often a list is signed at most, however often it changes.
    """

    uri: str
    size: int = 2**20
    period: timedelta = timedelta(days=1)
    ttl: timedelta = timedelta(minutes=1)
    lifetime: timedelta = timedelta(minutes=5)
    pause: timedelta = timedelta(seconds=1)


class StatusListToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A list, signed.

    Attributes:
        octets: The compact JWS.
        compressed: The same, with gzip.
        etag: What tells it from another (RFC 9110 section 8.8.3).
        signed_at: When it was signed.
        fresh_until: Until when a copy may be used before it is fetched again.
    """

    octets: bytes
    compressed: bytes
    etag: str
    signed_at: float
    fresh_until: float

    def __repr__(self) -> str:
        return f"<StatusListToken {self.etag}>"


class _Held:
    """A list in memory."""

    __slots__ = ("array", "changed", "token")

    def __init__(self, size: int) -> None:
        self.array = StatusArray(size)
        self.changed = False
        self.token: StatusListToken | None = None

    def void(self, place: int) -> None:
        self.changed |= self.array.set(place)


class StatusLists:
    """Gives tokens their places, and says which of them are void."""

    def __init__(self, context: Context, policy: StatusListPolicy) -> None:
        """Take what all flows share, and the tunables."""
        self._context = context
        self._ledger = context.ledger
        self._clock = context.clock
        self._policy = policy
        self._held: dict[str, _Held] = {}
        self._pending: deque[Entry] = deque()
        self._lost = True  # what the ledger said before is read at the first question
        self._turn = asyncio.Lock()
        context.ledger.subscribe(self._note)

    @property
    def aggregation_uri(self) -> str:
        """Where the lists are listed (section 9)."""
        return self._policy.uri

    def uri(self, list_id: str) -> str:
        """Return where a list is."""
        return f"{self._policy.uri}/{list_id}"

    async def claim(self, facts: Facts, ends_at: float, *, owner: str | None = None) -> StatusClaim:
        """Give a token its place, and return the claim that says which. Not inside of a transaction.

        Args:
            facts: The token.
            ends_at: When it expires.
            owner: The user whose it is; by default the ``sub``, which for a machine is the client. Whoever ends
                access of theirs comes before, and is seen here, or after, and finds the token.
        """
        await self._ledger.catch_up()
        of = facts.sub if owner is None else owner
        claim = await self._claimed(facts, ends_at, of)
        if (
            claim is None
        ):  # the first of a day, or the one before is half full: one after the other makes the next
            claim = await self._claimed(facts, ends_at, of, _NEXT_LIST)
        assert claim is not None  # noqa: S101 - that one makes a list where there is none
        return claim

    async def _claimed(self, facts: Facts, ends_at: float, *of: str) -> StatusClaim | None:
        """Give a token its place; ``None`` if there is no list, and this transaction is not to make one."""
        context = self._context
        async with context.storage.transaction(*of) as records:
            stillborn = await self._is_void(records, facts)
            # Last, for whoever counts a list up has it until the commit.
            taken = await self._take(records, ends_at, makes=_NEXT_LIST in of)
            if taken is None:
                return None
            place = _place(context.sealer, taken)
            status = Status(
                list_id=taken.id,
                place=place,
                jti=facts.jti,
                sid=facts.sid,
                sub=facts.sub,
                client_id=facts.client_id,
                kid=facts.kid,
                iat=facts.iat,
                exp=ends_at,
                stillborn=stillborn,
            )
            await records.add_status(status)
        return StatusClaim(status_list=StatusReference(idx=place, uri=self.uri(taken.id)))

    async def _take(self, records: Records, ends_at: float, *, makes: bool) -> StatusList | None:
        now = self._clock()
        taken = await records.take_place(now, ends_at=ends_at)
        if taken is not None or not makes:
            return taken
        first = StatusList(
            id=new_identifier(),
            size=self._policy.size,
            given=1,
            closes_at=now + self._policy.period.total_seconds(),
            ends_at=ends_at,
        )
        await records.add_status_list(first)
        return first

    async def _is_void(self, records: Records, facts: Facts) -> bool:
        """Tell whether a token is void by what is committed, of which this process may not know all yet."""
        known = self._ledger.registry
        latest = Registry()
        latest.apply([entry async for entry in _entries(records, after=known.position.seq)])
        return known.void(facts) is not None or latest.void(facts) is not None

    async def list_uris(self) -> list[str]:
        """Return where all lists are that any living token is in."""
        now = self._clock()
        lists = await self._context.storage.records.list_status_lists()
        return [self.uri(each.id) for each in lists if not self._is_over(each, now)]

    async def token(self, list_id: str) -> StatusListToken | None:
        """Return a list, signed; ``None`` if there is none, or its tokens are all dead.

        It is signed anew if it has changed, or half of the time has passed for which a copy may be used.
        """
        async with self._turn:
            found = await self._context.storage.records.find_status_list(list_id)
            if found is None or self._is_over(found, self._clock()):
                return None
            await self._catch_up()
            held = await self._hold(found)
            for place in await self._context.storage.records.list_stillborn(list_id):
                held.void(place)
            now, token, policy = self._clock(), held.token, self._policy
            age = math.inf if token is None else now - token.signed_at
            due = policy.pause if held.changed else policy.ttl / 2
            # A clock that was set back makes no list of before any younger.
            if token is None or not 0 <= age < due.total_seconds():
                token = held.token = await self._signed(found, held.array)
                held.changed = False
            return token

    def _is_over(self, status_list: StatusList, now: float) -> bool:
        """Tell whether no token of a list can be accepted any more, nor will there be another."""
        margin = self._ledger.policy.margin.total_seconds()
        is_full = status_list.given * 2 >= status_list.size
        ends_at = status_list.ends_at if is_full else max(status_list.ends_at, status_list.closes_at)
        return now >= ends_at + margin

    async def _signed(self, status_list: StatusList, array: StatusArray) -> StatusListToken:
        policy, now = self._policy, self._clock()
        lst = array.encode(sparse=True)  # a millisecond
        claims = {
            "sub": self.uri(status_list.id),
            "iat": int(now),
            "exp": int(now + policy.lifetime.total_seconds()),
            "ttl": int(policy.ttl.total_seconds()),
            "status_list": {"bits": array.bits, "lst": lst, "aggregation_uri": policy.uri},
        }
        signed = await self._context.access_tokens.keys.sign(claims, typ=_TYPE)
        return StatusListToken(
            octets=signed.encode("ascii"),
            compressed=gzip.compress(signed.encode("ascii"), 9, mtime=0),
            etag=f'"{base64url.encode(digest(signed)[:16])}"',
            signed_at=now,
            fresh_until=now + policy.ttl.total_seconds(),
        )

    # --- the bits --------------------------------------------------------------------------------------

    def _note(self, entries: list[Entry]) -> None:
        """Note what the ledger said. It waits for somebody to ask; if it is too much, it is read again then."""
        if self._lost or len(self._pending) + len(entries) > _MOST_PENDING:
            self._lost = True
            self._pending.clear()
            return
        self._pending.extend(entries)

    async def _catch_up(self) -> None:
        await self._ledger.catch_up()
        while self._lost or self._pending:
            if self._lost:
                await self._start_over()
                continue
            await self._void(self._pending[0])
            if self._pending:  # unless it all was thrown away meanwhile
                self._pending.popleft()

    async def _start_over(self) -> None:
        self._lost = False  # first: what comes meanwhile is kept, and may be done twice
        self._held.clear()
        try:
            async for entry in _entries(self._context.storage.records, after=0):
                await self._void(entry)
        except BaseException:
            self._lost = True
            raise

    async def _void(self, entry: Entry) -> None:
        """Set the bits of all tokens that an entry of the ledger concerns."""
        records = self._context.storage.records
        before = math.inf if entry.cutoff is None else entry.cutoff
        if entry.kind == "token" or entry.kind == "session" or entry.kind == "user":  # noqa: PLR1714 - for mypy
            for list_id, place in await records.find_places(entry.kind, entry.value, before=before):
                await self._set(list_id, place)
            return
        for each in self._held.values():
            each.changed = True  # the key that signed it may be the one that is trusted no more
        after: int | None = 0
        while after is not None:
            places, after = await records.list_places(entry.kind, entry.value, before=before, after=after)
            for list_id, place in places:
                held = self._held.get(list_id)
                if held is None:
                    await self._set(list_id, place)
                else:
                    held.void(place)
            await asyncio.sleep(0)  # let others have their turn

    async def _set(self, list_id: str, place: int) -> None:
        held = self._held.get(list_id)
        if held is None:
            found = await self._context.storage.records.find_status_list(list_id)
            if found is None:
                return
            held = await self._hold(found)
        held.void(place)

    async def _hold(self, status_list: StatusList) -> _Held:
        held = self._held.get(status_list.id)
        if held is None:
            held = self._held[status_list.id] = _Held(status_list.size)
            # A list begins once a day, and at once there is time to forget those that ended.
            there = {each.id for each in await self._context.storage.records.list_status_lists()}
            self._held = {list_id: each for list_id, each in self._held.items() if list_id in there}
        return held


def _place(sealer: Sealer, taken: StatusList) -> int:
    """Return the place of the token that was counted last."""
    key = sealer.mac(taken.id.encode("ascii"), context=_CONTEXT)  # a key for each list

    def mac(message: bytes) -> bytes:
        return blake2b(message, key=key, digest_size=8).digest()

    return scatter(taken.given - 1, taken.size, mac)


async def _entries(records: Records, *, after: int) -> AsyncIterator[Entry]:
    while entries := await records.list_entries(after=after, limit=_BATCH):
        for entry in entries:
            yield entry
        after = entries[-1].seq
