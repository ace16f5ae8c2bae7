"""What is asked for twice at once is done once, and outlives whoever asked."""

import asyncio
from contextlib import suppress

import pytest

from identity.rpc.underway import Underway


class Work:
    """Ends when it may; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def do(self) -> int:
        """The number of times."""
        self.begun += 1
        await self.may_end.wait()
        return self.begun


async def test_who_asks_while_it_runs_gets_the_same_answer_and_later_a_new_one() -> None:
    underway, work = Underway(), Work()
    both = [asyncio.create_task(underway.join("a", work.do)) for _ in range(2)]
    await asyncio.sleep(0)
    work.may_end.set()
    assert await asyncio.gather(*both) == [1, 1]
    assert await underway.join("a", work.do) == 2


async def test_something_else_is_done_beside_it() -> None:
    underway, work = Underway(), Work()
    work.may_end.set()
    await asyncio.gather(underway.join("a", work.do), underway.join("b", work.do))
    assert work.begun == 2


async def test_who_goes_away_does_not_stop_it() -> None:
    underway, work = Underway(), Work()
    gone = asyncio.create_task(underway.join("a", work.do))
    await asyncio.sleep(0)
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    stays = asyncio.create_task(underway.join("a", work.do))
    await asyncio.sleep(0)
    work.may_end.set()
    assert await stays == 1


async def test_a_failure_is_told_to_whoever_waits_and_forgotten() -> None:
    underway = Underway()

    async def fail() -> None:
        raise LookupError("nothing")

    for _ in range(2):
        with pytest.raises(LookupError):
            await underway.join("a", fail)
