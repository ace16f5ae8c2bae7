"""Whatever comes in whatever parts: a watcher is handed its part of the feed, once, in order."""

import asyncio
from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from identity.rpc.contact_feed import ContactFeed, Watcher
from identity.services.contact_changes import Passage
from identity.storage.contact_changes import Hint

AGENCIES = ("tax", "health", "police")

parts_of_a_feed = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(AGENCIES)), max_size=8), max_size=12
)
"""Parts of a feed: how much further each hint is than the one before, and whose it is."""


def passages(parts: list[list[tuple[int, str]]]) -> list[Passage]:
    position, made = 0, []
    for part in parts:
        hints = []
        for step, agency in part:
            position += step
            hints.append(Hint(position, agency, position.to_bytes(4, "big")))
        made.append(Passage(hints=hints, last=position))
    return made


async def everything(feed: ContactFeed, watcher: Watcher) -> tuple[list[Hint], list[int]]:
    """What a watcher is told until the server stops, and the positions that it can resume from."""
    told: list[Hint] = []
    ends: list[int] = []
    async for passage in feed.passages(watcher):
        told += passage.hints
        ends.append(passage.last)
        assert all(hint.position <= passage.last for hint in told)
    return told, ends


@given(parts_of_a_feed, st.integers(0, 12), st.sampled_from(AGENCIES))
def test_a_watcher_is_told_everything_of_its_agency_since_it_began(
    parts: list[list[tuple[int, str]]], begins_at: int, agency: str
) -> None:
    async def run() -> None:
        feed = ContactFeed()
        assert feed.hand_out(Passage(hints=(), last=0), after=None)
        made = passages(parts)
        with ExitStack() as stack:
            for passage in made[:begins_at]:
                assert feed.hand_out(passage, after=feed.last)
            watcher = stack.enter_context(feed.watching(agency, last=0))
            since = watcher.since
            for passage in made[begins_at:]:
                assert feed.hand_out(passage, after=feed.last)
            feed.end()
            told, ends = await everything(feed, watcher)
        expected = [
            hint
            for passage in made
            for hint in passage.hints
            if hint.agency == agency and hint.position > since
        ]
        assert told == expected
        assert ends == sorted(ends)
        assert not ends or ends[-1] == feed.last

    asyncio.run(run())


@given(parts_of_a_feed, st.integers(0, 6))
def test_a_slow_watcher_never_holds_more_than_it_may_and_loses_nothing_in_silence(
    parts: list[list[tuple[int, str]]], waiting_max: int
) -> None:
    feed = ContactFeed(waiting_max=waiting_max)
    feed.hand_out(Passage(hints=(), last=0), after=None)
    with feed.watching("tax", last=0) as watcher:
        count = 0
        for passage in passages(parts):
            feed.hand_out(passage, after=feed.last)
            count += sum(hint.agency == "tax" for hint in passage.hints)
            assert len(watcher.waiting) <= waiting_max
        assert (watcher.refusal is not None) == (count > waiting_max)
        assert watcher.refusal or len(watcher.waiting) == count
