"""The page by which readers are written in other languages says what the code does."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from coatcheck.flows.feed_policy import FeedPolicy
from coatcheck.revocation.model import KINDS, Position
from coatcheck.revocation.policy import LONGEST_TOKEN
from coatcheck.revocation.wire import AUDIENCE, TYPE, FeedEvent, WireEntry, from_wire
from coatcheck.verifier import VerifierPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "feed.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
EVENTS = [json.loads(block) for block in BLOCKS if block.startswith("{")]


@pytest.mark.parametrize("example", EVENTS, ids=[each["event"] for each in EVENTS])
def test_each_example_is_an_event(example: dict[str, object]) -> None:
    event = msgspec.convert(example, FeedEvent)
    assert set(example) - set(FeedEvent.__struct_fields__) == {"iss", "aud", "iat"}
    assert Position.parse(str(event.position)) == event.position
    assert event.after is None or Position.parse(event.after) is not None
    assert from_wire(event.entries, at=event.now) is not None


def test_there_is_an_example_of_each_kind() -> None:
    assert [each["event"] for each in EVENTS] == ["hello", "snapshot", "entries", "heartbeat"]


def test_the_examples_of_entries_are_entries() -> None:
    (block,) = [each for each in BLOCKS if each.startswith("[")]
    entries = msgspec.convert([json.loads(line) for line in block.splitlines()], list[WireEntry])
    assert [each.kind for each in from_wire(entries, at=0.0)] == ["session", "user", "everything"]
    assert all(f"`{kind}`" in PAGE for kind in KINDS)


def test_the_example_of_a_snapshot_is_one_that_a_reader_takes() -> None:
    (example,) = [each for each in EVENTS if each["event"] == "snapshot"]
    event = msgspec.convert(example, FeedEvent)
    assert (event.part, event.after, event.upto, event.done) == (0, "0.", str(event.position), True)
    assert event.snapshot


def test_each_claim_is_told_of() -> None:
    table = PAGE.partition("| claim | in | what it says |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    told = {name for cell in named for name in re.findall(r"`(\w+)`", cell)}
    assert told == {"iss", "aud", "iat", *FeedEvent.__struct_fields__}
    assert f"`{TYPE}`" in PAGE
    assert f"`{AUDIENCE}`" in PAGE


def test_the_figures_are_those_of_the_code() -> None:
    server, reader = FeedPolicy(), VerifierPolicy()
    assert server.heartbeat.total_seconds() == 2.0
    assert "Every two seconds" in PAGE
    assert f"in parts of {server.part} at most" in PAGE
    assert (
        f"takes nothing for {server.stall.total_seconds():.0f} seconds, or lets {server.queue} events" in PAGE
    )
    assert f"{reader.first_pause} to {reader.longest_pause:.0f} seconds" in PAGE
    assert f"({server.readers} for a process, {server.readers_of_one} of one service)" in PAGE
    assert server.snapshot_age.total_seconds() == 10.0
    assert "share a snapshot for up to ten seconds" in PAGE
    assert reader.line_limit == 1024 * 1024
    assert "fits into 1 MiB" in PAGE
    assert f"more\nthan {LONGEST_TOKEN.total_seconds():.0f} seconds after" in PAGE
