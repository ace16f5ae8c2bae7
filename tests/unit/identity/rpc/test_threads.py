"""Work in threads keeps its call's place, and what nobody waits for is not begun."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError
from identity.rpc import threads as module
from identity.rpc.load import AdaptiveLimit, CallerLoad, LimitSettings, NewWork, Shares
from identity.rpc.threads import FEW, Turns, in_thread

LOUD = Caller(Role.OPERATOR, "loud")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


async def test_work_that_has_begun_keeps_every_place_until_it_is_done(
    threads: ThreadPoolExecutor,
) -> None:
    load = CallerLoad(Shares(calls_max=1))
    new_work = NewWork(AdaptiveLimit(LimitSettings(least=2, most=2)))
    begun, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def block() -> None:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(20)

    async def call() -> None:
        with load.hold(LOUD, is_stream=False), new_work.hold(LOUD):
            await in_thread(threads, block)

    try:
        gone = asyncio.create_task(call())
        await begun.wait()
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        assert not new_work.has_room(LOUD)
        with pytest.raises(OverloadedError):
            await call()
    finally:
        may_end.set()
    await in_thread(threads, threading.get_ident)  # after it, in the one thread
    assert new_work.has_room(LOUD)
    with load.hold(LOUD, is_stream=False):
        pass


async def test_work_that_has_not_begun_when_its_call_ends_never_does(
    threads: ThreadPoolExecutor,
) -> None:
    load, may_go_on, done = CallerLoad(Shares(calls_max=1)), threading.Event(), list[str]()
    threads.submit(may_go_on.wait)

    async def call(name: str) -> None:
        with load.hold(LOUD, is_stream=False):
            await in_thread(threads, lambda: done.append(name))

    try:
        gone = asyncio.create_task(call("gone"))
        await asyncio.sleep(0)  # it runs until it waits for a thread
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        await asyncio.sleep(0)  # its place is told
        stays = asyncio.create_task(call("stays"))
        await asyncio.sleep(0)
    finally:
        may_go_on.set()
    await stays
    assert done == ["stays"]


async def test_what_is_raised_in_a_thread_reaches_whoever_waits(
    threads: ThreadPoolExecutor,
) -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(threads, lambda: 1 // 0)


@pytest.mark.parametrize(("is_much", "at_once"), [(False, 2 * FEW), (True, FEW)])
def test_while_much_is_refused_few_threads_work(
    monkeypatch: pytest.MonkeyPatch, *, is_much: bool, at_once: int
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 60.0)
    turns, guard = Turns(lambda: is_much), threading.Lock()
    at_work, most = 0, 0
    # Whoever is let in waits for as many as may be there at once.
    full = threading.Barrier(at_once, timeout=20)

    def work() -> None:
        nonlocal at_work, most
        with turns.one():
            with guard:
                at_work += 1
                most = max(most, at_work)
            full.wait()
            with guard:
                at_work -= 1

    with ThreadPoolExecutor(2 * FEW) as executor:
        for done in [executor.submit(work) for _ in range(4 * FEW)]:
            done.result()
    assert most == at_once


def test_a_thread_does_not_stand_back_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    turns, may_end = Turns(lambda: True), threading.Event()

    def work() -> None:
        with turns.one():
            assert may_end.wait(20)

    with ThreadPoolExecutor(FEW) as executor:
        begun = [executor.submit(work) for _ in range(FEW)]
        try:
            with turns.one():
                assert not any(each.done() for each in begun)
        finally:
            may_end.set()
        for each in begun:
            each.result()


def test_work_that_fails_leaves_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 60.0)
    turns = Turns(lambda: True)
    for _ in range(2 * FEW):
        with pytest.raises(ZeroDivisionError), turns.one():
            raise ZeroDivisionError
