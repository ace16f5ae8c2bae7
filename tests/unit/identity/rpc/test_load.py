"""What one caller may have under way, and all of them together."""

import asyncio
from contextlib import ExitStack

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError
from identity.rpc.load import (
    FINISHING,
    AdaptiveLimit,
    CallerLoad,
    LargeBodies,
    LimitSettings,
    NewWork,
    Shares,
    stay_until_done,
)
from identity.security.permissions import permissions

LOUD = Caller(Role.OPERATOR, "loud")
QUIET = Caller(Role.OPERATOR, "quiet")
OTHER = Caller(Role.OPERATOR, "other")
SETTINGS = LimitSettings()


def hold(load: CallerLoad, caller: Caller, *, times: int, is_stream: bool) -> ExitStack:
    held = ExitStack()
    for _ in range(times):
        held.enter_context(load.hold(caller, is_stream=is_stream))
    return held


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_caller_is_refused_beyond_its_share_and_nobody_else(*, is_stream: bool) -> None:
    load = CallerLoad(Shares(calls_max=3, streams_max=3))
    with hold(load, LOUD, times=3, is_stream=is_stream):
        with pytest.raises(OverloadedError) as caught, load.hold(LOUD, is_stream=is_stream):
            pass
        assert caught.value.retry_after_s
        with load.hold(QUIET, is_stream=is_stream), load.hold(LOUD, is_stream=not is_stream):
            pass


def test_what_has_ended_counts_no_more_however_it_ended() -> None:
    load = CallerLoad(Shares(calls_max=1))
    for _ in range(5):
        with pytest.raises(ValueError, match="bug"), load.hold(LOUD, is_stream=False):
            raise ValueError("bug")
    with load.hold(LOUD, is_stream=False):
        pass


def test_a_refusal_takes_nothing() -> None:
    load = CallerLoad(Shares(calls_max=1))
    with load.hold(LOUD, is_stream=False):
        for _ in range(5):
            with pytest.raises(OverloadedError), load.hold(LOUD, is_stream=False):
                pass
    with load.hold(LOUD, is_stream=False):
        pass


def test_a_large_request_takes_the_most_it_may_be_until_it_is_there() -> None:
    bodies = LargeBodies(Shares(caller_bytes_max=20, bytes_max=30))
    with bodies.hold(LOUD, bytes_max=20) as held:
        with pytest.raises(OverloadedError) as caught, bodies.hold(LOUD, bytes_max=20):
            pass
        assert caught.value.retry_after_s
        held.came(0)
        with bodies.hold(LOUD, bytes_max=20):
            pass
        held.came(1)
        with pytest.raises(OverloadedError), bodies.hold(LOUD, bytes_max=20):
            pass
    with bodies.hold(LOUD, bytes_max=20):
        pass


def test_large_requests_of_all_callers_have_a_bound_too() -> None:
    bodies = LargeBodies(Shares(caller_bytes_max=20, bytes_max=30))
    with bodies.hold(LOUD, bytes_max=20):
        with pytest.raises(OverloadedError), bodies.hold(QUIET, bytes_max=20):
            pass
        with bodies.hold(QUIET, bytes_max=10):
            pass


def test_health_has_a_share_beside_calls_and_streams() -> None:
    load = CallerLoad(Shares(calls_max=1, streams_max=1, standard_max=1))
    with load.hold_standard(LOUD):
        with pytest.raises(OverloadedError), load.hold_standard(LOUD):
            pass
        with load.hold(LOUD, is_stream=False), load.hold(LOUD, is_stream=True):
            pass


def test_what_finishes_something_is_a_method() -> None:
    assert permissions().keys() >= FINISHING


async def test_work_that_goes_on_without_its_call_keeps_the_place_of_it() -> None:
    load, may_end = CallerLoad(Shares(calls_max=2)), asyncio.Event()
    with load.hold(LOUD, is_stream=False):
        works = [asyncio.create_task(may_end.wait()) for _ in range(2)]
        for work in works:
            stay_until_done(work)
        with load.hold(LOUD, is_stream=False):
            pass  # one call, however much it has begun
    with (
        load.hold(LOUD, is_stream=False),
        pytest.raises(OverloadedError),
        load.hold(LOUD, is_stream=False),
    ):
        pass
    works[0].cancel()
    await asyncio.wait(works[:1])
    with (
        load.hold(LOUD, is_stream=False),
        pytest.raises(OverloadedError),
        load.hold(LOUD, is_stream=False),
    ):
        pass
    may_end.set()
    await asyncio.wait(works)
    with load.hold(LOUD, is_stream=False), load.hold(LOUD, is_stream=False):
        pass


async def test_work_of_nobody_keeps_no_place() -> None:
    work = asyncio.create_task(asyncio.sleep(0))
    stay_until_done(work)
    await work


def test_new_work_is_refused_beyond_the_limit_and_taken_again_below_it() -> None:
    work = NewWork(AdaptiveLimit(LimitSettings(least=2, most=2)))
    with work.hold(LOUD), work.hold(QUIET):
        assert not work.has_room()
        with pytest.raises(OverloadedError), work.hold(OTHER):
            pass
    with pytest.raises(ValueError, match="bug"), work.hold(LOUD):
        raise ValueError("bug")
    with work.hold(LOUD):
        assert work.has_room()


def test_one_caller_has_half_of_the_limit_and_leaves_the_other_half() -> None:
    work = NewWork(AdaptiveLimit(LimitSettings(least=8, most=8)))
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(work.hold(LOUD))
        assert not work.has_room(LOUD)
        with pytest.raises(OverloadedError), work.hold(LOUD):
            pass
        for _ in range(4):
            assert work.has_room(QUIET)
            held.enter_context(work.hold(QUIET))
        assert not work.has_room(OTHER)
    with work.hold(LOUD):
        assert work.has_room(LOUD)


def test_with_the_least_limit_of_all_a_caller_has_a_call_all_the_same() -> None:
    work = NewWork(AdaptiveLimit(LimitSettings(least=1, most=1)))
    with work.hold(LOUD):
        assert not work.has_room(QUIET)


def test_a_caller_who_is_alone_and_waits_for_nothing_comes_to_have_the_least_limit_and_more() -> (
    None
):
    limit = AdaptiveLimit(SETTINGS)
    for window in range(100):
        limit.saw_wait("threads", 1.0, now_s=window * SETTINGS.window_s)
    assert limit.limit == SETTINGS.least
    work = NewWork(limit)
    with ExitStack() as held:
        for window in range(100, 1_000):
            while work.has_room(LOUD):
                held.enter_context(work.hold(LOUD))
            limit.saw_wait("threads", 0.0, now_s=window * SETTINGS.window_s)
        assert limit.limit == SETTINGS.most
        for _ in range(SETTINGS.most // 2):
            held.enter_context(work.hold(QUIET))
