"""What the ledger spoke of lately."""

from hypothesis import given
from hypothesis import strategies as st

from coatcheck.revocation.mentions import Mentions

NAMES = st.sampled_from(["ada", "eve", "a-session", "a-key", "another"])


def test_what_was_spoken_of_after_an_epoch_is_told_and_nothing_else() -> None:
    mentions = Mentions()
    mentions.note("ada", 3)
    assert mentions.since(2, ["eve", "ada"])
    assert not mentions.since(3, ["ada"])
    assert not mentions.since(0, ["eve"])


def test_an_entry_about_everything_is_about_all_that_was_looked_up_before() -> None:
    mentions = Mentions()
    mentions.note_all(5)
    assert mentions.since(4, ["eve"])
    assert not mentions.since(5, ["eve"])


@given(st.lists(st.one_of(NAMES, st.none()), max_size=30), st.integers(1, 4))
def test_nothing_is_ever_forgotten_silently(spoken: list[str | None], most: int) -> None:
    mentions = Mentions(most=most)
    latest: dict[str, int] = {}
    for epoch, name in enumerate(spoken, 1):
        if name is None:
            mentions.note_all(epoch)
            latest = dict.fromkeys(["ada", "eve", "a-session", "a-key", "another"], epoch)
        else:
            mentions.note(name, epoch)
            latest[name] = epoch
    for name, told in latest.items():
        for epoch in range(len(spoken) + 1):
            assert mentions.since(epoch, [name]) or epoch >= told
