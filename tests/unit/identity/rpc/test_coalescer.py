"""Calls that come together are answered together, each with its own answer."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError
from identity.rpc import coalescer as module
from identity.rpc.coalescer import GROUP_MAX, WAITING_MAX, Coalescer
from identity.rpc.load import CallerLoad, Shares


class Desk:
    """Answers groups when it is told to, and remembers them."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may_answer = threading.Event()
        self.asked = threading.Semaphore(0)

    def answer(self, questions: list[int]) -> list[int]:
        """Ten times each question; a group with -1 in it cannot be answered."""
        self.groups.append(questions)
        self.asked.release()
        assert self.may_answer.wait(20)
        if -1 in questions:
            raise LookupError("a group that cannot be answered")
        return [10 * question for question in questions]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def busy(coalescer: Coalescer[int, int], desk: Desk) -> list[asyncio.Task[int]]:
    """Ask one question for each group that may be answered at a time: the next must wait."""
    asked = []
    for number in range(module.GROUPS_MAX):
        asked.append(asyncio.create_task(coalescer.submit(number)))
        assert await asyncio.to_thread(desk.asked.acquire, timeout=20)
    return asked


async def test_a_question_alone_is_answered_at_once(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    desk.may_answer.set()
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    assert await coalescer.submit(4) == 40
    assert await coalescer.submit(5) == 50
    assert desk.groups == [[4], [5]]


async def test_what_arrives_while_others_are_answered_forms_the_next_group_in_its_order(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    later = [asyncio.create_task(coalescer.submit(number)) for number in range(100, 200)]
    await asyncio.sleep(0)
    desk.may_answer.set()
    assert await asyncio.gather(*later) == [10 * number for number in range(100, 200)]
    assert await asyncio.gather(*first) == [0, 10, 20][: len(first)]
    assert desk.groups[len(first) :] == [list(range(100, 200))]


async def test_a_group_has_a_largest_size(desk: Desk, threads: ThreadPoolExecutor) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    count = 2 * GROUP_MAX + 1
    later = [asyncio.create_task(coalescer.submit(number)) for number in range(count)]
    await asyncio.sleep(0)
    desk.may_answer.set()
    assert await asyncio.gather(*later) == [10 * number for number in range(count)]
    await asyncio.gather(*first)
    sizes = [len(group) for group in desk.groups[len(first) :]]
    assert sorted(sizes) == [1, GROUP_MAX, GROUP_MAX]


async def test_an_error_reaches_each_of_its_group_and_nobody_else(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    doomed = [asyncio.create_task(coalescer.submit(number)) for number in (7, -1, 8)]
    await asyncio.sleep(0)
    desk.may_answer.set()
    results = await asyncio.gather(*doomed, return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3
    assert len(await asyncio.gather(*first)) == len(first)
    assert await coalescer.submit(9) == 90


async def test_a_caller_who_goes_away_takes_nobody_along(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    first[0].cancel()
    waiting = [asyncio.create_task(coalescer.submit(number)) for number in (7, 8, 9)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    desk.may_answer.set()
    results = await asyncio.gather(*waiting, *first, return_exceptions=True)
    assert (results[0], results[2]) == (70, 90)
    assert isinstance(results[1], asyncio.CancelledError)
    assert isinstance(results[3], asyncio.CancelledError)
    assert await coalescer.submit(5) == 50


async def test_too_many_waiting_questions_are_refused_and_the_others_answered(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    waiting = [asyncio.create_task(coalescer.submit(number)) for number in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await coalescer.submit(1)
    desk.may_answer.set()
    assert await asyncio.gather(*waiting) == [10 * number for number in range(WAITING_MAX)]
    await asyncio.gather(*first)
    assert await coalescer.submit(3) == 30


async def test_an_answer_for_each_question_is_demanded(threads: ThreadPoolExecutor) -> None:
    def too_few(questions: list[int]) -> list[int]:
        return questions[:-1]

    coalescer: Coalescer[int, int] = Coalescer(too_few, threads=threads)
    async with asyncio.timeout(20):
        with pytest.raises(ValueError, match="zip"):
            await coalescer.submit(1)


async def test_a_question_that_nobody_waits_for_any_more_is_not_answered_and_takes_no_room(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    first = await busy(coalescer, desk)
    gone = [asyncio.create_task(coalescer.submit(number)) for number in range(WAITING_MAX)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    stays = asyncio.create_task(coalescer.submit(7))
    await asyncio.sleep(0)
    desk.may_answer.set()
    assert await stays == 70
    await asyncio.gather(*first)
    assert desk.groups[len(first) :] == [[7]]


async def test_a_question_that_is_being_answered_keeps_the_place_of_its_caller(
    desk: Desk, threads: ThreadPoolExecutor
) -> None:
    coalescer: Coalescer[int, int] = Coalescer(desk.answer, threads=threads)
    load, caller = CallerLoad(Shares(calls_max=1)), Caller(Role.AGENCY, "tax")

    async def call() -> int:
        with load.hold(caller, is_stream=False):
            return await coalescer.submit(1)

    gone = asyncio.create_task(call())
    assert await asyncio.to_thread(desk.asked.acquire, timeout=20)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    with pytest.raises(OverloadedError):
        await call()
    desk.may_answer.set()
    assert await coalescer.submit(2) == 20
    assert await call() == 10
