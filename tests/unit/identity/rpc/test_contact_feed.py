"""Who watches on a server: told what concerns them, bounded, and resting otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from identity.domain.errors import OverloadedError, PurposeNotAllowedError, WatcherTooSlowError
from identity.rpc.contact_feed import ANSWER_MAX, ContactFeed, Watcher
from identity.services.contact_changes import Passage
from identity.storage.contact_changes import Hint


def part(*hints: tuple[int, str], last: int | None = None) -> Passage:
    made = [Hint(position, agency, str(position).encode()) for position, agency in hints]
    return Passage(hints=made, last=made[-1].position if last is None else last)


def begun(**given: float) -> ContactFeed:
    """A feed at position 10."""
    feed = ContactFeed(**given)  # type: ignore[arg-type] # whole numbers are numbers
    assert feed.hand_out(part(last=10), after=None)
    return feed


async def taken(passages: AsyncIterator[Passage], count: int) -> list[Passage]:
    return [await anext(passages) for _ in range(count)]


def positions(passage: Passage) -> list[int]:
    return [hint.position for hint in passage.hints]


async def test_each_is_told_what_concerns_it_and_how_far_the_feed_is() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as tax, feed.watching("health", last=0) as health:
        assert tax.since == health.since == 10
        feed.hand_out(part((11, "tax"), (12, "health"), (13, "tax"), (14, "police")), after=10)
        of_tax = await anext(feed.passages(tax))
        of_health = await anext(feed.passages(health))
    assert (positions(of_tax), of_tax.last) == ([11, 13], 14)
    assert (positions(of_health), of_health.last) == ([12], 14)


async def test_two_watches_of_one_agency_are_told_the_same() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as one, feed.watching("tax", last=0) as other:
        feed.hand_out(part((11, "tax")), after=10)
        assert await anext(feed.passages(one)) == await anext(feed.passages(other))


async def test_who_begins_later_is_handed_what_comes_later() -> None:
    feed = begun()
    feed.hand_out(part((11, "tax")), after=10)
    with feed.watching("tax", last=0) as watcher:
        feed.hand_out(part((12, "tax")), after=11)
        told = await anext(feed.passages(watcher))
    assert (watcher.since, positions(told)) == (11, [12])


def test_a_part_that_is_not_the_next_one_is_not_handed_out() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as watcher:
        assert not feed.hand_out(part((9, "tax")), after=8)
        assert (feed.last, watcher.waiting) == (10, [])


def test_the_first_watcher_says_where_the_feed_is_if_nobody_has() -> None:
    feed = ContactFeed()
    with feed.watching("tax", last=7) as watcher:
        assert watcher.since == feed.last == 7
        # A look that began before it has to look again.
        assert not feed.hand_out(part(last=9), after=None)
        assert feed.hand_out(part((8, "tax"), last=9), after=7)
        assert watcher.waiting == [Hint(8, "tax", b"8")]


async def test_much_is_told_in_parts_of_which_each_can_be_resumed_from() -> None:
    feed = begun()
    hints = [(10 + number, "tax") for number in range(1, 2 * ANSWER_MAX + 2)]
    with feed.watching("tax", last=0) as watcher:
        feed.hand_out(part(*hints, last=5_000), after=10)
        parts = await taken(feed.passages(watcher), 3)
    assert [len(each.hints) for each in parts] == [ANSWER_MAX, ANSWER_MAX, 1]
    assert [each.last for each in parts] == [10 + ANSWER_MAX, 10 + 2 * ANSWER_MAX, 5_000]


async def test_a_slow_reader_is_told_so_and_holds_no_more_than_it_may() -> None:
    feed = begun(waiting_max=3)
    with feed.watching("tax", last=0) as slow:
        passages = feed.passages(slow)
        feed.hand_out(part((11, "tax"), (12, "tax")), after=10)
        first = await anext(passages)
        assert positions(first) == [11, 12]
        feed.hand_out(part((13, "tax"), (14, "tax"), (15, "tax")), after=12)
        feed.hand_out(part((16, "tax")), after=15)
        feed.hand_out(part((17, "tax")), after=16)
        assert slow.waiting == []
        with pytest.raises(WatcherTooSlowError):
            await anext(passages)


async def test_who_may_watch_no_more_is_told_so_and_nothing_else() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as tax, feed.watching("health", last=0) as health:
        assert set(feed.agencies) == {"tax", "health"}
        feed.hand_out(part((11, "tax"), (12, "health")), after=10)
        feed.refuse({"tax": PurposeNotAllowedError("suspended"), "gone": OverloadedError("-")})
        feed.hand_out(part((13, "tax"), (14, "health")), after=12)
        with pytest.raises(PurposeNotAllowedError):
            await anext(feed.passages(tax))
        assert positions(await anext(feed.passages(health))) == [12, 14]


async def test_who_is_told_nothing_is_told_from_time_to_time_how_far_the_feed_is() -> None:
    feed = begun(position_every_s=0.01)
    with feed.watching("tax", last=0) as watcher:
        feed.hand_out(part((11, "health"), last=12), after=10)
        told = await anext(feed.passages(watcher))
    assert told == Passage(hints=(), last=12)


async def test_the_end_of_a_server_ends_watches_after_what_waits_for_them() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as watcher:
        feed.hand_out(part((11, "tax")), after=10)
        feed.end()
        told = [each async for each in feed.passages(watcher)]
    assert [positions(each) for each in told] == [[11]]
    with feed.watching("tax", last=0) as late:
        assert [each async for each in feed.passages(late)] == []


async def test_a_watcher_rests_until_something_concerns_it() -> None:
    feed = begun()
    with feed.watching("tax", last=0) as watcher:
        waiting = asyncio.ensure_future(anext(feed.passages(watcher)))
        for position in range(11, 20):
            feed.hand_out(part((position, "health")), after=position - 1)
            await asyncio.sleep(0)
        assert not waiting.done()
        feed.hand_out(part((20, "tax")), after=19)
        assert positions(await waiting) == [20]


def test_so_many_may_watch_and_who_goes_makes_room() -> None:
    feed = begun(watchers_max=2)
    with ExitStack() as watching:
        watching.enter_context(feed.watching("tax", last=0))
        with feed.watching("health", last=0), pytest.raises(OverloadedError):
            watching.enter_context(feed.watching("police", last=0))
        assert isinstance(watching.enter_context(feed.watching("police", last=0)), Watcher)
