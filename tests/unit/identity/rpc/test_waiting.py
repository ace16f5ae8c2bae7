"""Waits: woken, ended, bounded, and forgotten when nobody waits any more."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from identity.domain.errors import OverloadedError
from identity.rpc.waiting import Look, Waiting

LONG_S = 60.0
"""No test waits that long: what it waits for comes, or its time limit does."""


class Shelf:
    """Something to look for, put there by the test; counts the looks."""

    def __init__(self, *, again_in_s: float | None = None) -> None:
        self.content: str | None = None
        self.looks: list[bool] = []
        self.has_looked = asyncio.Event()
        self._again_in_s = again_in_s

    async def look(self, is_last: bool) -> Look[str]:  # noqa: FBT001 - as Waiting.wait calls it
        """Look once."""
        await asyncio.sleep(0)
        self.looks.append(is_last)
        self.has_looked.set()
        if self.content is None and is_last:
            return Look(answer="nothing")
        return Look(answer=self.content, again_in_s=self._again_in_s)


def begin(
    waiting: Waiting, shelf: Shelf, name: str = "song-hong", *, wait_s: float = LONG_S
) -> "asyncio.Task[str]":
    return asyncio.create_task(waiting.wait(name, shelf.look, wait_s=wait_s))


async def test_what_is_there_is_not_waited_for() -> None:
    shelf = Shelf()
    shelf.content = "here"
    assert await begin(Waiting(), shelf) == "here"
    assert shelf.looks == [False]


async def test_a_wait_is_woken_by_news_of_its_own_operator_only() -> None:
    waiting, shelf = Waiting(recheck_s=LONG_S), Shelf()
    wait = begin(waiting, shelf)
    await shelf.has_looked.wait()
    waiting.wake("cuu-long")
    await asyncio.sleep(0)
    assert len(shelf.looks) == 1
    shelf.content = "here"
    waiting.wake("song-hong")
    assert await wait == "here"


async def test_news_that_may_have_been_missed_wakes_everybody() -> None:
    waiting, shelves = Waiting(recheck_s=LONG_S), [Shelf(), Shelf()]
    waits = [
        begin(waiting, shelf, name)
        for shelf, name in zip(shelves, ("song-hong", "cuu-long"))  # noqa: B905 - of equal length
    ]
    for shelf in shelves:
        await shelf.has_looked.wait()
        shelf.content = "here"
    waiting.wake(None)
    assert await asyncio.gather(*waits) == ["here", "here"]


async def test_news_that_come_while_it_looks_are_not_slept_through() -> None:
    waiting, shelf = Waiting(recheck_s=LONG_S), Shelf()

    async def look(is_last: bool) -> Look[str]:  # noqa: FBT001 - as Waiting.wait calls it
        found = await shelf.look(is_last)
        if shelf.content is None:
            shelf.content = "here"  # too late for this look
            waiting.wake("song-hong")
        return found

    assert await waiting.wait("song-hong", look, wait_s=LONG_S) == "here"
    assert shelf.looks == [False, False]


@pytest.mark.parametrize("wait_s", [0.0, 0.01])
async def test_when_the_time_is_over_the_last_look_answers(wait_s: float) -> None:
    shelf = Shelf()
    assert await begin(Waiting(), shelf, wait_s=wait_s) == "nothing"
    assert shelf.looks[-1]
    assert not any(shelf.looks[:-1])


@pytest.mark.parametrize(
    ("recheck_s", "again_in_s"), [(0.001, None), (LONG_S, 0.001), (0.001, LONG_S), (LONG_S, -1.0)]
)
async def test_it_looks_again_by_itself(recheck_s: float, again_in_s: float | None) -> None:
    shelf = Shelf(again_in_s=again_in_s)
    wait = begin(Waiting(recheck_s=recheck_s), shelf)
    for _ in range(3):
        shelf.has_looked.clear()
        await shelf.has_looked.wait()
    shelf.content = "here"
    assert await wait == "here"


async def test_the_end_of_the_server_ends_waits_and_lets_none_begin() -> None:
    waiting, shelf = Waiting(recheck_s=LONG_S), Shelf()
    wait = begin(waiting, shelf)
    await shelf.has_looked.wait()
    waiting.end()
    assert await wait == "nothing"
    late = Shelf()
    assert await begin(waiting, late) == "nothing"
    assert late.looks == [True]


async def test_an_operator_has_so_many_waits_and_others_have_theirs() -> None:
    waiting, shelf = Waiting(waits_max=2, recheck_s=LONG_S), Shelf()
    waits = [begin(waiting, shelf) for _ in range(2)]
    await shelf.has_looked.wait()
    with pytest.raises(OverloadedError) as caught:
        await begin(waiting, Shelf())
    assert caught.value.retry_after_s
    other = Shelf()
    other.content = "here"
    assert await begin(waiting, other, "cuu-long") == "here"
    waits[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits[0]
    shelf.content = "here"
    assert await begin(waiting, shelf) == "here"
    waiting.wake("song-hong")
    assert await waits[1] == "here"


async def test_a_look_that_fails_ends_its_wait_and_frees_its_place() -> None:
    waiting = Waiting(waits_max=1)

    async def fail(_is_last: bool) -> Look[str]:  # noqa: FBT001 - as above
        await asyncio.sleep(0)
        raise ValueError("no database")

    look: Callable[[bool], Awaitable[Look[str]]] = fail
    for _ in range(2):
        with pytest.raises(ValueError, match="no database"):
            await waiting.wait("song-hong", look, wait_s=LONG_S)
