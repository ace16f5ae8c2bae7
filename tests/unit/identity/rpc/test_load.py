"""What one caller may have under way, and all of them together."""

from contextlib import ExitStack

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError
from identity.rpc.load import (
    FINISHING,
    AdaptiveLimit,
    CallerLoad,
    LimitSettings,
    NewWork,
    Shares,
)
from identity.security.permissions import permissions

LOUD = Caller(Role.OPERATOR, "loud")
QUIET = Caller(Role.OPERATOR, "quiet")


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


def test_what_finishes_something_is_a_method() -> None:
    assert permissions().keys() >= FINISHING


def test_new_work_is_refused_beyond_the_limit_and_taken_again_below_it() -> None:
    work = NewWork(AdaptiveLimit(LimitSettings(least=2, most=2)))
    with work.hold(), work.hold():
        assert not work.has_room()
        with pytest.raises(OverloadedError), work.hold():
            pass
    with pytest.raises(ValueError, match="bug"), work.hold():
        raise ValueError("bug")
    with work.hold():
        assert work.has_room()
